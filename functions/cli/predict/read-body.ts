import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { InferenceError } from '../../../shared/errors.ts';
import { isJsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { parseJson } from '../../../shared/json/parse-json.ts';
import { sniffImageType } from '../../../shared/processing/image/decode/sniff.ts';
import type { InputKind } from '../../../shared/values/input.ts';
import { shellWord } from '../../shell-word.ts';
import { CommandError } from '../console.ts';
import { JSON_DEPTH } from '../words.ts';

/** The request to a model that a command was given. */
export interface Body {
  readonly bytes: Uint8Array;
  /** Media type, if the data is known to be an image. */
  readonly type?: string | undefined;
  /** The file that it was read from. */
  readonly file?: string;
}

/** Reads JSON or a text from the command line, from stdin (`-`) or from a file, or an image. */
export async function readBody(data: string, kind: InputKind): Promise<Body> {
  if (data === '-') return wrapContent(await buffer(process.stdin), kind, 'The input from stdin');
  if (kind !== 'text' && JSON_START.test(data)) return wrap(data, kind, ARGUMENT);
  const facts = await stat(data).catch(() => undefined);
  if (facts?.isFile()) return await readDataFile(data, kind);
  if (kind === 'text' && !FILE_NAME.test(data)) return wrapWords(data, kind, ARGUMENT);
  const values = kind === 'features' ? `[${data}]` : '';
  if (isJson(values)) return wrap(values, kind, ARGUMENT);
  if (facts?.isDirectory()) {
    throw new CommandError(
      `${JSON.stringify(data)} is a folder: run its files with ternion batch <model> ${shellWord(data)} <output>.`,
      2,
    );
  }
  const reason = facts ? 'it is not a file' : 'there is no such file';
  const row =
    kind === 'features' ? ' A row is written as numbers with commas between them, or as JSON: [1, "a"].' : '';
  throw new CommandError(`${JSON.stringify(data)} is not JSON, and ${reason}.${row}`, 2);
}

const ARGUMENT = 'The argument';
const JSON_START = /^\s*[[{"]/;
/** Matches what is more likely the name of a missing file than a text. */
const FILE_NAME = /^\S+\.(?:txt|text|md|json|jsonl|ndjson|csv|tsv|png|jpe?g|webp|gif|tiff?|avif|npy)$/i;
/** Media types of images by their extension. */
const IMAGES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.avif': 'image/avif',
};

async function readDataFile(path: string, kind: InputKind): Promise<Body> {
  if (/\.(?:csv|tsv|jsonl|ndjson)$/i.test(path)) {
    throw new CommandError(
      `${path} holds many rows: run them with ternion batch <model> ${shellWord(path)} <output>.`,
      2,
    );
  }
  const bytes = await readFile(path);
  const type = IMAGES[extname(path).toLowerCase()];
  return { ...(type === undefined ? wrapContent(bytes, kind, path) : { bytes, type }), file: path };
}

/** @param title its name in messages */
function wrapContent(bytes: Buffer, kind: InputKind, title: string): Body {
  return sniffImageType(bytes) === undefined ? wrapWords(bytes.toString(), kind, title) : { bytes };
}

/** A text model takes any words, but a broken object is still meant as JSON. */
function wrapWords(words: string, kind: InputKind, title: string): Body {
  const isText = kind === 'text' && !/^\s*\{/.test(words) && !(JSON_START.test(words) && isJson(words));
  return wrap(isText ? JSON.stringify(words.trim()) : words, kind, title);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Members of a request; an object without any of them is a row, or tensors by name. */
const MEMBERS = ['features', 'instances', 'image', 'text', 'inputs'];

/** A list of values is one row, a list of lists or objects is several rows, and a string is a text. */
function wrap(json: string, kind: InputKind, title: string): Body {
  const member = memberFor(parse(json, title), kind);
  // Wraps the text itself: values in JavaScript have lost the last digits of large integers, and NaN.
  return { bytes: Buffer.from(member === undefined ? json : `{${JSON.stringify(member)}:${json}}`) };
}

function parse(json: string, title: string): JsonValue {
  try {
    return parseJson(Buffer.from(json), JSON_DEPTH);
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    const text = `${title} ${error.problem}`;
    throw new CommandError(/^[^"]*['a-z][^"]*$/i.test(json) ? `${text} ${QUOTES}` : text, 2);
  }
}

/** Python and JavaScript allow other quotes, and shells remove quotes that are not inside others. */
const QUOTES = 'JSON needs double quotes around names and texts, as in \'{"city": "Oslo"}\'.';

/** The member of a request that takes a value; undefined if the value is already a request. */
function memberFor(value: JsonValue, kind: InputKind): string | undefined {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) {
    const isRows = value.some((item) => typeof item === 'object' && item !== null);
    return isRows ? 'instances' : 'features';
  }
  if (!isJsonObject(value) || MEMBERS.some((member) => Object.hasOwn(value, member))) return undefined;
  if (kind === 'features') return 'features';
  return kind === 'tensors' ? 'inputs' : undefined;
}
