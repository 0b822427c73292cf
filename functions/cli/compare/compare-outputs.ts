import type { InferenceOutput } from '../../../shared/inference/output.ts';
import { isJsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { parseJson } from '../../../shared/json/parse-json.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { toNumbers } from '../../../shared/tensor/tensor.ts';
import type { InferenceInput } from '../../../shared/values/input.ts';
import { JSON_DEPTH } from '../words.ts';

/** How the answers of two models to one row differ. */
export interface Difference {
  /** The label that each model gives; undefined for answers that are not labels. */
  readonly labels: readonly [string, string] | undefined;
  /**
   * Largest absolute difference of a score, number or element. Infinite if one value is not finite and the other is
   * different, or if the shapes differ.
   */
  readonly difference: number;
}

/** Compares the answers of two models to the same row, by label, name and position. */
export function compareOutputs(a: InferenceOutput, b: InferenceOutput): Difference {
  const [left, right] = [contentOf(a), contentOf(withLabelsOf(a, b))];
  let difference = 0;
  for (const key of new Set([...left.values.keys(), ...right.values.keys()])) {
    difference = Math.max(difference, distance(left.values.get(key), right.values.get(key)));
  }
  return {
    labels:
      left.label === undefined && right.label === undefined
        ? undefined
        : [left.label ?? '', right.label ?? ''],
    difference,
  };
}

/** Classes are matched by position if there are as many and no label is in both models, as with numbers and names. */
function withLabelsOf(a: InferenceOutput, b: InferenceOutput): InferenceOutput {
  if (a.kind !== 'classification' || b.kind !== 'classification') return b;
  const { labels } = a;
  if (labels.length !== b.labels.length || b.labels.some((label) => labels.includes(label))) return b;
  const predictions = b.predictions.map((each) => ({ ...each, label: labels[each.classId] ?? each.label }));
  return { ...b, labels, predictions };
}

/** Infinite if only one of them has the value. NaN equals NaN. */
function distance(a: number | undefined, b: number | undefined): number {
  if (Object.is(a, b) || a === b) return 0;
  const distance = Math.abs((a ?? Number.NaN) - (b ?? Number.NaN));
  return Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance;
}

interface Content {
  readonly label?: string;
  readonly values: ReadonlyMap<string, number>;
}

function contentOf(output: InferenceOutput): Content {
  switch (output.kind) {
    case 'classification': {
      const [prediction] = output.predictions;
      const scores = Array.from(prediction?.scores ?? []);
      return {
        label: String(prediction?.label),
        values: new Map(scores.map((score, index) => [String(output.labels[index] ?? index), score])),
      };
    }
    case 'regression':
      return { values: numbered([output.predictions[0] ?? []].flat()) };
    case 'embedding':
      return { values: numbered(output.predictions[0] ? toNumbers(output.predictions[0]) : []) };
    case 'rows':
    case 'tensors':
      return contentOfTensors(output.tensors);
    case 'values':
      return contentOfJson(parseJson(Buffer.from(writeJson(output.predictions[0] ?? null)), JSON_DEPTH));
  }
}

/** The numbers of a value by their positions in it; everything else is compared like a label. */
function contentOfJson(value: JsonValue): Content {
  const values = new Map<string, number>();
  const visit = (item: JsonValue, place: string): JsonValue => {
    if (Array.isArray(item)) return item.map((each, index) => visit(each, `${place}[${index}]`));
    if (isJsonObject(item)) {
      return Object.fromEntries(
        Object.entries(item).map(([name, each]) => [name, visit(each, `${place}.${name}`)]),
      );
    }
    if (typeof item !== 'number') return item;
    values.set(place, item);
    return 0;
  };
  return { label: JSON.stringify(visit(value, '')), values };
}

type Tensors = Extract<InferenceOutput, { readonly kind: 'tensors' }>['tensors'];

/**
 * A single output is compared under any name, because exporters name it differently. Texts are compared like labels.
 */
function contentOfTensors(tensors: Tensors): Content {
  const values = new Map<string, number>();
  const texts: string[] = [];
  for (const [name, tensor] of tensors) {
    const title = tensors.size === 1 ? '' : name;
    if (Array.isArray(tensor.data)) texts.push(`${title}${JSON.stringify(tensor.data)}`);
    else for (const [key, value] of numbered(toNumbers(tensor))) values.set(`${title}[${key}]`, value);
  }
  return { values, ...(texts.length > 0 && { label: texts.join(' ') }) };
}

function numbered(values: Iterable<number>): Map<string, number> {
  return new Map(Array.from(values, (value, index) => [String(index), value]));
}

/**
 * Renames tensors from the inputs of one model to those of another one with the same number of inputs. Unknown names
 * are matched by position, because two exports of a model seldom name their inputs alike.
 */
export function renameInputs(
  input: InferenceInput,
  own: readonly string[],
  other: readonly string[],
): InferenceInput {
  if (input.kind !== 'tensors' || own.length !== other.length) return input;
  const { value, field } = input.tensors;
  if (!isJsonObject(value) || Object.keys(value).some((name) => !other.includes(name))) return input;
  const named = Object.entries(value).map(([name, tensor]) => [
    own.includes(name) ? name : (own[other.indexOf(name)] ?? name),
    tensor,
  ]);
  return { kind: 'tensors', tensors: { value: Object.fromEntries(named), field } };
}
