import { ModelError } from '../models/model-config.ts';
import type { Graph } from '../onnx/graph.ts';
import type { ValueInfo } from '../onnx/value-info.ts';
import { datatypeOfOnnxCode } from '../tensor/datatype.ts';

/** Newest operator set of the default domain that ONNX Runtime 1.30 takes. */
const NEWEST_OPSET = 26;

/** The runtime's Node binding gives outputs as members of an object, which loses one of this name. */
const LOST_NAME = '__proto__';

/** Element types of ONNX 1.20 that the runtime's Node binding cannot carry, by their numbers in the standard. */
const ELEMENT_TYPES: ReadonlyMap<number, string> = new Map([
  [14, 'complex64'],
  [15, 'complex128'],
  [16, 'bfloat16'],
  [17, 'float8e4m3fn'],
  [18, 'float8e4m3fnuz'],
  [19, 'float8e5m2'],
  [20, 'float8e5m2fnuz'],
  [21, 'uint4'],
  [22, 'int4'],
  [23, 'float4e2m1'],
  [24, 'float8e8m0'],
  [25, 'uint2'],
  [26, 'int2'],
]);

/**
 * Refuses a graph by what its file says, before the runtime sees it: some of these would abort the whole process,
 * the others would get a message without the name of the tensor.
 *
 * @throws ModelError naming the tensor and its type, the operator, or the operator set
 */
export function checkGraph(graph: Graph): void {
  for (const [role, values] of [
    ['input', graph.inputs],
    ['output', graph.outputs],
  ] as const) {
    for (const value of values) checkValue(role, value);
  }
  if (graph.outputs.some(({ name }) => name === LOST_NAME)) {
    throw new ModelError(`an output has the name ${LOST_NAME}, which cannot be served`);
  }
  const [refusal] = graph.guards.refusals;
  if (refusal !== undefined) throw new ModelError(refusal);
  const opset = graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 0;
  if (opset > NEWEST_OPSET) {
    throw new ModelError(
      `its operator set ${opset} is newer than the runtime, which takes up to ${NEWEST_OPSET}`,
    );
  }
}

function checkValue(role: string, { name, kind, elementType }: ValueInfo): void {
  if (kind !== 'tensor' || elementType === undefined || elementType === 0) return;
  if (datatypeOfOnnxCode(elementType) !== undefined) return;
  const type = ELEMENT_TYPES.get(elementType) ?? `number ${elementType}`;
  throw new ModelError(`${role} "${name}" has the type ${type}, which cannot be served`);
}
