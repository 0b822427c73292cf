import type { GuardedNode } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import { FIRST_LESS } from './guard-steps.ts';
import { walkModel } from './walk.ts';

/** Operators that are an If, or become one when they are guarded. */
const CHOICES: ReadonlySet<string> = new Set(['If', 'TopK']);

/**
 * Keeps the runtime from inlining an If into a graph that it inlines as well. The runtime inlines each If whose
 * condition is constant, inner ones first. ONNX Runtime 1.30 loses an If that is moved twice in this way, and then uses
 * memory that it has freed. So an If that contains others and is itself in a branch, a body or a function gets a
 * condition that the runtime cannot compute at load time. An If in the main graph is inlined as before.
 * Source: `Graph::InlineIfSubgraph`; overwriting freed memory (`MALLOC_PERTURB_`) makes the crash certain.
 */
export const isInlinedOnce: Rule = (node) => {
  if (node.isInMainGraph || !holdsChoice(node)) return;
  if (node.opset < FIRST_LESS)
    return node.refuse('contains another one, which cannot be guarded against in an operator set this old');
  node.replace(0, node.hide(node.input(0), node.opset));
};

/** Whether the graphs of a node contain an If, or call a function that may contain one. */
function holdsChoice({ source, field, functions }: GuardedNode): boolean {
  const root = { kind: 'node', field, parent: undefined } as const;
  for (const { operator, parent } of walkModel(source, root)) {
    if (parent && (CHOICES.has(operator) || functions.has(operator))) return true;
  }
  return false;
}
