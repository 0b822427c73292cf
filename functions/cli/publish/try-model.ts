import { BytesRequest } from '../../../shared/http/bytes.ts';
import { HeaderList } from '../../../shared/http/header-list.ts';
import { describeRefusal } from '../../../shared/inference/check-run.ts';
import { makeZeros } from '../../../shared/inference/tasks/tensor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { parseJson } from '../../../shared/json/parse-json.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { parseReference } from '../../../shared/models/reference.ts';
import { decodeFile } from '../../../shared/models/small-files.ts';
import { REFERENCE_FILE } from '../../../shared/models/version-folder.ts';
import { createContext, requestUrl } from '../../host.ts';
import { CommandError } from '../console.ts';
import { type FoundModel, look } from '../find-model.ts';
import { countOf, JSON_DEPTH } from '../words.ts';

/** The result of trying a model. */
export interface Trial {
  /** Requests of its reference.json that it answered as expected. */
  readonly references: number;
  /** Requests with the answers they got. */
  readonly exchanges: readonly Exchange[];
  /** Why it does not answer the example that was generated for it; it must answer its own examples. */
  readonly problem?: string;
  /** Whether it answers inputs of zeros, which were too large for a request in JSON. */
  readonly answersZeros?: boolean;
}

interface Exchange {
  readonly request: JsonObject;
  readonly answer: JsonObject;
}

/** Probabilities differ in the last digits from machine to machine. */
const TOLERANCE = 1e-4;

/**
 * Sends a model the requests of its reference.json, else its example, as a server would get them.
 *
 * @throws CommandError when it cannot be loaded or does not answer as expected
 * @throws ModelError when its reference.json is not valid
 */
export async function tryModel(model: FoundModel): Promise<Trial> {
  const { app, reference } = model;
  const folder = await app.inference.repository.open(reference);
  const bytes = await folder.readLarge(REFERENCE_FILE).finally(folder.release);
  if (bytes === undefined) return await tryExample(model);
  const exchanges: Exchange[] = [];
  const cases = await parseReference(decodeFile(bytes, REFERENCE_FILE));
  for (const [index, { request, expected }] of cases.entries()) {
    const answer = await ask(model, request, ` case ${index} of ${REFERENCE_FILE}`);
    checkSame(expectedOf(toPlain(expected), answer), answer, `case ${index} of ${REFERENCE_FILE}`);
    exchanges.push({ request, answer });
  }
  return { references: cases.length, exchanges };
}

/**
 * A model without requests of its own is tried with its example, or with zeros if the example would be huge as JSON.
 */
async function tryExample(model: FoundModel): Promise<Trial> {
  const { app, reference } = model;
  const { example, problem, kind } = await look(model, (found) => ({
    example: found.example,
    problem: found.problem,
    kind: found.contract.kind,
  }));
  const none = { references: 0, exchanges: [] };
  try {
    if (example) return { ...none, exchanges: [{ request: example, answer: await ask(model, example) }] };
    if (problem !== undefined) return { ...none, problem };
    if (kind !== 'tensors') return none;
    const { value } = await app.inference.use({ reference }, {}, async (use) => {
      const zeros = makeZeros(use.contract.inputs, 1, MOST_ZEROS);
      return zeros && (await use.run(zeros).catch(describeRefusal));
    });
    return typeof value === 'string'
      ? { ...none, problem: value }
      : { ...none, answersZeros: value !== undefined };
  } catch (error) {
    if (error instanceof CommandError) return { ...none, problem: error.message };
    throw error;
  }
}

/** Most elements that are generated: 256 MB in single precision. */
const MOST_ZEROS = 2 ** 26;

/**
 * Sends a model the requests that another one was tried with.
 *
 * @throws CommandError when its answers differ
 */
export async function repeatTrial(model: FoundModel, { exchanges }: Trial): Promise<void> {
  for (const [index, { request, answer }] of exchanges.entries()) {
    checkSame(withoutModel(answer), await ask(model, request), `request ${index}, once published,`);
  }
}

