import { randomUUID } from 'node:crypto';
import { encodeText } from './encode-node.ts';
import { emptyLstm } from './guard-lstm.ts';
import {
  type GuardedNode,
  guardNode,
  isGiven,
  readNames,
  refuseEmpty,
  type Substitute,
} from './guard-node.ts';
import { emptyTopK } from './guard-topk.ts';
import { editNodes, type RewriteNode, type Rewriting } from './rewrite-model.ts';

/**
 * Operators whose kernels in ONNX Runtime 1.30 end the process when their first input has no elements, with what they
 * have to give then. Any client can send such an input, and graphs that filter rows make them of their own accord.
 * `undefined` leaves a node alone that the runtime refuses to load anyway.
 */
const GUARDS: ReadonlyMap<string, (node: GuardedNode) => Substitute | undefined> = new Map([
  // It divides by the number of rows: SIGFPE.
  ['TopK', emptyTopK],
  // They abort where there are no sequences, GRU also where there are no steps: SIGABRT.
  ['LSTM', emptyLstm],
  ['GRU', refuseEmpty],
]);

/** Whether a model has an operator that needs a guard. */
export function needsGuards(operators: ReadonlySet<string>): boolean {
  return [...GUARDS.keys()].some((operator) => operators.has(operator));
}

/**
 * Puts each operator that ends the process on an empty input into an If that runs it for other inputs alone:
 * `If(Size(x) != 0) { the node as it is } else { what it has to give }`.
 */
export const guardOperators: Rewriting = (source) => {
  const prefix = `guard ${randomUUID()} `;
  let names = 0;
  const newName = () => encodeText(`${prefix}${names++}`);
  const rewrites = [...GUARDS].map(([operator, substitute]): [string, RewriteNode] => [
    operator,
    (placed) => {
      const node = { ...placed, ...readNames(source, placed), source, newName };
      const instead = node.inputs[0] && node.outputs.some(isGiven) ? substitute(node) : undefined;
      return instead && guardNode(node, instead);
    },
  ]);
  return editNodes(source, new Map(rewrites));
};
