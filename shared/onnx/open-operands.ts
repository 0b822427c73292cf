import { ELEMENT_TYPES, TENSOR } from './fields.ts';
import { readName, readNode } from './nodes.ts';
import { type ByteSource, readFields } from './protobuf.ts';
import { isMainGraph, type Message } from './walk.ts';

/** No division of such numbers ends the process. */
const SAFE_TYPES: ReadonlySet<number | undefined> = new Set([ELEMENT_TYPES.float32, ELEMENT_TYPES.float64]);

const DIVISIONS: ReadonlySet<string> = new Set(['Div', 'Mod']);

/**
 * Whether nodes of operators with the usual guards need none, as each has at most one operand that is not a weight, and
 * divides only float numbers. Its output is then as large as that operand, or a product of it with weights. Linear
 * models and networks of layers in a row are like this: the code for guards is not loaded for them.
 * test/shared/onnx/open-operands.test.ts compares this with that code.
 *
 * @param nodes the nodes with guards; one in a function can get any operands
 * @param weights the initializers of the graph
 */
export function haveOneOpenOperand(
  source: ByteSource,
  nodes: readonly Message[],
  weights: readonly Message[],
): boolean {
  const tensors = new Map(weights.map(({ field }) => [readName(source, field, TENSOR.name), field]));
  return nodes.every(({ field, operator, parent }) => {
    if (!parent || !isMainGraph(parent)) return false;
    const inputs = readNode(source, field).inputs.filter((name) => name !== '');
    const known = inputs.flatMap((name) => tensors.get(name) ?? []);
    if (inputs.length - known.length > 1) return false;
    return !DIVISIONS.has(operator) || known.some((tensor) => SAFE_TYPES.has(readType(source, tensor)));
  });
}

function readType(source: ByteSource, { start, end }: Message['field']): number | undefined {
  const [type] = readFields(source, start, end, (number) => number === TENSOR.type);
  return type?.value;
}
