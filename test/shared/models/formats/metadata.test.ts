import { describe, expect, it } from 'vitest';
import { recogniseModel } from '../../../../shared/models/formats/recognise.ts';
import type { Graph } from '../../../../shared/onnx/graph.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, viewOf } from './make-folder-view.ts';

const entry = (key: string, value: string) => ({ key, value, bytes: Buffer.byteLength(value) });

async function recognise(
  metadata: Readonly<Record<string, string>>,
  output: readonly number[] = [-1, 3],
  files: Readonly<Record<string, string>> = {},
  graph: Partial<Graph> = {},
) {
  const entries = Object.entries(metadata).map(([key, value]) => entry(key, value));
  const view = viewOf([['x', 'FP32', [-1, 3, 8, 8]]], [['y', 'FP32', output]], {
    ...graph,
    metadata: entries,
  });
  return (await recogniseModel(folderOf(files), view, KNOWN_TASKS)).config;
}

describe('labels in the metadata of a graph', () => {
  it.each([
    ['of Paddle and RapidOCR', 'character', '0\n90\n180', ['0', '90', '180']],
    ['with lines of Windows and an end of line', 'character', 'a\r\nb\r\nc\r\n', ['a', 'b', 'c']],
    ['of Ultralytics', 'names', "{0: 'person', 1: 'bicycle', 2: 'car'}", ['person', 'bicycle', 'car']],
    [
      'of Ultralytics with quotes and escapes',
      'names',
      String.raw`{0: "driver's seat", 1: 'a\\b \xe9\u00e9', 2: 'both \'"'}`,
      ["driver's seat", 'a\\b éé', `both '"`],
    ],
    ['of Ultralytics in any order', 'names', "{2: 'c', 0: 'a', 1: 'b',}", ['a', 'b', 'c']],
    ['as an object of JSON', 'names', '{"0": "a", "1": "b", "2": "c"}', ['a', 'b', 'c']],
    ['as a list of JSON', 'classes', '["a", "b, c", "d"]', ['a', 'b, c', 'd']],
    ['as numbers in JSON', 'labels', '[0, 90, 180]', ['0', '90', '180']],
    ['as a list of Python', 'class_names', "['a', \"b\", 'c']", ['a', 'b', 'c']],
    ['with commas', 'labels', 'cat, dog,bird', ['cat', 'dog', 'bird']],
  ])('are read %s', async (_, key, value, labels) => {
    expect(await recognise({ [key]: value })).toEqual({ task: 'tensor', labels });
  });

  it.each([
    ['are too few', 'names', "{0: 'a', 1: 'b'}"],
    ['are too many', 'character', 'a\nb\nc\nd'],
    ['leave out a number', 'names', "{0: 'a', 1: 'b', 3: 'c'}"],
    ['have a number twice', 'names', "{0: 'a', 1: 'b', 1: 'c'}"],
    ['are not names', 'labels', '[1, null, {}]'],
    ['are empty', 'labels', 'a,,b'],
    ['have no end', 'names', "{0: 'a', 1: 'b', 2: 'c"],
    ['have an escape that is not known', 'names', String.raw`['a', 'b', '\N{BULLET}']`],
    ['are an expression', 'names', "['a', 'b', open('c')]"],
    ['are one text', 'labels', 'abc'],
    ['are texts, not names', 'labels', `a,b,${'c'.repeat(201)}`],
    ['hold what a terminal acts on', 'labels', 'a,b,\u001b[2J'],
    ['hold it as an escape', 'names', String.raw`['a', 'b', '\x1b[2J']`],
    ['have another key', 'description', 'a\nb\nc'],
    ['are those of a detector', 'stride', '32'],
  ])('are ignored where they %s', async (_, key, value) => {
    expect(await recognise({ [key]: value })).toEqual({ task: 'tensor' });
  });

  it('are ignored where the output is not a row of scores, or does not say how many', async () => {
    const names = { names: "['a', 'b', 'c']" };
    expect(await recognise(names, [-1, 3, 80])).toEqual({ task: 'tensor' });
    expect(await recognise(names, [-1, -1])).toEqual({ task: 'tensor' });
    expect(await recognise(names, [-1, 3, 1, 1])).toHaveProperty('labels', ['a', 'b', 'c']);
    expect(await recognise({ names: "['a', 'b']" }, [-1, 1])).toEqual({ task: 'tensor' });
  });

  it('count where several keys agree, and not where they differ', async () => {
    expect(await recognise({ names: "['a', 'b', 'c']", labels: 'a,b,c' })).toHaveProperty('labels');
    expect(await recognise({ names: "['a', 'b', 'c']", labels: 'a,b,d' })).not.toHaveProperty('labels');
    expect(await recognise({ names: "['a', 'b', 'c']", classes: '80' })).toHaveProperty('labels');
  });

  it('come after those of a file and those of the graph', async () => {
    const names = { names: "['a', 'b', 'c']" };
    expect(await recognise(names, [-1, 3], { 'labels.txt': 'x\ny\nz' })).toHaveProperty('labels', [
      'x',
      'y',
      'z',
    ]);
    const zipMaps = [{ input: 'p', output: 'y', labels: ['k', 'l', 'm'] }];
    expect(await recognise(names, [-1, 3], {}, { zipMaps })).not.toHaveProperty('labels');
    const numbers = [{ input: 'p', output: 'y', labels: [0, 1, 2] }];
    expect(await recognise(names, [-1, -1], {}, { zipMaps: numbers })).toHaveProperty('labels', [
      'a',
      'b',
      'c',
    ]);
  });

  it('that were not read to their end are ignored', async () => {
    const view = viewOf([['x', 'FP32', [-1, 4]]], [['y', 'FP32', [-1, 3]]], {
      metadata: [{ key: 'labels', value: 'a,b,c', bytes: 6 }],
    });
    expect((await recogniseModel(folderOf({}), view, KNOWN_TASKS)).config).toEqual({ task: 'tensor' });
  });

  it.each([
    ['deep JSON', '['.repeat(1_000_000)],
    ['an open text', `['${'x'.repeat(1_000_000)}`],
    ['many empty lines', '\n'.repeat(1_000_000)],
    ['many commas', ','.repeat(1_000_000)],
    ['many entries', `[${"'a', ".repeat(150_000)}]`],
    ['many escapes', `['${String.raw`\x41`.repeat(250_000)}`],
    ['many spaces', `{${' '.repeat(1_000_000)}`],
  ])('of a megabyte with %s are ignored', async (_, value) => {
    expect(await recognise({ names: value })).toEqual({ task: 'tensor' });
  });
});

