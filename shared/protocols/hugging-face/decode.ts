import * as z from 'zod/mini';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import type { FieldValue, InputKind } from '../../values/input.ts';
import { kindOfValues } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { holdsJson, unsupportedBody } from '../body/json-body.ts';
import { holdsImages, readImages } from '../body/media.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';
import { type ParameterName, type TaskParameters, taskParameters, taskRequest } from './schemas.ts';

/** The content of a request: files, or JSON under one of the names that clients use. */
export type TaskInputs =
  | { readonly form: 'files'; readonly files: readonly FieldValue<Uint8Array>[] }
  /** Columns: as `table` from Python's client, as `data` within `inputs` from the one of JavaScript. */
  | { readonly form: 'table' | 'data'; readonly value: JsonObject; readonly field: string }
  | { readonly form: 'inputs'; readonly value: JsonValue; readonly field: string };

export interface TaskRequest {
  readonly inputs: TaskInputs;
  readonly parameters: JsonObject;
  /** The whole body: some tasks have their parameters next to `inputs`. */
  readonly body: JsonObject;
}

/** @throws InferenceError when the body is neither an image nor JSON with inputs */
export async function readTaskRequest(invocation: Invocation, limits: Limits): Promise<Reading<TaskRequest>> {
  const files = await readFiles(invocation, limits);
  return files ? readingOf(files) : invocation.read(parseTaskRequest);
}

/**
 * The files of a request; undefined when it is JSON.
 *
 * @throws InferenceError when it is neither
 */
async function readFiles(invocation: Invocation, limits: Limits): Promise<TaskRequest | undefined> {
  if (holdsImages(invocation)) {
    return {
      inputs: { form: 'files', files: await readImages(invocation, limits) },
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

/** The kind of model that a request is for if it does not name one. */
export function kindOfInputs(inputs: TaskInputs): InputKind {
  switch (inputs.form) {
    case 'files':
      return 'image';
    case 'table':
    case 'data':
      return 'features';
    case 'inputs':
      return kindOfValues(inputs.value);
  }
}

/**
 * Members next to `inputs` that say how to handle a request, not what to do with it. They are ignored: there is only
 * one way here.
 */
const OTHER_MEMBERS = ['inputs', 'table', 'parameters', 'model', 'options'];

/**
 * The parameters of a request: those of its body, under `parameters` or next to it, or else those of its query string.
 * The body must not have parameters that the task does not know; unknown names in a query string are ignored.
 *
 * @throws InferenceError naming the parameter and what is expected
 */
export function readParameters(
  { parameters: given, body }: TaskRequest,
  query: URLSearchParams,
  task: string,
  known: readonly ParameterName[],
): TaskParameters {
  const within = Object.entries(given).filter(isGiven);
  const beside = Object.entries(body).filter((entry) => isGiven(entry) && !OTHER_MEMBERS.includes(entry[0]));
  const isKnown = ([name]: readonly [string, unknown]) => known.some((other) => other === name);
  checkKnown(
    'Field "parameters"',
    within.find((entry) => !isKnown(entry)),
    task,
    known,
  );
  checkKnown(
    'The request',
    beside.find((entry) => !isKnown(entry)),
    task,
    known,
  );
  const isInBody = within.length + beside.length > 0;
  const others = parseEnvelope(taskParameters(), Object.fromEntries(beside));
  const { parameters } = parseEnvelope(z.object({ parameters: taskParameters() }), {
    parameters: Object.fromEntries(isInBody ? within : [...query].filter(isKnown).map(readQueryParameter)),
  });
  return { ...locate(others, ''), ...locate(parameters, 'parameters.') };
}

/** `null` counts as missing. */
function isGiven([, value]: readonly [string, JsonValue]): boolean {
  return value !== null;
}

function checkKnown(
  place: string,
  unknown: readonly [string, JsonValue] | undefined,
  task: string,
  known: readonly ParameterName[],
): void {
  if (!unknown) return;
  const shown = JSON.stringify(unknown[0].slice(0, 60));
  throw invalid(place, `has ${shown}; the parameters of ${task} are: ${known.join(', ') || 'none'}.`);
}

/** Each of them with its place in the request. */
function locate(values: object, prefix: string): TaskParameters {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, { value, field: `${prefix}${name}` }]),
  );
}

function readQueryParameter([name, text]: [string, string]): [string, JsonValue] {
  if (/^-?\d+$/.test(text)) return [name, Number(text)];
  return [name, text === 'true' || text === 'false' ? text === 'true' : text];
}
