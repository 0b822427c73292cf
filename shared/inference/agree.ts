import type { NamedTensors } from '../runtime/session.ts';
import { isFloatType } from '../tensor/datatype.ts';
import { type Tensor, toNumbers } from '../tensor/tensor.ts';
import type { InferenceOutput } from './output.ts';

/** Numbers agree if they differ by at most this share of the larger one, or by this number itself near 0. */
const TOLERANCE = 0.01;
const NEAR_ZERO = 1e-6;

/**
 * Whether two versions agree on a request: equal labels and texts, and numbers within 1 %. Where there are labels, their
 * scores do not count.
 */
export function agree(
  given: readonly (InferenceOutput | NamedTensors)[],
  own: readonly (InferenceOutput | NamedTensors)[],
): boolean {
  return areAlike(given.map(decisionOf), own.map(decisionOf));
}

/** What people would act on: plain values, lists and objects. */
function decisionOf(output: InferenceOutput | NamedTensors): unknown {
  if (!('kind' in output)) return decisionOfTensors(output);
  switch (output.kind) {
    case 'classification':
      return output.predictions.map(({ label }) => String(label));
    case 'embedding':
      return output.predictions.map(valuesOf);
    case 'tensors':
      return decisionOfTensors(output.tensors);
    case 'rows': {
      const labels = output.labels === undefined ? undefined : output.tensors.get(output.labels);
      return labels ? valuesOf(labels) : decisionOfTensors(output.tensors);
    }
    default:
      return output.predictions;
  }
}

/** Outputs of whole numbers and texts are labels; other outputs count if there are none. */
function decisionOfTensors(tensors: NamedTensors): unknown {
  const all = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const labels = all.filter(([, { datatype }]) => !isFloatType(datatype));
  return (labels.length > 0 ? labels : all).map(([name, tensor]) => [name, valuesOf(tensor)]);
}

function valuesOf(tensor: Tensor): unknown {
  const { shape, data, datatype } = tensor;
  const values = isFloatType(datatype) ? toNumbers(tensor) : Array.from<unknown, string>(data, String);
  return [shape.map(String), values];
}

function areAlike(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = Math.abs(a - b);
    return (
      Object.is(a, b) ||
      a === b ||
      difference <= Math.max(NEAR_ZERO, TOLERANCE * Math.max(Math.abs(a), Math.abs(b)))
    );
  }
  if (isList(a) && isList(b)) {
    if (a.length !== b.length) return false;
    for (let index = 0; index < a.length; index++) if (!areAlike(a[index], b[index])) return false;
    return true;
  }
  if (isRecord(a) && isRecord(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && areAlike(a[name], b[name]))
    );
  }
  return a === b;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !isList(value);
}
