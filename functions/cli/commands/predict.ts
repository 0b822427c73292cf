import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../../shared/json/parse-json.ts';
import { JsonText } from '../../../shared/json/write-json.ts';
import { sniffImageType } from '../../../shared/processing/image/sniff.ts';
import { createContext, requestUrl } from '../../host.ts';
import { CommandError, type Console } from '../console.ts';
import { JSON_DEPTH } from '../json-depth.ts';
import { openModel } from '../open-model.ts';

export interface PredictOptions {
  readonly repository?: string;
}

/** `ternion predict`: one request to a model, answered as a server would. */
export async function predict(
  model: string,
  data: string,
  options: PredictOptions,
  output: Console,
): Promise<void> {
  const { app, reference } = await openModel(model, options.repository);
  const body = await readBody(data);
  const path = `/models/${reference.name}/versions/${reference.version}/predict`;
  const request = new BytesRequest(requestUrl(path), { method: 'POST', headers: new Headers() }, body);
  const response = await app.fetch(request, createContext(request.headers, undefined));
  const bytes = Buffer.from(await response.bytes());
  const answer = parseJson(bytes, JSON_DEPTH);
  await app.close();
  if (!isJsonObject(answer)) throw new Error('an answer is always an object');
  if (response.status !== 200) throw new CommandError(String(answer.error));
  output.result(new JsonText(bytes.toString()), () => describe(answer));
}

/** JSON on the command line, `-` for stdin, a file with JSON, or an image. */
async function readBody(data: string): Promise<Uint8Array> {
  if (data === '-') return wrap(await text(process.stdin));
  if (/^\s*[[{]/.test(data)) return wrap(data);
  const content = await readFile(data).catch(() => {
    throw new CommandError(`${JSON.stringify(data)} is no JSON, and there is no such file.`, 2);
  });
  return sniffImageType(content) === undefined ? wrap(content.toString()) : content;
}

/** A bare list of values is one row, a list of lists or objects are several. */
function wrap(json: string): Uint8Array {
  const value: JsonValue = parseJson(Buffer.from(json), JSON_DEPTH);
  if (!Array.isArray(value)) return Buffer.from(json);
  const isRows = value.some((item) => typeof item === 'object' && item !== null);
  return Buffer.from(JSON.stringify(isRows ? { instances: value } : { features: value }));
}

/** One line per prediction, with its scores below it when there is only one. */
function describe(answer: JsonObject): string {
  if (!Array.isArray(answer.predictions)) return describeOne(answer, true);
  return answer.predictions
    .map((item) => (isJsonObject(item) ? describeOne(item, false) : JSON.stringify(item)))
    .join('\n');
}

function describeOne(prediction: JsonObject, withScores: boolean): string {
  if (prediction.prediction === undefined)
    return JSON.stringify(prediction.outputs ?? prediction.embedding ?? prediction);
  const { confidence } = prediction;
  const title = `${formatValue(prediction.prediction)}${typeof confidence === 'number' ? `  ${formatPercent(confidence)}` : ''}`;
  const scores = prediction.probabilities ?? prediction.top_5;
  if (!withScores || !isJsonObject(scores)) return title;
  const best = Object.entries(scores).sort(([, a], [, b]) => Number(b) - Number(a));
  const width = Math.max(...best.map(([label]) => label.length));
  const lines = best.map(([label, score]) => `  ${label.padEnd(width)}  ${formatPercent(Number(score))}`);
  return [title, ...lines].join('\n');
}

function formatValue(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function formatPercent(score: number): string {
  return `${(100 * score).toFixed(2).padStart(6)} %`;
}