describe('names of columns in the metadata of a graph', () => {
  const regression = (metadata: Readonly<Record<string, string>>, inputs = 1) => {
    const specs = Array.from({ length: inputs }, (_, index) => [`x${index}`, 'FP32', [-1, 2]] as const);
    const view = viewOf(specs, [['y', 'FP32', [-1, 1]]], {
      regressions: new Set(['y']),
      metadata: Object.entries(metadata).map(([key, value]) => entry(key, value)),
    });
    return recogniseModel(folderOf({}), view, KNOWN_TASKS);
  };

  it('name the columns of a matrix', async () => {
    expect((await regression({ feature_names: '["volume", "speed limit"]' })).config).toEqual({
      task: 'tabular-regression',
      features: [{ name: 'volume' }, { name: 'speed limit' }],
    });
  });

  it.each([
    ['are too many', '["a", "b", "c"]'],
    ['are not distinct', '["a", "a"]'],
    ['are empty', '["a", ""]'],
    ['are not a list', 'a,b'],
  ])('are ignored where they %s', async (_, value) => {
    expect((await regression({ feature_names: value })).config).toEqual({ task: 'tabular-regression' });
  });

  it('are ignored where inputs have names of their own, and for other tasks', async () => {
    expect((await regression({ feature_names: '["a", "b"]' }, 2)).config).not.toHaveProperty('features');
    expect(await recognise({ feature_names: '["a", "b", "c"]' })).toEqual({ task: 'tensor' });
  });
});
