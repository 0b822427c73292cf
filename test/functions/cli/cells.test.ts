import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batch } from '../../../functions/cli/commands/batch.ts';
import { predict } from '../../../functions/cli/commands/predict.ts';
import { CommandError, type Console } from '../../../functions/cli/console.ts';
import { createContext, createHost, requestUrl } from '../../../functions/host.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { isJsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { parseJson } from '../../../shared/json/parse-json.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import * as onnx from '../../support/build-model.ts';
import { PAGES, PROJECT } from '../../support/project.ts';
import { makeFolder, writeFiles } from '../../support/temporary-folder.ts';

const { buildModel, buildNode, int64Initializer, integerAttribute, tensorValue } = onnx;
const DOUBLE = 11;
const BILLION = 1_000_000_000;

/** Texts that the model of strings distinguishes: its answer is their index, and -1 for any other. */
const TEXTS = ['a', 'b', ' a ', '', 'NA', 'nan', '1', '1.0', 'true', 'inf', '"', 'a,b', 'ä😀'];

/** The nodes that make the answer `y` from the cells `first`. */
const GRAPHS: Readonly<Record<string, Graph>> = {
  fp32: { type: onnx.FLOAT, nodes: [buildNode('Identity', ['first'], ['y'])] },
  fp64: { type: DOUBLE, nodes: [buildNode('Identity', ['first'], ['y'])], answer: DOUBLE },
  // JSON has no infinite numbers to answer with.
  'fp32-sign': { type: onnx.FLOAT, nodes: [buildNode('Sign', ['first'], ['y'])] },
  'fp64-sign': { type: DOUBLE, nodes: [buildNode('Sign', ['first'], ['y'])], answer: DOUBLE },
  'fp32-missing': { type: onnx.FLOAT, nodes: [impute('first')] },
  'fp64-missing': { type: DOUBLE, nodes: [cast('first', 'float', onnx.FLOAT), impute('float')] },
  int32: { type: onnx.INT32, nodes: [cast('first', 'y', DOUBLE)], answer: DOUBLE },
  uint8: { type: onnx.UINT8, nodes: [cast('first', 'y', onnx.FLOAT)] },
  // A double does not hold all digits of 64 bits: the answer is the last nine, counted from below.
  int64: {
    type: onnx.INT64,
    nodes: [buildNode('Mod', ['first', 'billion'], ['rest']), cast('rest', 'y', DOUBLE)],
    answer: DOUBLE,
  },
  bool: { type: onnx.BOOL, nodes: [cast('first', 'y', onnx.FLOAT)] },
  string: { type: onnx.STRING, nodes: [distinguish('first')] },
  'string-missing': { type: onnx.STRING, nodes: [...fill('first', 'b'), distinguish('filled')] },
  'string-needed': { type: onnx.STRING, nodes: [distinguish('first')], minLength: 1 },
};

interface Graph {
  readonly type: number;
  readonly nodes: readonly Uint8Array[];
  /** Fewest characters of a cell, in model.json. */
  readonly minLength?: number;
  /** Type of the answer, FLOAT by default. */
  readonly answer?: number;
}

/** A model of two columns, as two inputs or as a matrix; it answers the value that it got for the first. */
function buildCells({ type, nodes, answer = onnx.FLOAT }: Graph, isMatrix: boolean): Uint8Array {
  const along = { attributes: [integerAttribute('axis', 1)] };
  const names = isMatrix ? ['x'] : ['cell', 'other'];
  const isFloat = type === onnx.FLOAT || type === DOUBLE;
  return buildModel({
    nodes: [
      ...(isMatrix ? [] : [buildNode('Concat', names, ['x'], along)]),
      isFloat || type === onnx.STRING
        ? buildNode('ArrayFeatureExtractor', ['x', 'zero'], ['first'], { domain: 'ai.onnx.ml' })
        : buildNode('Gather', ['x', 'zero'], ['first'], along),
      ...nodes,
    ],
    inputs: names.map((name) => tensorValue(name, type, ['n', isMatrix ? 2 : 1])),
    outputs: [tensorValue('y', answer, ['n', 1])],
    opsets: { '': 18, 'ai.onnx.ml': 3 },
    initializers: [int64Initializer('billion', [BILLION]), int64Initializer('zero', [0])],
  });
}

