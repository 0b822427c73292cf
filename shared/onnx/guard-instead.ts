import { encodeNode, graphAttribute, integerAttribute, type Name, tensorAttribute } from './encode-node.ts';
import { ELEMENT_TYPES } from './fields.ts';
import type { GuardedNode, Substitute } from './guard-node.ts';
import { encodeInt64s, FIRST_CAST, FIRST_LESS, isGiven, NO_NAME, Steps } from './guard-steps.ts';

/** Runs a node only for inputs with elements, and something else for inputs without. */
export function runForElements(node: GuardedNode, instead: Substitute): readonly Uint8Array[] {
  const [input = NO_NAME] = node.inputs;
  const [size, hasElements] = [node.newName(), node.newName()];
  const steps = new Steps(node.newName);
  // The reason is in guard-choices.ts.
  const isHidden = !node.isInMainGraph && node.opset >= FIRST_LESS;
  const condition = isHidden ? steps.hide(hasElements, node.opset) : hasElements;
  return [
    encodeNode('Size', [input], [size]),
    ...convertToBoolean(node, size, hasElements),
    ...steps.nodes,
    encodeChoice(condition, node.repeat(), instead, node.outputs),
  ];
}

/** An If with the outputs of one of two branches, without those that the guarded node omits. */
export function encodeChoice(
  condition: Name,
  whenTrue: Substitute,
  whenFalse: Substitute,
  outputs: readonly Name[],
): Uint8Array {
  const given = outputs.flatMap((name, index) => (isGiven(name) ? [index] : []));
  const pick = (names: readonly Name[]) => given.flatMap((index) => names[index] ?? []);
  return encodeNode('If', [condition], pick(outputs), [
    graphAttribute('then_branch', { nodes: whenTrue.nodes, outputs: pick(whenTrue.outputs) }),
    graphAttribute('else_branch', { nodes: whenFalse.nodes, outputs: pick(whenFalse.outputs) }),
  ]);
}

/**
 * What to run if the node's result is undefined: the runtime refuses the request before it reaches the operator, as an
 * index is out of range.
 */
export function refuseEmpty(node: GuardedNode): Substitute {
  const [input = NO_NAME] = node.inputs;
  const [far, refused] = [node.newName(), node.newName()];
  const repeated = node.repeat(refused);
  const nodes = [
    encodeInt64s(far, [FAR_INDEX]),
    encodeNode('Gather', [input, far], [refused], [integerAttribute('axis', 0)]),
    ...repeated.nodes,
  ];
  return { nodes, outputs: repeated.outputs };
}

/** Longer than any axis of a tensor in memory. */
const FAR_INDEX = 2 ** 60;

/**
 * Whether a number is not 0. In older operator sets the runtime has no Cast, so this is a Loop of one iteration or
 * none.
 */
function convertToBoolean(node: GuardedNode, size: Name, result: Name): Uint8Array[] {
  const { opset, newName } = node;
  // The runtime never computes a Loop at load time, so its result is never constant.
  if (opset >= (node.isInMainGraph ? FIRST_CAST : FIRST_LESS)) {
    return [encodeNode('Cast', [size], [result], [integerAttribute('to', ELEMENT_TYPES.boolean)])];
  }
  const [start, turn, goesOn, before] = [newName(), newName(), newName(), newName()];
  const [yes, no] = [newName(), newName()];
  const body = graphAttribute('body', {
    nodes: [encodeBoolean(yes, true), encodeBoolean(no, false)],
    inputs: [
      [turn, ELEMENT_TYPES.int64],
      [goesOn, ELEMENT_TYPES.boolean],
      [before, ELEMENT_TYPES.boolean],
    ],
    outputs: [no, yes],
  });
  return [encodeBoolean(start, false), encodeNode('Loop', [size, NO_NAME, start], [result], [body])];
}

function encodeBoolean(name: Name, value: boolean): Uint8Array {
  const elements = Uint8Array.of(value ? 1 : 0);
  return encodeNode('Constant', [], [name], [tensorAttribute('value', ELEMENT_TYPES.boolean, [], elements)]);
}
