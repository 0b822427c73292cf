import {
  encodeNode,
  integerAttribute,
  integersAttribute,
  type Name,
  referenceAttribute,
} from './encode-node.ts';
import { ATTRIBUTE, ELEMENT_TYPES } from './fields.ts';
import { encodeChoice, refuseEmpty } from './guard-instead.ts';
import type { GuardedNode, Substitute } from './guard-node.ts';
import { encodeInt64s, FIRST_CAST, isGiven, NO_NAME } from './guard-steps.ts';
import { findAttribute, readNumber } from './node-attributes.ts';
import { readName } from './nodes.ts';

/** k is an input from this version on; before, it is an attribute. */
const FIRST_INPUT_K = 10;
/** From this version on, a Constant can take a number from an attribute that the caller of a function sets. */
const FIRST_INTEGER_CONSTANT = 12;

/**
 * The outputs of TopK for a tensor without elements: the same tensor with size k on the axis, as values and as int64.
 * If k is negative or exceeds the size of the axis, the request is refused, as for other tensors. TopK itself cannot
 * check this: it reads 2^32 + 1 as 1.
 * Source: TopK 1, 10, 11 and 24 in the ONNX operator list.
 */
export function emptyTopK(node: GuardedNode): Substitute | undefined {
  const { inputs, outputs, opset } = node;
  const isWhole = outputs.length === 2 && outputs.every(isGiven) && inputs.every(isGiven);
  if (!isWhole || inputs.length !== (opset < FIRST_INPUT_K ? 1 : 2)) return undefined;
  return opset < FIRST_INPUT_K ? emptyByAttribute(node) : emptyByInput(node);
}

function emptyByInput(node: GuardedNode): Substitute {
  const { newName } = node;
  const [input = NO_NAME, k = NO_NAME] = node.inputs;
  const axis = encodeAxis(node);
  if (!axis) return refuseEmpty(node);
  const [first, part, sizes, size, fits] = [newName(), newName(), newName(), newName(), newName()];
  const [values, indices, sameValues, asIndices] = [newName(), newName(), newName(), newName()];
  const fitting = {
    nodes: [encodeNode('Identity', [part], [sameValues]), encodeIndices(part, asIndices)],
    outputs: [sameValues, asIndices],
  };
  const nodes = [
    ...axis.nodes,
    encodeInt64s(first, [0]),
    encodeNode('Slice', [input, first, k, axis.name], [part]),
    encodeNode('Shape', [part], [sizes]),
    encodeNode('Gather', [sizes, axis.name], [size], [integerAttribute('axis', 0)]),
    encodeNode('Equal', [size, k], [fits]),
    encodeChoice(fits, fitting, refuseEmpty(node), [values, indices]),
  ];
  return { nodes, outputs: [values, indices] };
}

/** The first k - 1 elements of the axis and the next one, which must exist. */
function emptyByAttribute(node: GuardedNode): Substitute | undefined {
  const { newName, opset } = node;
  const [input = NO_NAME] = node.inputs;
  const axis = readNumber(node, 'axis', -1);
  const k = readNumber(node, 'k', 0);
  if (opset < FIRST_CAST || axis === undefined || k === undefined) return refuseEmpty(node);
  // The runtime does not load it.
  if (k < 1) return undefined;
  const [start, place, last, values, indices] = [newName(), newName(), newName(), newName(), newName()];
  const nodes = [
    encodeNode(
      'Slice',
      [input],
      [start],
      [
        integersAttribute('starts', [0]),
        integersAttribute('ends', [k - 1]),
        integersAttribute('axes', [axis]),
      ],
    ),
    encodeInt64s(place, [k - 1]),
    encodeNode('Gather', [input, place], [last], [integerAttribute('axis', axis)]),
    encodeNode('Concat', [start, last], [values], [integerAttribute('axis', axis)]),
    encodeIndices(values, indices),
  ];
  return { nodes, outputs: [values, indices] };
}

function encodeIndices(values: Name, indices: Name): Uint8Array {
  return encodeNode('Cast', [values], [indices], [integerAttribute('to', ELEMENT_TYPES.int64)]);
}

/** The axis as a list of one number; undefined if the caller of the function may leave it open. */
function encodeAxis(
  node: GuardedNode,
): { readonly nodes: readonly Uint8Array[]; readonly name: Name } | undefined {
  const { source, opset, defaults, newName } = node;
  const axis = readNumber(node, 'axis', -1);
  const name = newName();
  if (axis !== undefined) return { nodes: [encodeInt64s(name, [axis])], name };
  const attribute = findAttribute(node, 'axis');
  const reference = attribute ? readName(source, attribute, ATTRIBUTE.reference) : '';
  if (opset < FIRST_INTEGER_CONSTANT || !defaults.has(reference)) return undefined;
  const [given, shape] = [newName(), newName()];
  const nodes = [
    encodeNode('Constant', [], [given], [referenceAttribute('value_int', reference)]),
    encodeInt64s(shape, [1]),
    encodeNode('Reshape', [given, shape], [name]),
  ];
  return { nodes, name };
}
