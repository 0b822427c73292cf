import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../../shared/json/parse-json.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { REFERENCE_FILE } from '../../../shared/models/model-repository.ts';
import { parseReference } from '../../../shared/models/reference.ts';
import { createContext, requestUrl } from '../../host.ts';
import { CommandError } from '../console.ts';
import { JSON_DEPTH } from '../json-depth.ts';
import type { OpenModel } from '../open-model.ts';

/** What came of trying a model. */
export interface Trial {
  /** Requests of its reference.json that it answered as expected. */
  readonly references: number;
  /** Whether it answered the request that is shown as its example. */
  readonly example: boolean;
  readonly answers: readonly JsonObject[];
}

/** Probabilities differ in the last digits from machine to machine. */
const TOLERANCE = 1e-4;
/**
 * Sends a model the requests of its reference.json, or else its example, as a server would get them.
 *
 * @param before what the same model answered elsewhere, which it must answer again
 * @throws CommandError when it cannot be loaded or answers otherwise than it should
 */
export async function tryModel(model: OpenModel, before?: Trial): Promise<Trial> {
  const { app, reference } = model;
  const example = await app.inference.describe(reference, (found) => found.example);
  const folder = await app.inference.repository.open(reference);
  const text = await readFile(join(folder.path, REFERENCE_FILE), 'utf8').catch(() => undefined);
  const cases = text === undefined ? [] : parseReference(text);
  const requests = cases.length > 0 ? cases.map(({ request }) => request) : example ? [example] : [];
  const answers: JsonObject[] = [];
  for (const request of requests) answers.push(await ask(model, request));
  for (const [index, { expected }] of cases.entries()) {
    const answer = answers[index] ?? {};
    checkSame(expectedOf(toPlain(expected), answer), answer, `case ${index} of ${REFERENCE_FILE}`);
  }
  for (const [index, answer] of (before?.answers ?? []).entries()) {
    const { inference_time_ms: _time, model: _model, model_version: _version, ...rest } = answer;
    checkSame(rest, answers[index], `request ${index}, once published,`);
  }
  return { references: cases.length, example: cases.length === 0 && requests.length > 0, answers };
}

export function describeTrial({ references, example }: Trial): readonly string[] {
  if (references > 0) return [`it answers the ${references} requests of ${REFERENCE_FILE} as expected`];
  return [example ? 'it answers its example' : 'it was loaded, but not run: its example would be huge'];
}

async function ask({ app, reference }: OpenModel, request: JsonObject): Promise<JsonObject> {
  const url = requestUrl(`/models/${reference.name}/versions/${reference.version}/predict`);
  const body = Buffer.from(writeJson(request));
  const sent = new BytesRequest(url, { method: 'POST', headers: new Headers() }, body);
  const response = await app.fetch(sent, createContext(sent.headers, undefined));
  const answer = parseJson(await response.bytes(), JSON_DEPTH);
  if (!isJsonObject(answer)) throw new Error('an answer is always an object');
  if (response.status !== 200) throw new CommandError(`The model does not answer: ${String(answer.error)}`);
  return answer;
}

/** What is expected of an answer, in its words: that to an image has the scores of its best classes alone. */
function expectedOf(expected: JsonValue, { probabilities, top_5: best }: JsonObject): JsonValue {
  if (!isJsonObject(expected) || probabilities !== undefined || !isJsonObject(best)) return expected;
  const { probabilities: all, ...rest } = expected;
  if (!isJsonObject(all)) return expected;
  return {
    ...rest,
    top_5: Object.fromEntries(Object.keys(best).map((label) => [label, all[label] ?? null])),
  };
}

/** Whether an answer has all members that are expected, numbers up to a tolerance. */
function checkSame(expected: JsonValue, given: JsonValue | undefined, where: string): void {
  const difference = findDifference(expected, given, '');
  if (difference === undefined) return;
  throw new CommandError(`The model answers ${where} otherwise than expected: ${difference}.`);
}

function findDifference(expected: JsonValue, given: JsonValue | undefined, path: string): string | undefined {
  if (typeof expected === 'number' && typeof given === 'number') {
    const isClose = Math.abs(expected - given) <= TOLERANCE * Math.max(1, Math.abs(expected));
    return isClose ? undefined : `${path || 'it'} is ${given}, expected ${expected}`;
  }
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

/** A value that a schema made, as JSON would give it. */
function toPlain(value: unknown): JsonValue {
  return parseJson(Buffer.from(JSON.stringify(value)), JSON_DEPTH);
}
