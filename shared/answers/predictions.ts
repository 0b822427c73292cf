import { invalid } from '../errors.ts';
import type { InferenceOutput } from '../inference/output.ts';
import { isTableForm, tableTensors } from '../inference/table-form.ts';
import type { WritableJson } from '../json/write-json.ts';
import type { AnswerForm } from '../models/answer-forms.ts';
import type { NamedTensors } from '../runtime/session.ts';
import { type ElementStyle, writeRows, writeTensor } from '../tensor/write-tensor.ts';

/**
 * The prediction of a task for each instance: its label, its numbers, or its vectors.
 *
 * @param form the form of answers for a table, if it is not the usual one
 */
export function encodePredictions(
  output: InferenceOutput,
  style: ElementStyle,
  form: AnswerForm = 'objects',
): readonly WritableJson[] {
  if (isTableForm(form)) return encodeRows(tableTensors(output, form, 'prediction'), style);
  switch (output.kind) {
    case 'classification':
      return output.predictions.map(({ label }) => label);
    case 'regression':
      return output.predictions;
    case 'rows':
      return encodeRows(tableTensors(output, 'labels', 'prediction'), style);
    case 'embedding':
      return output.predictions.map((tensor) => writeTensor(tensor, style));
    case 'tensors':
      return encodeRows(output.tensors, style);
    case 'values':
      return output.predictions;
  }
}

/**
 * Outputs one instance after the other: the value of the only output, or an object of all of them.
 * Source: row format of TensorFlow Serving.
 *
 * @throws InferenceError when an output has no axis of instances
 */
export function encodeRows(outputs: NamedTensors, style: ElementStyle): readonly WritableJson[] {
  const [only, ...others] = outputs;
  if (!only || others.length > 0) return encodeNamedRows(outputs, style);
  countRows(outputs);
  return writeRows(only[1], styleOf(only[0], style));
}

/**
 * Outputs one instance after the other, each an object of all of them.
 *
 * @throws InferenceError when an output has no axis of instances
 */
export function encodeNamedRows(outputs: NamedTensors, style: ElementStyle): readonly WritableJson[] {
  const rows = countRows(outputs);
  const written = [...outputs].map(([name, tensor]) => ({
    name,
    items: writeRows(tensor, styleOf(name, style)),
  }));
  return Array.from(
    { length: rows },
    (_, row): WritableJson => new Map(written.map(({ name, items }) => [name, items[row]])),
  );
}

/**
 * Whole outputs: the value of the only one, or an object of all of them. Source: column format of TensorFlow Serving.
 */
export function encodeColumns(outputs: NamedTensors, style: ElementStyle): WritableJson {
  const [only, ...others] = outputs;
  if (only && others.length === 0) return writeTensor(only[1], styleOf(only[0], style));
  return encodeNamedColumns(outputs, style);
}

/** Whole outputs as an object of all of them. */
export function encodeNamedColumns(outputs: NamedTensors, style: ElementStyle): WritableJson {
  return new Map([...outputs].map(([name, tensor]) => [name, writeTensor(tensor, styleOf(name, style))]));
}

function countRows(outputs: NamedTensors): number {
  const [first] = outputs.values();
  const rows = first?.shape[0];
  for (const [name, { shape }] of outputs) {
    if (shape[0] === undefined || shape[0] !== rows) {
      throw invalid(
        `Output "${name}"`,
        `has the shape [${shape}], whose first axis is not the batch; send "inputs" instead of "instances".`,
      );
    }
  }
  return rows ?? 0;
}

/** For TensorFlow Serving, texts of an output with such a name are bytes. */
function styleOf(name: string, style: ElementStyle): ElementStyle {
  return name.endsWith('_bytes') ? { ...style, isBase64: true } : style;
}
