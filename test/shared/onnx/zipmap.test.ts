import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import { replaceZipMaps } from '../../../shared/onnx/zipmap.ts';
import { createSession, type Session } from '../../../shared/runtime/session.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatsAttribute,
  INT64,
  integersAttribute,
  stringsAttribute,
  tensorValue,
  zipMapValue,
} from '../../support/build-model.ts';
import { inMemory } from '../../support/in-memory.ts';
import { MODELS } from '../../support/project.ts';
import { readIrisReference } from '../../support/reference-cases.ts';

const rewriteZipMaps = (model: Uint8Array) => rewriteModel(bytesSource(model), [replaceZipMaps]);

async function open(model: Uint8Array): Promise<Session> {
  const session = await createSession(inMemory(model), { intraOpThreads: 1 });
  onTestFinished(() => session.release());
  return session;
}

async function runRows(session: Session, rows: readonly (readonly number[])[]) {
  const [input] = session.inputs;
  const tensor = createTensor('FP32', [rows.length, rows[0]?.length ?? 0], rows.flat());
  return await session.run(new Map([[input?.name ?? '', tensor]]));
}

interface ClassifierOptions {
  readonly labels: Uint8Array;
  readonly opsets: Readonly<Record<string, number>>;
}

/** Three scores in, a ZipMap of them out. The Scaler is an operator of ai.onnx.ml, as all of some real exports are. */
function zipMapModel({ labels, opsets }: ClassifierOptions): Uint8Array {
  const same = [floatsAttribute('offset', [0, 0, 0]), floatsAttribute('scale', [1, 1, 1])];
  return buildModel({
    nodes: [
      buildNode('Scaler', ['scores'], ['probabilities'], { domain: 'ai.onnx.ml', attributes: same }),
      buildNode('ZipMap', ['probabilities'], ['maps'], { domain: 'ai.onnx.ml', attributes: [labels] }),
    ],
    inputs: [tensorValue('scores', FLOAT, ['', 3])],
    outputs: [zipMapValue('maps', INT64)],
    opsets,
  });
}

const integerLabels = integersAttribute('classlabels_int64s', [-1n, 0n, 7n]);
const textLabels = stringsAttribute('classlabels_strings', ['a', 'b', 'c']);

describe('replaceZipMaps', () => {
  it.each([
    ['integer labels', integerLabels, { '': 18, 'ai.onnx.ml': 3 }],
    ['text labels', textLabels, { '': 18, 'ai.onnx.ml': 3 }],
    ['no default operator set', integerLabels, { 'ai.onnx.ml': 3 }],
    ['the default operator set by its long name', integerLabels, { 'ai.onnx.ml': 3, 'ai.onnx': 15 }],
  ])('makes the probabilities of a model with %s a tensor', async (_, labels, opsets) => {
    const session = await open(rewriteZipMaps(zipMapModel({ labels, opsets })));
    expect(session.outputs).toEqual([{ name: 'maps', datatype: 'FP32', shape: [-1, 3] }]);
    const results = await runRows(session, [
      [0.25, 0.5, 0.25],
      [1, 0, 0],
    ]);
    expect(results.get('maps')).toEqual(createTensor('FP32', [2, 3], [0.25, 0.5, 0.25, 1, 0, 0]));
  });

  it('adds the default operator set only where it is missing', async () => {
    const opsetsAfter = async (opsets: Readonly<Record<string, number>>) => {
      const model = rewriteZipMaps(zipMapModel({ labels: integerLabels, opsets }));
      return [...(await readGraph(bytesSource(model))).opsets];
    };
    expect(await opsetsAfter({ 'ai.onnx.ml': 3 })).toEqual([
      ['ai.onnx.ml', 3],
      ['', 13],
    ]);
    for (const domain of ['', 'ai.onnx']) {
      expect(await opsetsAfter({ [domain]: 18, 'ai.onnx.ml': 3 })).toEqual([
        [domain, 18],
        ['ai.onnx.ml', 3],
      ]);
    }
  });

  it('rewrites several ZipMaps and leaves other outputs as they are', async () => {
    const zipMap = (input: string, output: string) =>
      buildNode('ZipMap', [input], [output], { domain: 'ai.onnx.ml', attributes: [integerLabels] });
    const model = buildModel({
      nodes: [
        buildNode('Neg', ['scores'], ['negative']),
        zipMap('scores', 'first'),
        zipMap('negative', 'second'),
      ],
      inputs: [tensorValue('scores', FLOAT, ['rows', 3])],
      outputs: [
        zipMapValue('first', INT64),
        tensorValue('negative', FLOAT, ['rows', 3]),
        zipMapValue('second', INT64),
      ],
      opsets: { '': 18, 'ai.onnx.ml': 3 },
    });
    const session = await open(rewriteZipMaps(model));
    expect(session.outputs.map(({ name }) => name)).toEqual(['first', 'negative', 'second']);
    const results = await runRows(session, [[1, 2, 3]]);
    expect([...results].map(([name, { data }]) => [name, [...data]])).toEqual([
      ['first', [1, 2, 3]],
      ['negative', [-1, -2, -3]],
      ['second', [-1, -2, -3]],
    ]);
  });

  it('leaves a model without ZipMap byte for byte as it is', () => {
    const model = readFileSync(join(MODELS, 'iris/2/model.onnx'));
    expect(Buffer.compare(rewriteZipMaps(model), model)).toBe(0);
  });

  it('is understood again: a second pass changes nothing', async () => {
    const once = rewriteZipMaps(readFileSync(join(MODELS, 'iris/1/model.onnx')));
    expect((await readGraph(bytesSource(once))).zipMaps).toEqual([]);
    expect(Buffer.compare(rewriteZipMaps(once), once)).toBe(0);
  });

  it('gives the labels and probabilities scikit-learn gives for every row of iris/1', async () => {
    const { rows, labels, probabilities } = await readIrisReference('1');
    const session = await open(rewriteZipMaps(readFileSync(join(MODELS, 'iris/1/model.onnx'))));
    const results = await runRows(session, rows);
    expect(rows).toHaveLength(150);
    expect(results.get('output_label')?.data).toEqual(labels);
    const got = [...(results.get('output_probability')?.data ?? [])].map(Number);
    const largestError = Math.max(...probabilities.flat().map((p, i) => Math.abs(p - (got[i] ?? Infinity))));
    expect(got).toHaveLength(450);
    expect(largestError).toBeLessThan(1e-5);
  });
});
