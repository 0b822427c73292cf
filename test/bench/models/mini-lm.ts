import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  buildModel,
  FLOAT,
  INT64,
  int64Initializer,
  integerAttribute,
  integerInitializer,
  integersAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { TOKENIZER } from '../../support/text-models.ts';
import { createGraph, type GraphBuilder } from './graph.ts';

/** The sizes of all-MiniLM-L6-v2. Source: its config.json. */
const WORDS = 30_522;
const POSITIONS = 512;
const HIDDEN = 384;
const LAYERS = 6;
const HEADS = 12;
const INNER = 1536;

/** A BERT of the size of all-MiniLM-L6-v2 with random weights: 91 MB. */
export function miniLm(): Uint8Array {
  const graph = createGraph();
  const { node, weights } = graph;
  graph.add('zero', integerInitializer('zero', [], [0n]));
  graph.add('one', integerInitializer('one', [], [1n]));
  graph.add('heads', int64Initializer('heads', [0, 0, HEADS, HIDDEN / HEADS]));
  graph.add('joined', int64Initializer('joined', [0, 0, HIDDEN]));
  graph.add('middle', int64Initializer('middle', [1, 2]));
  const length = node('Gather', [node('Shape', ['input_ids']), 'one'], [integerAttribute('axis', 0)]);
  const positions = node('Range', ['zero', length, 'one']);
  const words = node('Gather', [weights([WORDS, HIDDEN], 3), 'input_ids']);
  const places = node('Gather', [weights([POSITIONS, HIDDEN], 3), positions]);
  const types = node('Gather', [weights([2, HIDDEN], 3), 'token_type_ids']);
  let value = normalise(graph, node('Add', [node('Add', [words, types]), places]));
  // 0 for tokens, and a large negative number for padding.
  const mask = node('Cast', ['attention_mask'], [integerAttribute('to', FLOAT)]);
  const away = node('Mul', [node('Sub', [graph.constant([], 1), mask]), graph.constant([], -10_000)]);
  const bias = node('Unsqueeze', [away, 'middle']);
  for (let layer = 0; layer < LAYERS; layer++) {
    value = normalise(graph, node('Add', [attend(graph, value, bias), value]));
    const inner = gelu(graph, dense(graph, value, HIDDEN, INNER));
    const outer = dense(graph, inner, INNER, HIDDEN);
    const isLast = layer === LAYERS - 1;
    value = normalise(graph, node('Add', [outer, value]), isLast ? 'last_hidden_state' : undefined);
  }
  return buildModel({
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
      tensorValue(name, INT64, ['batch_size', 'sequence_length']),
    ),
    outputs: [tensorValue('last_hidden_state', FLOAT, ['batch_size', 'sequence_length', HIDDEN])],
  });
}

function dense({ node, weights, constant }: GraphBuilder, input: string, from: number, to: number): string {
  return node('Add', [node('MatMul', [input, weights([from, to], from)]), constant([to], 0.01)]);
}

function normalise({ node, constant }: GraphBuilder, input: string, output?: string): string {
  const inputs = [input, constant([HIDDEN], 1), constant([HIDDEN], 0)];
  return node('LayerNormalization', inputs, [integerAttribute('axis', -1)], output);
}

function attend(graph: GraphBuilder, input: string, bias: string): string {
  const { node, constant } = graph;
  const split = (order: readonly bigint[]) =>
    node(
      'Transpose',
      [node('Reshape', [dense(graph, input, HIDDEN, HIDDEN), 'heads'])],
      [integersAttribute('perm', order)],
    );
  const [queries, keys, values] = [split([0n, 2n, 1n, 3n]), split([0n, 2n, 3n, 1n]), split([0n, 2n, 1n, 3n])];
  const scores = node('Div', [node('MatMul', [queries, keys]), constant([], Math.sqrt(HIDDEN / HEADS))]);
  const shares = node('Softmax', [node('Add', [scores, bias])], [integerAttribute('axis', -1)]);
  const mixed = node(
    'Transpose',
    [node('MatMul', [shares, values])],
    [integersAttribute('perm', [0n, 2n, 1n, 3n])],
  );
  return dense(graph, node('Reshape', [mixed, 'joined']), HIDDEN, HIDDEN);
}

/** As exporters write it for operator sets that lack it. */
function gelu({ node, constant }: GraphBuilder, input: string): string {
  const error = node('Erf', [node('Div', [input, constant([], Math.SQRT2)])]);
  const share = node('Mul', [node('Add', [error, constant([], 1)]), constant([], 0.5)]);
  return node('Mul', [input, share]);
}

/** Writes the version `mini-lm/1` into a repository, and returns its folder. */
export async function writeMiniLm(repository: string): Promise<string> {
  const folder = join(repository, 'mini-lm/1');
  const config = { task: 'feature-extraction', pooling: 'mean', normalize: true, maxTokens: 64 };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.onnx'), miniLm());
  await writeFile(join(folder, 'model.json'), JSON.stringify(config));
  for (const [name, text] of Object.entries(TOKENIZER)) await writeFile(join(folder, name), text);
  return folder;
}
