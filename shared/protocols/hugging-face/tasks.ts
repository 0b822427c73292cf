import { encodeColumns, encodePredictions } from '../../answers/predictions.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { isTableForm } from '../../inference/table-form.ts';
import { isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { AnswerForm } from '../../models/answer-forms.ts';
import type { ScoreStep } from '../../processing/classification.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import type { ModelContract, TextInput } from '../../values/contract.ts';
import { decodeImageValue } from '../../values/image-value.ts';
import type { FieldValue, InferenceInput, InputKind } from '../../values/input.ts';
import { checkInstances, holdsColumns, takesJson } from '../../values/instances.ts';
import { tableOfColumns } from '../../values/table.ts';
import { rowsOfTable } from '../../values/table-rows.ts';
import { decodeTextValue } from '../../values/text-value.ts';
import type { TaskInputs } from './decode.ts';
import { labelScores } from './encode.ts';
import type { ParameterName, TaskParameters } from './schemas.ts';

/** The result of a request, and what else the encoders of answers need. */
export interface TaskAnswer {
  readonly output: InferenceOutput;
  readonly inputs: TaskInputs;
  readonly parameters: TaskParameters;
  /** How the config makes scores of the values of the graph. */
  readonly steps: readonly ScoreStep[];
  readonly style: ElementStyle;
  /** What the answer to a table contains. */
  readonly form: AnswerForm;
}

/** How requests and answers of one task are written. */
export interface TaskFormat {
  readonly parameters: readonly ParameterName[];
  readonly decode: (inputs: TaskInputs, contract: ModelContract, limits: Limits) => InferenceInput;
  readonly encode: (answer: TaskAnswer) => WritableJson;
}

/** How requests to a model and its answers look on Hugging Face: by its inputs and outputs, not by its task. */
export function formatOf({ kind, gives }: ModelContract): TaskFormat {
  const hasScores = gives === 'classification' && kind !== 'features';
  const hasOptions = gives === 'embedding' && kind === 'text';
  return {
    parameters: hasScores ? SCORE_PARAMETERS : hasOptions ? EMBEDDING_PARAMETERS : [],
    decode: DECODERS[kind],
    encode: hasScores ? encodeScores(kind) : encodeOutput,
  };
}

const SCORE_PARAMETERS: readonly ParameterName[] = ['top_k', 'function_to_apply'];
const EMBEDDING_PARAMETERS: readonly ParameterName[] = [
  'prompt_name',
  'normalize',
  'truncate',
  'truncation_direction',
  'dimensions',
  'encoding_format',
];

const DECODERS: Readonly<Record<InputKind, TaskFormat['decode']>> = {
  image: decodeImages,
  text: decodeTexts,
  features: decodeTable,
  tensors: (inputs) => ({ kind: 'tensors', tensors: expectJson(inputs, 'tensors') }),
};

/** The texts of a request with its options for their vectors. */
export function withOptions(input: InferenceInput, parameters: TaskParameters): InferenceInput {
  if (input.kind !== 'text') return input;
  const { prompt_name: prompt, truncation_direction: side, normalize, truncate, dimensions } = parameters;
  const cutSide = side && {
    value: /^l/i.test(side.value) ? ('left' as const) : ('right' as const),
    field: side.field,
  };
  return { ...input, options: { prompt, cutSide, normalize, truncate, dimensions } };
}

/** A list of labels for each text, also for a single text; a single image has only its list. */
function encodeScores(kind: InputKind): TaskFormat['encode'] {
  return ({ output, inputs, steps, parameters, style }) => {
    if (output.kind !== 'classification') throw new Error(`a task gave ${output.kind} instead of labels`);
    const { labels, predictions } = output;
    const lists = predictions.map((prediction) => labelScores(prediction, labels, steps, parameters, style));
    return kind === 'image' && !isSeveral(inputs) ? lists[0] : lists;
  };
}

/** The nesting that the Python and JavaScript clients take: both refuse others. */
function encodeOutput({ output, inputs, style, form }: TaskAnswer): WritableJson {
  if (output.kind === 'tensors') return encodeColumns(output.tensors, style);
  if (output.kind !== 'classification' || isTableForm(form)) return encodePredictions(output, style, form);
  return output.predictions.map(({ label, classId }) =>
    // The JavaScript client takes only numbers.
    inputs.form === 'data' && typeof label === 'string' ? classId : label,
  );
}

function decodeImages(
  inputs: TaskInputs,
  { imageInput = 'image' }: ModelContract,
  limits: Limits,
): InferenceInput {
  if (inputs.form === 'files') return { kind: 'image', images: inputs.files };
  const { value, field } = expectJson(inputs, 'an image in base64');
  const images = locateItems(value, field, limits);
  if (images.length === 0) throw invalid(`Field "${field}"`, 'is empty; expected at least one image.');
  return {
    kind: 'image',
    images: images.map((image) => ({
      value: decodeImageValue(image.value, imageInput, image.field),
      field: image.field,
    })),
  };
}

function decodeTexts(
  inputs: TaskInputs,
  { textInput = PLAIN_TEXTS }: ModelContract,
  limits: Limits,
): InferenceInput {
  const { value, field } = expectJson(inputs, 'a text, or a list of texts');
  const texts = locateItems(value, field, limits);
  if (texts.length === 0) throw invalid(`Field "${field}"`, 'is empty; expected at least one text.');
  return {
    kind: 'text',
    texts: texts.map((text) => ({
      value: decodeTextValue(text.value, textInput, text.field),
      field: text.field,
    })),
  };
}

/** The defaults for a task of texts. */
const PLAIN_TEXTS: TextInput = { name: 'text', isPrepared: true, takesPairs: false };

/** A table of columns, a list of rows, or one row. */
function decodeTable(inputs: TaskInputs, contract: ModelContract, limits: Limits): InferenceInput {
  const { value, field } = expectJson(inputs, 'a table, as {"data": {"<column>": [...]}}');
  const isInstance = takesJson(contract) && !holdsColumns(value);
  if (isInstance && !Array.isArray(value)) return { kind: 'features', rows: [{ value, field }] };
  if (!Array.isArray(value)) {
    return { kind: 'features', rows: rowsOfTable(tableOfColumns(value, field, true), contract, limits) };
  }
  const [first] = value;
  if (!Array.isArray(first) && !isJsonObject(first)) return { kind: 'features', rows: [{ value, field }] };
  return { kind: 'features', rows: locateItems(value, field, limits) };
}

/** The items of a list, or the value itself. They are counted before a place in the request is made for each. */
function locateItems(value: JsonValue, field: string, limits: Limits): FieldValue<JsonValue>[] {
  if (!Array.isArray(value)) return [{ value, field }];
  checkInstances(value.length, field, limits);
  return value.map((item, index) => ({ value: item, field: `${field}[${index}]` }));
}

function expectJson(inputs: TaskInputs, expected: string): FieldValue<JsonValue> {
  if (inputs.form !== 'files') return inputs;
  throw invalid('The request', `is an image; this model takes ${expected}.`);
}

/** Whether the request has several items: then the answer is a list. */
function isSeveral(inputs: TaskInputs): boolean {
  return inputs.form === 'files' ? inputs.files.length > 1 : Array.isArray(inputs.value);
}
