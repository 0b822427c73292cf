import { formatJson } from './format-json.ts';
import { parseText } from './parse.ts';

/** One predict request, to be written as code in some language. */
export interface Call {
  readonly url: string;
  readonly type: string;
  /** JSON, or the name of the file that is sent. */
  readonly body: { readonly json: string } | { readonly fileName: string };
}

/** A whole number that JavaScript would round. */
const LONG_INTEGER = /\d{16}/;

/** The same call in several languages, by name. */
export const SNIPPETS: ReadonlyMap<string, (call: Call) => string> = new Map([
  ['curl', writeCurl],
  ['JavaScript', writeJavaScript],
  ['Python', writePython],
]);

function writeCurl({ url, type, body }: Call): string {
  const data =
    'json' in body
      ? `-d ${quoteShell(formatJson(body.json))}`
      : `--data-binary ${quoteShell(`@${body.fileName}`)}`;
  return `curl ${quoteShell(url)} \\\n  -H ${quoteShell(`content-type: ${type}`)} \\\n  ${data}`;
}

/** Inside single quotes everything except the quote itself is plain text to a shell. */
function quoteShell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function writeJavaScript({ url, type, body }: Call): string {
  const isFile = 'fileName' in body;
  const lines = [
    ...(isFile ? ["import { readFile } from 'node:fs/promises';", ''] : []),
    `const response = await fetch(${quoteScript(url)}, {`,
    "  method: 'POST',",
    `  headers: { 'content-type': ${quoteScript(type)} },`,
    `  body: ${isFile ? `await readFile(${quoteScript(body.fileName)})` : writeScriptBody(body.json)},`,
    '});',
    'console.log(await response.json());',
  ];
  return lines.join('\n');
}

function writeScriptBody(json: string): string {
  const isExact = parseText(json) !== undefined && !LONG_INTEGER.test(json);
  return isExact
    ? `JSON.stringify(${formatJson(json, { indent: 2, writeKey: writeScriptKey })})`
    : quoteScript(json);
}

/** In an object literal this name sets the prototype, with or without quotes, unless it is computed. */
function writeScriptKey(key: string): string {
  return JSON.parse(key) === '__proto__' ? `[${key}]` : key;
}

function quoteScript(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1);
  return `'${inner.replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
}

const PYTHON_WORDS = { true: 'True', false: 'False', null: 'None' };

function writePython({ url, type, body }: Call): string {
  const headers = `    headers={"content-type": ${JSON.stringify(type)}},`;
  const lines = [
    'import requests',
    '',
    'response = requests.post(',
    `    ${JSON.stringify(url)},`,
    ...('fileName' in body
      ? [`    data=open(${JSON.stringify(body.fileName)}, "rb"),`, headers]
      : writePythonBody(body.json, headers)),
    ')',
    'print(response.json())',
  ];
  return lines.join('\n');
}

/** Text that is not JSON is sent unchanged, to get the same error. */
function writePythonBody(json: string, headers: string): string[] {
  if (parseText(json) === undefined) return [`    data=${JSON.stringify(json)}.encode(),`, headers];
  return [`    json=${formatJson(json, { indent: 4, words: PYTHON_WORDS })},`];
}
