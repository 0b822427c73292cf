import { encodeNode, encodeText, integerAttribute } from './encode-node.ts';
import {
  convertToBoolean,
  encodeChoice,
  encodeInt64s,
  findAttribute,
  type GuardedNode,
  isGiven,
  readNumber,
  refuseEmpty,
  repeatNode,
  type Substitute,
} from './guard-node.ts';

/**
 * LSTM ends the process where there are no sequences, which is refused; sequences without steps are fine.
 * Source: LSTM in the ONNX operator list (X is [steps, sequences, width], or [sequences, steps, width] with layout 1).
 */
export function emptyLstm(node: GuardedNode): Substitute {
  const [input = encodeText('')] = node.inputs;
  const layout = readNumber(node.source, findAttribute(node, 'layout'), 0);
  if (layout === undefined) return refuseEmpty(node);
  const { newName } = node;
  const [sizes, axis, count, hasSequences] = [newName(), newName(), newName(), newName()];
  const outputs = node.outputs.map((name) => (isGiven(name) ? newName() : name));
  const nodes = [
    encodeNode('Shape', [input], [sizes]),
    encodeInt64s(axis, [layout === 1 ? 0 : 1]),
    encodeNode('Gather', [sizes, axis], [count], [integerAttribute('axis', 0)]),
    ...convertToBoolean(node, count, hasSequences),
    encodeChoice(hasSequences, repeatNode(node), refuseEmpty(node), outputs),
  ];
  return { nodes, outputs };
}