/** What an answer says of the request alone, and not of the model or the time. */
export function withoutModel(answer: JsonObject): JsonObject {
  const { inference_time_ms: _time, model: _model, model_version: _version, ...given } = answer;
  return given;
}

export function describeTrial({ references, exchanges, problem, answersZeros }: Trial): string {
  if (references > 0)
    return `it answers the ${countOf(references, 'request')} of ${REFERENCE_FILE} as expected`;
  if (problem !== undefined) return `it does not answer the test request that was made for it: ${problem}`;
  if (exchanges.length > 0) return 'it answers its example';
  return answersZeros
    ? 'it answers inputs of zeros'
    : 'it was loaded but not run, because there is no example for what it takes';
}

/**
 * The answer of a model to a request.
 *
 * @param title what is asked, for messages
 * @throws CommandError when it does not answer
 */
export async function ask(
  { app, reference }: FoundModel,
  request: JsonObject,
  title = '',
): Promise<JsonObject> {
  const url = requestUrl(`/models/${reference.name}/versions/${reference.version}/predict`);
  const body = Buffer.from(writeJson(request));
  const sent = new BytesRequest(url, { method: 'POST', headers: new HeaderList() }, body);
  const response = await app.fetch(sent, createContext(sent.headers, undefined));
  const answer = parseJson(await response.bytes(), JSON_DEPTH);
  if (!isJsonObject(answer)) throw new Error('an answer is always an object');
  if (response.status !== 200)
    throw new CommandError(`The model does not answer${title}: ${String(answer.error)}`);
  return answer;
}

/** The expected values in the form of an answer: the answer to an image has only the scores of its best classes. */
function expectedOf(expected: JsonValue, answer: JsonObject): JsonValue {
  if (!isJsonObject(expected)) return expected;
  const { top_5: best, predictions: given } = answer;
  const { predictions } = expected;
  if (Array.isArray(predictions) && Array.isArray(given)) {
    const each = predictions.map((prediction, index) => {
      const one = given[index];
      return isJsonObject(one) ? expectedOf(prediction, one) : prediction;
    });
    return { ...expected, predictions: each };
  }
  const { probabilities: all, ...rest } = expected;
  if (!isJsonObject(best) || !isJsonObject(all)) return expected;
  return {
    ...rest,
    top_5: Object.fromEntries(Object.keys(best).map((label) => [label, all[label] ?? null])),
  };
}

/** Checks that an answer has all expected members, with a tolerance for numbers. */
function checkSame(expected: JsonValue, given: JsonValue | undefined, where: string): void {
  const difference = findDifference(expected, given, '');
  if (difference === undefined) return;
  throw new CommandError(`The answer of the model to ${where} is not as expected: ${difference}.`);
}

/** Where two answers differ by more than rounding; undefined if they do not. */
export function findDifference(
  expected: JsonValue,
  given: JsonValue | undefined,
  path: string,
): string | undefined {
  if (typeof expected === 'number' && typeof given === 'number') {
    const isClose = Math.abs(expected - given) <= TOLERANCE * Math.max(1, Math.abs(expected));
    return isClose ? undefined : `${path || 'it'} is ${given}, expected ${expected}`;
  }
  if (Array.isArray(expected) && Array.isArray(given) && expected.length !== given.length)
    return `${path || 'it'} has ${given.length} elements, expected ${expected.length}`;
  if (typeof expected === 'object' && expected !== null) {
    const inside = typeof given === 'object' && given !== null ? given : {};
    for (const [key, value] of Object.entries(expected)) {
      const member = Object.entries(inside).find(([name]) => name === key)?.[1];
      const difference = findDifference(value, member, path ? `${path}.${key}` : key);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }
  return expected === given
    ? undefined
    : `${path || 'it'} is ${JSON.stringify(given)}, expected ${JSON.stringify(expected)}`;
}

/** A value from a schema, as JSON represents it. */
function toPlain(value: unknown): JsonValue {
  return parseJson(Buffer.from(JSON.stringify(value)), JSON_DEPTH);
}
