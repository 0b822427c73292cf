import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Graph, readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource, ProtobufError, withOpenFile } from '../../../shared/onnx/protobuf.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  INT64,
  identityModel,
  integerInitializer,
  integersAttribute,
  STRING,
  sequenceValue,
  stringsAttribute,
  tensorValue,
  zipMapValue,
} from '../../support/build-model.ts';
import { MODELS } from '../../support/project.ts';

async function read(model: Uint8Array): Promise<Graph> {
  return await readGraph(bytesSource(model));
}

async function readModel(path: string): Promise<Graph> {
  return await withOpenFile(join(MODELS, path, 'model.onnx'), readGraph);
}

describe('readGraph', () => {
  it('reads the scikit-learn forest iris/1 with its ZipMap', async () => {
    const graph = await readModel('iris/1');
    expect(graph.inputs).toEqual([{ name: 'features', kind: 'tensor', elementType: FLOAT, shape: ['', 4] }]);
    expect(graph.outputs).toEqual([
      { name: 'output_label', kind: 'tensor', elementType: STRING, shape: [''] },
      { name: 'output_probability', kind: 'sequence', elementType: undefined, shape: undefined },
    ]);
    expect(graph.zipMaps).toEqual([
      {
        input: 'probabilities',
        output: 'output_probability',
        labels: ['setosa', 'versicolor', 'virginica'],
      },
    ]);
    expect([...graph.opsets.keys()].sort()).toEqual(['', 'ai.onnx.ml']);
  });

  it('reads the PyTorch network iris/2', async () => {
    const graph = await readModel('iris/2');
    expect(graph.zipMaps).toEqual([]);
    expect(graph.inputs).toEqual([
      { name: 'features', kind: 'tensor', elementType: FLOAT, shape: ['batch', 4] },
    ]);
    expect(graph.outputs).toEqual([
      { name: 'logits', kind: 'tensor', elementType: FLOAT, shape: ['batch', 3] },
    ]);
  });

  it('reads the image network digits/1', async () => {
    const graph = await readModel('digits/1');
    expect(graph.inputs.map(({ shape }) => shape?.slice(1))).toEqual([[1, 8, 8]]);
    expect(graph.outputs.map(({ name, shape }) => [name, shape?.slice(1)])).toEqual([['logits', [10]]]);
  });

  it('reads axes with a size, a name, neither, and a literal -1', async () => {
    const [input] = (await read(identityModel(FLOAT, ['batch', 3, '', -1, 2 ** 40]))).inputs;
    expect(input).toEqual({
      name: 'x',
      kind: 'tensor',
      elementType: FLOAT,
      shape: ['batch', 3, '', -1, 2 ** 40],
    });
  });

  it('distinguishes a scalar from a tensor of unknown rank', async () => {
    const model = buildModel({
      nodes: [],
      inputs: [tensorValue('scalar', FLOAT, []), tensorValue('unknown', FLOAT)],
      outputs: [sequenceValue('sequence', FLOAT), zipMapValue('maps', INT64)],
    });
    const graph = await read(model);
    expect(graph.inputs.map(({ shape }) => shape)).toEqual([[], undefined]);
    expect(graph.outputs.map(({ kind }) => kind)).toEqual(['sequence', 'sequence']);
  });

  it('reads operator sets by domain', async () => {
    const { opsets } = await read(
      buildModel({ nodes: [], inputs: [], outputs: [], opsets: { '': 18, 'ai.onnx.ml': 3 } }),
    );
    expect([...opsets]).toEqual([
      ['', 18],
      ['ai.onnx.ml', 3],
    ]);
  });

  it.each([false, true])('reads integer labels, negative ones too (packed: %s)', async (packed) => {
    const labels = integersAttribute('classlabels_int64s', [-1n, 1n, 300n, -(2n ** 31n)], packed);
    const node = buildNode('ZipMap', ['p'], ['z'], { domain: 'ai.onnx.ml', attributes: [labels] });
    const { zipMaps } = await read(buildModel({ nodes: [node], inputs: [], outputs: [] }));
    expect(zipMaps).toEqual([{ input: 'p', output: 'z', labels: [-1, 1, 300, -(2 ** 31)] }]);
  });

  it('reads more packed labels than a call takes arguments', async () => {
    const values = Array.from({ length: 200_000 }, (_, index) => BigInt(index % 128));
    const labels = integersAttribute('classlabels_int64s', values, true);
    const node = buildNode('ZipMap', ['p'], ['z'], { domain: 'ai.onnx.ml', attributes: [labels] });
    const { zipMaps } = await read(buildModel({ nodes: [node], inputs: [], outputs: [] }));
    expect(zipMaps[0]?.labels).toHaveLength(200_000);
    const attributes = [integersAttribute('classlabels_ints', values, true)];
    const classifier = buildNode('LinearClassifier', ['x'], ['label', 'p'], {
      domain: 'ai.onnx.ml',
      attributes,
    });
    const outputs = [tensorValue('label', INT64, ['n'])];
    const { classLabels } = await read(
      buildModel({ nodes: [classifier], inputs: [], outputs, opsets: { '': 18, 'ai.onnx.ml': 3 } }),
    );
    expect(classLabels.get('label')).toHaveLength(200_000);
  });

  it('reads text labels and other nodes as none', async () => {
    const labels = stringsAttribute('classlabels_strings', ['Größe', '']);
    const node = buildNode('ZipMap', ['p'], ['z'], { domain: 'ai.onnx.ml', attributes: [labels] });
    const { zipMaps } = await read(
      buildModel({ nodes: [buildNode('Identity', ['a'], ['b']), node], inputs: [], outputs: [] }),
    );
    expect(zipMaps).toEqual([{ input: 'p', output: 'z', labels: ['Größe', ''] }]);
  });

  it('gives a graph or a ProtobufError for any change and any cut of a real model', async () => {
    const model = readFileSync(join(MODELS, 'iris/2/model.onnx'));
    const change = fc.record({ at: fc.nat(model.length - 1), byte: fc.nat(255) });
    const changed = fc.record({ changes: fc.array(change), length: fc.nat(model.length) });
    await fc.assert(
      fc.asyncProperty(changed, async ({ changes, length }) => {
        const bytes = Buffer.from(model);
        for (const { at, byte } of changes) bytes[at] = byte;
        try {
          expect((await read(bytes.subarray(0, length))).outputs.length).toBeLessThan(length + 1);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('finds nothing in an empty file', async () => {
    expect(await read(new Uint8Array(0))).toEqual({
      producer: '',
      opsets: new Map(),
      inputs: [],
      outputs: [],
      metadata: [],
      zipMaps: [],
      sequences: [],
      operators: new Set(),
      externalData: [],
      risks: [],
      guards: { edits: [], refusals: [] },
      classLabels: new Map(),
      columnExamples: new Map(),
      missingInputs: new Set(),
      probabilities: new Set(),
      swappedScores: new Set(),
      regressions: new Set(),
    });
  });
});

describe('what operators of ai.onnx.ml say', () => {
  const ml = (type: string, inputs: string[], outputs: string[], attributes: Uint8Array[] = []) =>
    buildNode(type, inputs, outputs, { domain: 'ai.onnx.ml', attributes });
  const plain = (type: string, input: string, output: string) => buildNode(type, [input], [output]);
  const build = async (nodes: Uint8Array[], outputs: string[], initializers: Uint8Array[] = []) =>
    await read(
      buildModel({
        nodes,
        inputs: [tensorValue('x', FLOAT, ['n', 2])],
        outputs: outputs.map((name) => tensorValue(name, FLOAT, ['n'])),
        initializers,
        opsets: { '': 13, 'ai.onnx.ml': 2 },
      }),
    );

  it.each([
    ['TreeEnsembleClassifier', stringsAttribute('classlabels_strings', ['a', 'b']), ['a', 'b']],
    ['LinearClassifier', integersAttribute('classlabels_ints', [-1n, 1n]), [-1, 1]],
    ['SVMClassifier', integersAttribute('classlabels_ints', [3n, 4n], true), [3, 4]],
  ])('names the classes of a %s', async (type, attribute, labels) => {
    const graph = await build(
      [
        ml(type, ['x'], ['raw', 'scores'], [attribute]),
        plain('Cast', 'raw', 'cast'),
        plain('Reshape', 'cast', 'label'),
      ],
      ['label', 'scores'],
    );
    // Only the labels are labels: the scores come from the same operator.
    expect([...graph.classLabels]).toEqual([['label', labels]]);
  });

  it('names the classes an index picks out of a constant, as int64 in the raw', async () => {
    const graph = await build(
      [plain('ArgMax', 'x', 'index'), ml('ArrayFeatureExtractor', ['classes', 'index'], ['label'])],
      ['label'],
      [integerInitializer('others', [1], [9n]), integerInitializer('classes', [3], [5n, -6n, 7n])],
    );
    expect([...graph.classLabels]).toEqual([['label', [5, -6, 7]]]);
  });

  it('names the classes after a LabelEncoder', async () => {
    const classes = integersAttribute('classlabels_int64s', [0n, 1n]);
    const encode = (keys: bigint[]) =>
      ml(
        'LabelEncoder',
        ['raw'],
        ['label'],
        [integersAttribute('keys_int64s', keys), stringsAttribute('values_strings', ['one', 'zero'])],
      );
    const classifier = ml('TreeEnsembleClassifier', ['x'], ['raw', 'scores'], [classes]);
    expect([...(await build([classifier, encode([1n, 0n])], ['label'])).classLabels]).toEqual([
      ['label', ['zero', 'one']],
    ]);
    expect((await build([classifier, encode([1n, 2n])], ['label'])).classLabels.size).toBe(0);
  });

  it('knows what a regressor predicts, also scaled and added up', async () => {
    const graph = await build(
      [
        ml('TreeEnsembleRegressor', ['x'], ['a']),
        ml('LinearRegressor', ['x'], ['b']),
        buildNode('Add', ['a', 'b'], ['sum']),
        plain('Identity', 'sum', 'y'),
        plain('Softmax', 'a', 'scores'),
        plain('Neg', 'x', 'other'),
      ],
      ['y', 'a', 'scores', 'other'],
    );
    expect([...graph.regressions]).toEqual(['y', 'a']);
  });

  it('goes through sums of sums once', async () => {
    const sums = Array.from({ length: 200 }, (_, index) =>
      buildNode('Add', [`s${index}`, `s${index}`], [`s${index + 1}`]),
    );
    const graph = await build([plain('Identity', 'x', 's0'), ...sums], ['s200']);
    expect(graph.regressions.size).toBe(0);
  });

  it('finds nothing in a graph that turns in a circle', async () => {
    const graph = await build([plain('Identity', 'b', 'a'), plain('Identity', 'a', 'b')], ['a']);
    expect([graph.classLabels.size, graph.regressions.size]).toEqual([0, 0]);
  });

  it('is not looked for where the file does not use the domain', async () => {
    const graph = await read(
      buildModel({
        nodes: [ml('LinearRegressor', ['x'], ['y'])],
        inputs: [tensorValue('x', FLOAT, ['n', 2])],
        outputs: [tensorValue('y', FLOAT, ['n', 1])],
      }),
    );
    expect(graph.regressions.size).toBe(0);
  });
});
