import { ModelError } from '../models/model-config.ts';
import type { Graph } from '../onnx/graph.ts';
import { NEWEST_IR_VERSION, type Novelty } from '../onnx/ir-version.ts';
import { ML_DOMAIN } from '../onnx/nodes.ts';
import type { ValueInfo } from '../onnx/value-info.ts';
import { datatypeOfOnnxCode, nameUnservedType } from '../tensor/datatype.ts';

/** Newest operator sets that ONNX Runtime 1.30 accepts. */
const NEWEST_OPSETS = [
  ['', 26],
  ['ai.onnx', 26],
  [ML_DOMAIN, 5],
] as const;

/** The runtime's Node binding returns outputs as members of an object, which loses one with this name. */
const LOST_NAME = '__proto__';

/**
 * Refuses unsupported graphs before the runtime loads them: some would abort the whole process, others would get a
 * message without the name of the tensor.
 *
 * @throws ModelError with the tensor and its type, the operator, the operator set, or the part of a newer file format
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
  checkOpsets(graph.opsets);
  if (graph.novelty) {
    throw new ModelError(
      `its IR version ${graph.irVersion} is too new for the runtime, which supports up to ${NEWEST_IR_VERSION}: ${describeNovelty(graph.novelty)}`,
    );
  }
  if (graph.irVersion === undefined) throw new ModelError('its file does not say its IR version');
}

function checkOpsets(opsets: ReadonlyMap<string, number>): void {
  for (const [domain, newest] of NEWEST_OPSETS) {
    const opset = opsets.get(domain) ?? 0;
    if (opset <= newest) continue;
    const name = domain === ML_DOMAIN ? `${opset} of ${ML_DOMAIN}` : opset;
    throw new ModelError(
      `its operator set ${name} is too new for the runtime, which supports up to ${newest}`,
    );
  }
}

function describeNovelty(novelty: Novelty): string {
  const { kind, number } = novelty;
  if (kind === 'datatype') return `it has the type ${nameUnservedType(number)}`;
  return `its ${novelty.message} has the unknown field ${number}`;
}

function checkValue(role: string, { name, kind, elementType }: ValueInfo): void {
  if (kind !== 'tensor' || elementType === undefined || elementType === 0) return;
  if (datatypeOfOnnxCode(elementType) !== undefined) return;
  throw new ModelError(
    `${role} "${name}" has the type ${nameUnservedType(elementType)}, which cannot be served`,
  );
}
