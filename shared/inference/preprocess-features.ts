import type { Budget } from '../budget.ts';
import { overLimit } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { ModelError } from '../models/model-config.ts';
import type { ColumnExample, ColumnExamples } from '../onnx/column-examples.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Session } from '../runtime/session.ts';
import { createTensor, type Tensor } from '../tensor/tensor.ts';
import type { Cell, Column } from '../values/cell.ts';
import { expectInput, type FieldValue, type InferenceInput } from '../values/input.ts';
import { columnAt, type Feature, parseRow, type RowFormat } from '../values/row.ts';
import { bindColumns, type ColumnBinding, type FeatureInput } from './bind-columns.ts';
import { EXAMPLE_TEXT, singleTexts } from './preprocess-strings.ts';
import { type Batch, fillBatch, type Preprocessor } from './task.ts';

/**
 * Prepares the inputs of a tabular model: a matrix of all columns, or an input for each column or group of columns, of
 * numbers or of strings.
 *
 * @throws ModelError when the graph takes no columns, or columns that differ from the config
 */
export function createFeaturePreprocessor(
  session: Session,
  features: readonly Feature[] | undefined,
  { columnExamples }: Pick<Graph, 'columnExamples'>,
): Preprocessor {
  const binding = bindColumns(session.inputs, features);
  const { format, inputs } = binding;
  const [first] = inputs;
  if (!first) throw new ModelError('a tabular model takes columns, but its graph has no inputs');
  const width = format.named?.length ?? format.width ?? 1;
  const learned = placeExamples(inputs, columnExamples);
  const example = Array.from({ length: width }, (_, index) =>
    exampleOf(format.named?.[index], columnAt(format.columns, index), learned[index]?.value),
  );
  return {
    features: format,
    counted: format.named && {
      named: format.named,
      columns: format.columns,
      inputs,
      learned,
      canDeviate:
        learned.some((column) => column?.categories) ||
        format.columns.some(({ allowsMissing }) => allowsMissing),
    },
    minLengths: new Map(inputs.map((input) => [input.spec.name, minLengthsOf(input, format.named ?? [])])),
    preprocess: (given, budget) => readRows(rowsOf(given, format.named), binding, budget),
    example: () => toBatch([example], binding, width),
    isOpen: format.named === undefined && format.width === undefined,
    exampleRequest: fillBatch(first.spec, 'features', example),
  };
}

function minLengthsOf({ places }: FeatureInput, features: readonly Feature[]): readonly number[] {
  const own = places ? places.map((place) => features[place]) : features;
  return own.map((feature) => feature?.minLength ?? 0);
}

/** For a model with the single feature `text`, a text is a row: both are written {"text": "..."}. */
function rowsOf(
  input: InferenceInput,
  features: readonly Feature[] | undefined,
): readonly FieldValue<JsonValue>[] {
  if (input.kind === 'text' && features?.length === 1 && features[0]?.name === 'text') {
    return singleTexts(input.texts).map(({ value, field }) => ({ value: [value], field }));
  }
  return expectInput(input, 'features').rows;
}

/** What the graph says about the columns of a row, by their positions. */
function placeExamples(
  inputs: readonly FeatureInput[],
  examples: ColumnExamples,
): readonly (ColumnExample | undefined)[] {
  const placed: (ColumnExample | undefined)[] = [];
  for (const { spec, places } of inputs) {
    for (const [index, value] of (examples.get(spec.name) ?? []).entries())
      placed[places?.[index] ?? index] = value;
  }
  return placed;
}

/**
 * One of a feature's values, or the middle of its range, as a whole number if possible. Without these, the example from
 * the graph.
 */
function exampleOf(
  feature: Feature | undefined,
  { type, integers, wideIntegers }: Column,
  learned: Cell | undefined,
): Cell {
  const [value] = feature?.values ?? [];
  if (value !== undefined) return value;
  if (type === 'string') return typeof learned === 'string' ? learned : EXAMPLE_TEXT;
  if (feature?.range === undefined && typeof learned === 'number') {
    return integers || wideIntegers ? Math.round(learned) : learned;
  }
  const [low, high] = feature?.range ?? [0, 0];
  return Math.min(high, Math.max(low, Math.round((low + high) / 2)));
}

function readRows(rows: readonly FieldValue<JsonValue>[], binding: ColumnBinding, budget: Budget): Batch {
  const { format } = binding;
  const { tensorElements } = budget.limits;
  const parsed: Cell[][] = [];
  let width = format.named?.length ?? format.width;
  let count = 0;
  for (const { value, field } of rows) {
    // If neither config nor graph say how wide a row is, the first row decides.
    const row = parseRow(value, field, { ...format, width } satisfies RowFormat);
    width ??= row.length;
    count += row.length;
    if (count > tensorElements) {
      throw overLimit(
        'The request',
        `has more than ${tensorElements} values, the limit (MAX_TENSOR_ELEMENTS).`,
      );
    }
    parsed.push(row);
  }
  return toBatch(parsed, binding, width ?? 0);
}

function toBatch(rows: readonly (readonly Cell[])[], { inputs }: ColumnBinding, rowWidth: number): Batch {
  const feeds = new Map(inputs.map((input) => [input.spec.name, toTensor(rows, input, rowWidth)]));
  return { rows: rows.length, feeds };
}

function toTensor(
  rows: readonly (readonly Cell[])[],
  { spec, places }: FeatureInput,
  rowWidth: number,
): Tensor {
  const width = places?.length ?? rowWidth;
  const shape = spec.shape.length === 1 ? [rows.length] : [rows.length, width];
  const { datatype } = spec;
  if (datatype === 'BYTES')
    return { datatype, shape, data: takeCells(rows, places, width, (cell) => String(cell ?? '')) };
  if (datatype === 'INT64' || datatype === 'UINT64') {
    const cells = takeCells(rows, places, width, (cell) => BigInt(cell ?? 0));
    return { datatype, shape, data: (datatype === 'INT64' ? BigInt64Array : BigUint64Array).from(cells) };
  }
  return createTensor(datatype, shape, takeCells(rows, places, width, Number));
}

/** The cells of an input, row by row. */
function takeCells<T>(
  rows: readonly (readonly Cell[])[],
  places: readonly number[] | undefined,
  width: number,
  convert: (cell: Cell | undefined) => T,
): T[] {
  const taken: T[] = [];
  for (const row of rows) {
    for (let index = 0; index < width; index++) taken.push(convert(row[places?.[index] ?? index]));
  }
  return taken;
}
