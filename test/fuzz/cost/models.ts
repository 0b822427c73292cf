import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Axis,
  BOOL,
  buildModel,
  buildNode,
  FLOAT,
  FLOAT16,
  floatInitializer,
  INT64,
  identityModel,
  int64Initializer,
  STRING,
  tensorValue,
  twoInputModel,
} from '../../support/build-model.ts';
import { type Files, readFormatFolder } from '../../support/format-folders.ts';
import { PROJECT } from '../../support/project.ts';

/** A model under attack: all are tiny, so that what a request costs is the cost of the server around it. */
export interface VictimModel {
  readonly name: string;
  /** What its requests are mostly made of. */
  readonly takes: 'rows' | 'images' | 'texts' | 'tensors';
  /** The first input of its graph. */
  readonly input: string;
  readonly datatype: string;
  /** Names of its columns; empty where it has none. */
  readonly columns: readonly string[];
  /** One row that it takes, where it takes rows. */
  readonly row: readonly (number | string)[];
}

interface Recipe extends VictimModel {
  readonly files: () => Files;
}

const IRIS = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
const IRIS_ROW = [5.1, 3.5, 1.4, 0.2];
const NO_COLUMNS = { columns: [], row: [] };

const MODELS: readonly Recipe[] = [
  rows('iris', 'features', 'FP32', IRIS, IRIS_ROW, () => readModel('models/iris/2')),
  rows('zipmap', 'X', 'FP32', [], IRIS_ROW, () => readFormatFolder('tabular/sklearn-zipmap')),
  rows('columns', 'city', 'BYTES', ['city', 'area', 'rooms', 'garden'], ['a', 1, 1, 'b'], () =>
    readFormatFolder('tabular/sklearn-columns'),
  ),
  rows('words', 'text', 'BYTES', ['text'], ['gut'], () => readFormatFolder('tabular/sklearn-texts')),
  rows('missing', 'X', 'FP32', [], IRIS_ROW, () => readFormatFolder('tabular/lightgbm-missing')),
  rows('mlflow', 'x', 'FP32', [], IRIS_ROW, () => readFormatFolder('mlflow/columns')),
  images('digits', 'image', () => readModel('models/digits/1')),
  images('photos', 'input', () => readModel('test/fixtures/resnet/small/models/photos/1')),
  images('convnext', 'pixel_values', () => readFormatFolder('optimum/convnext')),
  images('vit-features', 'pixel_values', () => readFormatFolder('optimum/vit-features')),
  texts('sentiment', () => readFormatFolder('optimum/bert-sentiment')),
  texts('sentences', () => readFormatFolder('optimum/sentence-dense')),
  texts('tokens', () => readFormatFolder('optimum/bert-features')),
  ...['bpe', 'charsmap', 'unigram', 'wordpiece'].map((kind) => texts(kind, () => embedder(kind))),
  texts('added', () => embedder('wordpiece', [`${'a'.repeat(511)}b`])),
  tensors('floats', 'FP32', () => identityModel(FLOAT, ['n', 'm'])),
  tensors('list', 'FP32', () => identityModel(FLOAT, ['n'])),
  tensors('halves', 'FP16', () => identityModel(FLOAT16, ['n', 'm'])),
  tensors('integers', 'INT64', () => identityModel(INT64, ['n', 'm'])),
  tensors('flags', 'BOOL', () => identityModel(BOOL, ['n', 'm'])),
  tensors('strings', 'BYTES', () => identityModel(STRING, ['n', 'm'])),
  tensors('open', 'FP32', openRankModel),
  tensors('larger', 'FP32', repeatingModel),
  { name: 'sum', takes: 'tensors', input: 'a', datatype: 'FP32', ...NO_COLUMNS, files: only(twoInputModel) },
];

/** What the search can send requests to. */
export const VICTIMS: readonly VictimModel[] = MODELS;

/** Writes a repository of all these models, one version each. */
export function writeRepository(folder: string): void {
  for (const { name, files } of MODELS) {
    for (const [path, content] of Object.entries(files())) {
      const target = join(folder, name, '1', path);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, content);
    }
  }
  writeFileSync(join(folder, 'iris/deployment.json'), JSON.stringify({ aliases: { champion: '1' } }));
  cpSync(join(folder, 'iris/1'), join(folder, 'iris/0'), { recursive: true });
}

function rows(
  name: string,
  input: string,
  datatype: string,
  columns: readonly string[],
  row: readonly (number | string)[],
  files: () => Files,
): Recipe {
  return { name, takes: 'rows', input, datatype, columns, row, files };
}

function images(name: string, input: string, files: () => Files): Recipe {
  return { name, takes: 'images', input, datatype: 'FP32', ...NO_COLUMNS, files };
}

function texts(name: string, files: () => Files): Recipe {
  return { name, takes: 'texts', input: 'input_ids', datatype: 'INT64', ...NO_COLUMNS, files };
}

function tensors(name: string, datatype: string, graph: () => Uint8Array): Recipe {
  return { name, takes: 'tensors', input: 'x', datatype, ...NO_COLUMNS, files: only(graph) };
}

function only(graph: () => Uint8Array): () => Files {
  return () => ({ 'model.onnx': graph() });
}

function readModel(path: string): Files {
  const folder = join(PROJECT, path);
  return Object.fromEntries(
    ['model.onnx', 'model.json'].map((name) => [name, readFileSync(join(folder, name))]),
  );
}

/** A vector of two numbers per token, averaged: the graph is so small that the cost is that of the tokenizer. */
function embedder(kind: string, addedTokens: readonly string[] = []): Files {
  const folder = join(PROJECT, 'test/fixtures/tokenizers', kind);
  const tokenizer = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
  tokenizer.added_tokens.push(...addedTokens.map((content) => ({ id: 0, content, special: true })));
  return {
    'model.onnx': tokenModel(),
    'model.json': JSON.stringify({ task: 'feature-extraction', pooling: 'mean' }),
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': readFileSync(join(folder, 'tokenizer_config.json')),
  };
}

function tokenModel(): Uint8Array {
  const words = 1000;
  const tokens: readonly Axis[] = ['n', 't'];
  return buildModel({
    nodes: [
      buildNode('Gather', ['vectors', 'input_ids'], ['last_hidden_state']),
      buildNode('Identity', ['attention_mask'], ['unused']),
    ],
    inputs: [tensorValue('input_ids', INT64, tokens), tensorValue('attention_mask', INT64, tokens)],
    outputs: [tensorValue('last_hidden_state', FLOAT, [...tokens, 2])],
    initializers: [floatInitializer('vectors', [words, 2], new Array<number>(words * 2).fill(1))],
  });
}

/** Returns its input, of any axes. */
function openRankModel(): Uint8Array {
  return buildModel({
    nodes: [buildNode('Identity', ['x'], ['y'])],
    inputs: [tensorValue('x', FLOAT)],
    outputs: [tensorValue('y', FLOAT)],
  });
}

/** Each row a thousand times as wide. */
function repeatingModel(): Uint8Array {
  return buildModel({
    nodes: [buildNode('Tile', ['x', 'repeats'], ['y'])],
    inputs: [tensorValue('x', FLOAT, ['n', 'm'])],
    outputs: [tensorValue('y', FLOAT, ['n', 'k'])],
    initializers: [int64Initializer('repeats', [1, 1000])],
  });
}
