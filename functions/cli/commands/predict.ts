import { readFile, stat } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import type { InputKind } from '../../../shared/inference/input.ts';
import { inputKindOf } from '../../../shared/inference/task.ts';
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

/** Most scores that are told; `--json` has all. */
const SHOWN = 10;

/** `ternion predict`: one request to a model, answered as a server would. */
export async function predict(
  model: string,
  data: string,
  options: PredictOptions,
  output: Console,
): Promise<void> {
  const { app, reference } = await openModel(model, options.repository);
  const kind = await app.inference.describe(reference, ({ config }) => inputKindOf(config));
  const body = await readBody(data, kind);
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

/** JSON or a text on the command line, `-` for stdin, a file of either, or an image. */
async function readBody(data: string, kind: InputKind): Promise<Uint8Array> {
  if (data === '-') return wrap(await text(process.stdin), kind);
  if (/^\s*[[{"]/.test(data)) return wrap(data, kind);
  const facts = await stat(data).catch(() => undefined);
  if (facts?.isFile()) return await readDataFile(data, kind);
  // What has no space is more likely the name of a file that is not there.
  if (!facts && kind === 'text' && /\s/.test(data.trim())) return wrap(JSON.stringify(data), kind);
  const reason = facts ? 'it is no file' : 'there is no such file';
  throw new CommandError(`${JSON.stringify(data)} is no JSON, and ${reason}.`, 2);
}

async function readDataFile(path: string, kind: InputKind): Promise<Uint8Array> {
  if (/\.(?:csv|tsv|jsonl|ndjson)$/i.test(path)) {
    throw new CommandError(
      `${path} holds many rows: run them with ternion batch <model> ${path} <output>.`,
      2,
    );
  }
  const content = await readFile(path);
  if (sniffImageType(content) !== undefined) return content;
  const words = content.toString();
  return wrap(kind === 'text' && !/^\s*[[{"]/.test(words) ? JSON.stringify(words.trim()) : words, kind);
}

/** Members of a request; an object without any of them is a row, or tensors by name. */
const MEMBERS = ['features', 'instances', 'image', 'text', 'inputs'];

/** A bare list of values is one row, a list of lists or objects are several, and a string is a text. */
function wrap(json: string, kind: InputKind): Uint8Array {
  const value: JsonValue = parseJson(Buffer.from(json), JSON_DEPTH);
  const request = wrapValue(value, kind);
  return Buffer.from(request === undefined ? json : JSON.stringify(request));
}

/** Undefined for what is a request already. */
function wrapValue(value: JsonValue, kind: InputKind): JsonValue | undefined {
  if (typeof value === 'string') return { text: value };
  if (Array.isArray(value)) {
    const isRows = value.some((item) => typeof item === 'object' && item !== null);
    return isRows ? { instances: value } : { features: value };
  }
  if (!isJsonObject(value) || MEMBERS.some((member) => Object.hasOwn(value, member))) return undefined;
  if (kind === 'features') return { features: value };
  return kind === 'tensors' ? { inputs: value } : undefined;
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
  const shown = best.slice(0, SHOWN);
  const width = Math.max(...shown.map(([label]) => label.length));
  const lines = shown.map(([label, score]) => `  ${label.padEnd(width)}  ${formatPercent(Number(score))}`);
  const more = best.length > SHOWN ? [`  and ${best.length - SHOWN} more`] : [];
  return [title, ...lines, ...more].join('\n');
}

function formatValue(value: JsonValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function formatPercent(score: number): string {
  return `${(100 * score).toFixed(2).padStart(6)} %`;
}