function cast(from: string, to: string, type: number): Uint8Array {
  return buildNode('Cast', [from], [to], { attributes: [integerAttribute('to', type)] });
}

/** Turns missing numbers into -1. */
function impute(input: string): Uint8Array {
  const attributes = [
    onnx.floatsAttribute('imputed_value_floats', [-1]),
    onnx.floatAttribute('replaced_value_float', Number.NaN),
  ];
  return buildNode('Imputer', [input], ['y'], { domain: 'ai.onnx.ml', attributes });
}

/** A cell with the answer of a model to it, or the error. */
type Expected = number | RegExp;

interface Cell {
  readonly model: string;
  /** How CSV writes it. */
  readonly text: string;
  /** How JSON writes the same. */
  readonly json: string;
  readonly expected: Expected;
}

const NOT_A_NUMBER = /expected (?:a number|a whole number|true or false)/;
/** An empty cell, and the words that the documentation lists. */
const MISSING = ['', ...readMissingWords(readFileSync(join(PROJECT, 'docs/cells.md'), 'utf8'))];

function readMissingWords(page: string): string[] {
  const [, list = ''] = /\*\*Missing words\*\*(.*?)\n\n/s.exec(page) ?? [];
  const [, words = ''] = /an empty cell(.*)/s.exec(list) ?? [];
  if (words === '') throw new Error('docs/cells.md has no list of missing words.');
  return [...words.matchAll(/`([^`]+)`/g)].flatMap(([, word = '']) => [word, word.toLowerCase()]);
}

const cells: readonly Cell[] = [
  ...['fp32', 'fp64', 'fp32-missing', 'fp64-missing'].flatMap((name): Cell[] => [
    { model: name, text: '1.5', json: '1.5', expected: 1.5 },
    { model: name, text: ' -2e3 ', json: '-2e3', expected: -2000 },
    { model: name, text: '+7', json: '7', expected: 7 },
    { model: name, text: '.5', json: '0.5', expected: 0.5 },
    { model: name, text: '0x10', json: '"0x10"', expected: NOT_A_NUMBER },
    { model: name, text: 'true', json: 'true', expected: 1 },
    { model: name, text: 'FALSE', json: 'false', expected: 0 },
    { model: name, text: 'abc', json: '"abc"', expected: NOT_A_NUMBER },
    { model: name, text: '1,5', json: '"1,5"', expected: NOT_A_NUMBER },
  ]),
  ...['fp32-missing', 'fp64-missing'].flatMap((name) =>
    MISSING.map(
      (text): Cell => ({ model: name, text, json: /^nan$/i.test(text) ? 'NaN' : 'null', expected: -1 }),
    ),
  ),
  ...['fp32', 'fp64', 'int32', 'int64', 'uint8', 'bool'].flatMap((name): Cell[] => [
    { model: name, text: '', json: 'null', expected: NOT_A_NUMBER },
    { model: name, text: 'NA', json: 'null', expected: NOT_A_NUMBER },
    { model: name, text: 'nan', json: 'NaN', expected: NOT_A_NUMBER },
  ]),
  ...['fp32-sign', 'fp64-sign'].flatMap((name): Cell[] => [
    { model: name, text: 'inf', json: 'Infinity', expected: 1 },
    { model: name, text: '+Inf', json: 'Infinity', expected: 1 },
    { model: name, text: '-Infinity', json: '-Infinity', expected: -1 },
    { model: name, text: '-1e400', json: '-1e400', expected: -1 },
  ]),
  { model: 'fp32', text: '3.5e38', json: '3.5e38', expected: /expected a number below 3\.4/ },
  { model: 'fp64', text: '3.5e38', json: '3.5e38', expected: 3.5e38 },
  { model: 'fp64', text: '0.1', json: '0.1', expected: 0.1 },
  { model: 'fp64', text: '9007199254740993', json: '9007199254740993', expected: 9_007_199_254_740_992 },
  { model: 'int32', text: '-2147483648', json: '-2147483648', expected: -(2 ** 31) },
  { model: 'int32', text: '2147483648', json: '2147483648', expected: /whole number from -2147483648/ },
  { model: 'int32', text: '7.0', json: '7.0', expected: 7 },
  { model: 'int32', text: '1.5', json: '1.5', expected: /whole number/ },
  { model: 'int32', text: 'True', json: 'true', expected: 1 },
  { model: 'int64', text: 'false', json: 'false', expected: 0 },
  { model: 'int32', text: 'inf', json: '"inf"', expected: NOT_A_NUMBER },
  { model: 'uint8', text: '255', json: '255', expected: 255 },
  { model: 'uint8', text: '-1', json: '-1', expected: /whole number from 0 to 255/ },
  {
    model: 'int64',
    text: '9223372036854775807',
    json: '9223372036854775807',
    expected: 854_775_807,
  },
  {
    model: 'int64',
    text: '-9007199254740993',
    json: '-9007199254740993',
    expected: 745_259_007,
  },
  { model: 'int64', text: '9223372036854775808', json: '9223372036854775808', expected: /whole number/ },
  { model: 'int64', text: '42', json: '42', expected: 42 },
  { model: 'bool', text: 'true', json: 'true', expected: 1 },
  { model: 'bool', text: 'FALSE', json: 'false', expected: 0 },
  { model: 'bool', text: '1', json: '1', expected: 1 },
  { model: 'bool', text: '2', json: '2', expected: /expected true or false/ },
  { model: 'bool', text: 'yes', json: '"yes"', expected: NOT_A_NUMBER },
  ...TEXTS.map(
    (text, index): Cell => ({ model: 'string', text, json: JSON.stringify(text), expected: index }),
  ),
  { model: 'string', text: 'A', json: '"A"', expected: -1 },
  ...['null', 'NaN', '""'].map(
    (json): Cell => ({ model: 'string-missing', text: '', json, expected: TEXTS.indexOf('b') }),
  ),
  { model: 'string-missing', text: 'NA', json: '"NA"', expected: TEXTS.indexOf('NA') },
  { model: 'string-needed', text: 'a', json: '"a"', expected: 0 },
  { model: 'string-needed', text: '', json: '""', expected: /is empty; expected at least 1 character/ },
  { model: 'string-needed', text: '', json: 'null', expected: /is (?:empty|null); expected/ },
  { model: 'string-needed', text: '', json: 'NaN', expected: /is (?:empty|null|the number NaN); expected/ },
];

/** The index of a text, and -1 for any other. */
function distinguish(input: string): Uint8Array {
  return buildNode('LabelEncoder', [input], ['y'], {
    domain: 'ai.onnx.ml',
    attributes: [
      onnx.stringsAttribute('keys_strings', TEXTS),
      onnx.floatsAttribute('values_floats', [...TEXTS.keys()]),
      onnx.floatAttribute('default_float', -1),
    ],
  });
}

/** Replaces empty texts, as the imputer of skl2onnx does. */
function fill(input: string, filling: string): Uint8Array[] {
  const encode = (from: string, to: string, attributes: readonly Uint8Array[]) =>
    buildNode('LabelEncoder', [from], [to], { domain: 'ai.onnx.ml', attributes });
  const keys = onnx.stringsAttribute('keys_strings', ['']);
  const constant = [
    onnx.integersAttribute('keys_int64s', [0n]),
    onnx.stringsAttribute('values_strings', [filling]),
  ];
  return [
    encode('zero', 'filling', constant),
    encode(input, 'found', [
      keys,
      onnx.integersAttribute('values_int64s', [1n]),
      integerAttribute('default_int64', 0),
    ]),
    cast('found', 'empty', onnx.BOOL),
    buildNode('Where', ['empty', 'filling', input], ['filled']),
  ];
}

/** A form in which a route takes a row of a table with the same cell in both columns. */
interface Form {
  readonly path: (model: string) => string;
  readonly body: (cell: Cell) => string;
  readonly type?: string;
  /** Whether the model takes a matrix, or an input for each column. */
  readonly isMatrix?: boolean;
}

const list = ({ json }: Cell) => `[${json},${json}]`;
const object = ({ json }: Cell) => `{"cell":${json},"other":${json}}`;
const columns = ({ json }: Cell) => `{"cell":[${json}],"other":[${json}]}`;
const split = (cell: Cell) => `{"columns":["cell","other"],"data":[${list(cell)}]}`;
const instances = (row: (cell: Cell) => string) => (cell: Cell) => `{"instances":[${row(cell)}]}`;
const member = (name: string, value: (cell: Cell) => string) => (cell: Cell) => `{"${name}":${value(cell)}}`;
const quote = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const line = ({ text }: Cell) => `${quote(text)},${quote(text)}\n`;
const csv = (cell: Cell) => `cell,other\n${line(cell)}`;

const predictPath = (model: string) => `/models/${model}/predict`;
const tensorflow = (model: string) => `/v1/models/${model}:predict`;
const mlflow = (model: string) => `/serving-endpoints/${model}/invocations`;
const sagemaker = (model: string) => `/endpoints/${model}/invocations`;
const container = (model: string) => `/models/${model}/invoke`;
const vertex = (model: string) => `/v1/projects/p/locations/l/endpoints/${model}:predict`;
const vertexRaw = (model: string) => `/v1/projects/p/locations/l/endpoints/${model}:rawPredict`;
const torchserve = (model: string) => `/predictions/${model}`;
const ubiops = (model: string) => `/v2.1/projects/p/deployments/${model}/requests`;
const huggingFace = (model: string) => `/hf/${model}`;
const CSV = 'text/csv';
const LINES = 'application/jsonlines';

/** Every route that takes rows of a table, in each form that it accepts. */
const FORMS: Readonly<Record<string, Form>> = {
  'Ternion, a list': { path: predictPath, body: member('features', list) },
  'Ternion, a list for a matrix': { path: predictPath, body: member('features', list), isMatrix: true },
  'Ternion, an object': { path: predictPath, body: member('features', object) },
  'Ternion, an object for a matrix': { path: predictPath, body: member('features', object), isMatrix: true },
  'Ternion, several lists': { path: predictPath, body: instances(list) },
  'Ternion, several objects': { path: predictPath, body: instances(object) },
  'TensorFlow Serving, lists': { path: tensorflow, body: instances(list), isMatrix: true },
  'TensorFlow Serving, objects': { path: tensorflow, body: instances(object) },
  'TensorFlow Serving, inputs': { path: tensorflow, body: member('inputs', columns) },
  'TensorFlow Serving, examples': {
    path: (model) => `/v1/models/${model}:regress`,
    body: (cell) => `{"examples":[${object(cell)}]}`,
  },
  'MLflow, split': { path: mlflow, body: member('dataframe_split', split) },
  'MLflow, split for a matrix': { path: mlflow, body: member('dataframe_split', split), isMatrix: true },
  'MLflow, records': { path: mlflow, body: (cell) => `{"dataframe_records":[${object(cell)}]}` },
  'MLflow, records for a matrix': {
    path: mlflow,
    body: (cell) => `{"dataframe_records":[${object(cell)}]}`,
    isMatrix: true,
  },
  'MLflow, inputs': { path: mlflow, body: member('inputs', columns) },
  'MLflow, instances': { path: mlflow, body: instances(object) },
  'MLflow, CSV': { path: mlflow, body: csv, type: CSV },
  'MLflow, CSV for a matrix': { path: mlflow, body: csv, type: CSV, isMatrix: true },
  'SageMaker, instances': { path: sagemaker, body: instances(list), isMatrix: true },
  'SageMaker, lines': { path: container, body: (cell) => `${list(cell)}\n`, type: LINES, isMatrix: true },
  'SageMaker, lines of objects': { path: container, body: (cell) => `${object(cell)}\n`, type: LINES },
  'SageMaker, CSV': { path: sagemaker, body: csv, type: CSV },
  'SageMaker, CSV for a matrix': { path: container, body: csv, type: CSV, isMatrix: true },
  'SageMaker, a container': { path: () => '/invocations', body: instances(object) },
  'SageMaker, lines of a container': {
    path: () => '/invocations',
    body: (cell) => `${object(cell)}\n`,
    type: LINES,
  },
  'SageMaker, CSV of a container': { path: () => '/invocations', body: csv, type: CSV },
  'Azure ML, split': { path: () => '/score', body: member('input_data', split) },
  'Azure ML, data': { path: () => '/score', body: (cell) => `{"data":[${list(cell)}]}`, isMatrix: true },
  'Vertex AI, lists': { path: vertex, body: instances(list), isMatrix: true },
  'Vertex AI, objects': { path: vertex, body: instances(object) },
  'Vertex AI, CSV': { path: vertexRaw, body: csv, type: CSV },
  'TorchServe, lists': { path: torchserve, body: instances(list), isMatrix: true },
  'TorchServe, objects': { path: torchserve, body: instances(object) },
  'UbiOps, fields': { path: ubiops, body: object },
  'UbiOps, several': { path: ubiops, body: (cell) => `[${object(cell)}]` },
  'Hugging Face, data': { path: huggingFace, body: (cell) => `{"inputs":{"data":${columns(cell)}}}` },
  'Hugging Face, a table': { path: huggingFace, body: member('table', columns), isMatrix: true },
};

let repository: string;
beforeAll(async () => {
  repository = await mkdtemp(join(tmpdir(), 'ternion-cells-'));
  for (const [name, graph] of Object.entries(GRAPHS)) {
    const { minLength } = graph;
    const features = ['cell', 'other'].map((each) => ({ name: each, ...(minLength && { minLength }) }));
    const config = JSON.stringify({ task: 'tabular-regression', output: 'y', features });
    await writeFiles(repository, {
      [`${name}/1/model.onnx`]: buildCells(graph, false),
      [`${name}/1/model.json`]: config,
      [`${name}-matrix/1/model.onnx`]: buildCells(graph, true),
      [`${name}-matrix/1/model.json`]: config,
    });
  }
});

/** A host on which requests without a name go to the model. */
const hostOf = memoise((model: string) =>
  createHost({
    environment: { LOG_LEVEL: 'silent', DEFAULT_MODEL: model },
    modelRepository: repository,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
  }),
);

function memoise<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}

/** Sends a cell in a form. */
async function send(
  { path, body, type = 'application/json', isMatrix }: Form,
  cell: Cell,
): Promise<JsonValue> {
  const model = isMatrix ? `${cell.model}-matrix` : cell.model;
  const headers = new Headers({ 'content-type': type });
  const bytes = Buffer.from(body(cell));
  const request = new BytesRequest(requestUrl(path(model)), { method: 'POST', headers }, bytes);
  const response = await hostOf(model).app.fetch(request, createContext(headers, 'id'));
  return parseJson(Buffer.from(await response.bytes()), 9);
}

afterAll(() => rm(repository, { recursive: true, force: true }));

describe('an element of a tensor', () => {
  it.each([
    ['null', 'fp32', null],
    ['NaN', 'fp32', null],
    ['null', 'fp64', null],
    ['1e400', 'fp32-sign', 1],
    ['-Infinity', 'fp64-sign', -1],
    ['null', 'fp32-missing', -1],
  ])('is a number also where a cell would be missing: %s for %s', async (json, model, expected) => {
    const datatype = model.startsWith('fp32') ? 'FP32' : 'FP64';
    const body = () => `{"inputs":[{"name":"x","shape":[1,2],"datatype":"${datatype}","data":[${json},0]}]}`;
    const form = { path: (name: string) => `/v2/models/${name}/infer`, body, isMatrix: true };
    const answer = await send(form, { model, text: '', json, expected: 0 });
    expect(answer).toMatchObject({ outputs: [{ name: 'y', data: [expected] }] });
  });
});

/** The result of a cell in an answer: its numbers, or the text of its error after the field. */
function outcomeOf(answer: JsonValue): Outcome {
  const error = errorOf(answer);
  if (error !== undefined) return error.replace(/^Field "[^"]*"(?: \([^)]*\))?/, 'The cell');
  const [only, ...others] = numbersOf(answer);
  return only === undefined || others.length > 0 ? numbersOf(answer) : only;
}

type Outcome = number | readonly number[] | string;

/** Errors are at different places, but say the same. */
function errorOf(answer: JsonValue): string | undefined {
  if (Array.isArray(answer) && answer.length === 1) return errorOf(answer[0] ?? null);
  if (!isJsonObject(answer)) return undefined;
  // UbiOps answers requests that fail in the model with their `error_message`.
  const error = answer.error ?? answer.error_message ?? null;
  return typeof error === 'string' ? error : isJsonObject(error) ? String(error.message) : undefined;
}

/** The predictions, in any form of answer. */
function numbersOf(answer: JsonValue | undefined): number[] {
  if (typeof answer === 'number') return [answer];
  if (Array.isArray(answer)) return answer.flatMap(numbersOf);
  if (!isJsonObject(answer)) return [];
  const names = ['prediction', 'predictions', 'outputs', 'results', 'result', 'y'];
  return numbersOf(names.map((name) => answer[name]).find((value) => value !== undefined));
}

/** The result of each kind of cell. */
async function outcomesOf(become: (cell: Cell) => Promise<Outcome>): Promise<Record<string, Outcome>> {
  const outcomes: Record<string, Outcome> = {};
  for (const cell of cells) outcomes[titleOf(cell)] = await become(cell);
  return outcomes;
}

const titleOf = ({ model, text, json }: Cell) => `${model}: ${JSON.stringify(text)} in CSV, ${json} in JSON`;

const EXPECTED = Object.fromEntries(
  cells.map((cell) => {
    const { expected } = cell;
    return [titleOf(cell), expected instanceof RegExp ? expect.stringMatching(expected) : expected];
  }),
);

/** A file of one column, or of lines of JSON, for each of the models; its rows are the cells for it. */
const FILES: Readonly<Record<string, File>> = {
  'ternion batch, CSV': { name: 'cells.csv', head: 'cell,other\n', row: line },
  'ternion batch, CSV for a matrix': { name: 'cells.csv', head: 'cell,other\n', row: line, isMatrix: true },
  'ternion batch, lines of lists': { name: 'cells.jsonl', head: '', row: (cell) => `${list(cell)}\n` },
  'ternion batch, lines of objects': {
    name: 'cells.jsonl',
    head: '',
    row: (cell) => `${member('features', object)(cell)}\n`,
    isMatrix: true,
  },
};

interface File {
  readonly name: string;
  readonly head: string;
  readonly row: (cell: Cell) => string;
  readonly isMatrix?: boolean;
}

const QUIET: Console = {
  isJson: true,
  isTerminal: false,
  result: () => {},
  note: () => {},
  failure: () => {},
};

/** Runs the cells of one model as the rows of a file. */
async function runFile({ name, head, row, isMatrix }: File, model: string): Promise<readonly Outcome[]> {
  const folder = await makeFolder({
    [name]:
      head +
      cells
        .filter((cell) => cell.model === model)
        .map(row)
        .join(''),
  });
  const output = join(folder, 'out.jsonl');
  const options = { repository, header: 'auto', batchSize: '7' } as const;
  // Bad rows make the command end with a special exit code.
  const before = process.exitCode;
  await batch(isMatrix ? `${model}-matrix` : model, join(folder, name), output, options, QUIET);
  process.exitCode = before;
  const results = (await readFile(output, 'utf8')).trimEnd().split('\n');
  return results.map((result) => outcomeOf(parseJson(Buffer.from(result), 9)));
}

/** What `ternion predict` prints for a row on the command line: an answer or an error. */
async function runArgument(model: string, row: string): Promise<Outcome> {
  let printed = '';
  const console: Console = { ...QUIET, result: (json) => (printed = writeJson(json)) };
  try {
    await predict(model, row, { repository }, console);
    return outcomeOf(parseJson(Buffer.from(printed), 9));
  } catch (error) {
    if (error instanceof CommandError) return outcomeOf({ error: error.message });
    throw error;
  }
}

describe('a cell means what it means everywhere', () => {
  it.each(Object.entries(FORMS))('%s', async (_, form) => {
    expect(await outcomesOf(async (cell) => outcomeOf(await send(form, cell)))).toEqual(EXPECTED);
  });

  it.each(Object.entries(FILES))('%s', async (_, file) => {
    const results = new Map<string, Outcome[]>();
    for (const model of Object.keys(GRAPHS)) results.set(model, [...(await runFile(file, model))]);
    expect(await outcomesOf(async ({ model }) => results.get(model)?.shift() ?? 'no result')).toEqual(
      EXPECTED,
    );
  });

  it.each([
    ['ternion predict, a list', list],
    ['ternion predict, an object', object],
  ])('%s', async (_, row) => {
    expect(await outcomesOf((cell) => runArgument(cell.model, row(cell)))).toEqual(EXPECTED);
  });
});
