import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { isImageText } from '../../values/image-value.ts';
import type { FieldValue, InputKind } from '../../values/input.ts';
import { kindOfValues } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { holdsJson, unsupportedBody } from '../body/json-body.ts';
import { holdsImages, readImages } from '../body/media.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';
import { type ParameterName, parametersRequest, type TaskParameters, taskRequest } from './schemas.ts';

/** What a request brings: files, or JSON under one of the names that clients give it. */
export type TaskInputs =
  | { readonly form: 'files'; readonly files: readonly FieldValue<Uint8Array>[] }
  /** Columns: as `table` from Python's client, as `data` within `inputs` from the one of JavaScript. */
  | { readonly form: 'table' | 'data'; readonly value: JsonObject; readonly field: string }
  | { readonly form: 'inputs'; readonly value: JsonValue; readonly field: string };

export interface TaskRequest {
  readonly inputs: TaskInputs;
  readonly parameters: JsonObject;
  /** All of the body: some tasks have their parameters beside `inputs`. */
  readonly body: JsonObject;
}

/** @throws InferenceError when the body is neither an image nor JSON with inputs */
export async function readTaskRequest(invocation: Invocation, limits: Limits): Promise<Reading<TaskRequest>> {
  const files = readFiles(invocation, limits);
  return files ? readingOf(files) : invocation.read(parseTaskRequest);
}

/**
 * The files of a request; undefined when it is JSON.
 *
 * @throws InferenceError when it is neither
 */
function readFiles(invocation: Invocation, limits: Limits): TaskRequest | undefined {
  if (holdsImages(invocation)) {
    return {
      inputs: { form: 'files', files: readImages(invocation, limits) },
      parameters: {},
      body: {},
    };
  }
  if (holdsJson(invocation)) return undefined;
  throw unsupportedBody(invocation.mediaType, 'application/json and images');
}

/** @throws InferenceError when JSON holds no inputs */
function parseTaskRequest(json: JsonValue): TaskRequest {
  const { inputs, table, parameters } = parseEnvelope(taskRequest(), json);
  if (inputs !== undefined && table !== undefined) {
    throw invalid('The request', 'has "inputs" and "table"; expected only one of them.');
  }
  if (inputs === undefined && table === undefined) {
    throw invalid('The request', `is ${describeJson(json)}; expected "inputs".`);
  }
  return {
    inputs: inputsOf(inputs ?? null, table),
    parameters: parameters ?? {},
    body: isJsonObject(json) ? json : {},
  };
}

function inputsOf(inputs: JsonValue, table: JsonObject | undefined): TaskInputs {
  if (table !== undefined) return { form: 'table', value: table, field: 'table' };
  if (isJsonObject(inputs) && isJsonObject(inputs.data)) {
    return { form: 'data', value: inputs.data, field: 'inputs.data' };
  }
  return { form: 'inputs', value: inputs, field: 'inputs' };
}

/** What kind of model a request is for when it names none. */
export function kindOfInputs(inputs: TaskInputs): InputKind {
  switch (inputs.form) {
    case 'files':
      return 'image';
    case 'table':
    case 'data':
      return 'features';
    case 'inputs': {
      const [first] = Array.isArray(inputs.value) ? inputs.value : [inputs.value];
      return typeof first === 'string' && !isImageText(first) ? 'text' : kindOfValues(first);
    }
  }
}

/**
 * The parameters of a request: those of its body, or else those of its query string. Under `parameters` there must be
 * none that the task does not know; beside it, and in a query string, other names are none of its business.
 *
 * @throws InferenceError naming the parameter and what is expected
 */
export function readParameters(
  { parameters: given, body }: TaskRequest,
  query: URLSearchParams,
  task: string,
  known: readonly ParameterName[],
): TaskParameters {
  const isKnown = ([name]: readonly [string, unknown]) => known.some((other) => other === name);
  const unknown = Object.entries(given).find((entry) => entry[1] !== null && !isKnown(entry));
  if (unknown) {
    const shown = JSON.stringify(unknown[0].slice(0, 60));
    throw invalid(
      'Field "parameters"',
      `has ${shown}; the parameters of ${task} are: ${known.join(', ') || 'none'}.`,
    );
  }
  const ofBody = [...Object.entries(body), ...Object.entries(given)].filter(isKnown);
  const ofQuery = [...query].filter(isKnown).map(readQueryParameter);
  const parameters = Object.fromEntries(ofBody.length > 0 ? ofBody : ofQuery);
  return parseEnvelope(parametersRequest(), { parameters }).parameters;
}

function readQueryParameter([name, text]: [string, string]): [string, JsonValue] {
  if (/^-?\d+$/.test(text)) return [name, Number(text)];
  return [name, text === 'true' || text === 'false' ? text === 'true' : text];
}
