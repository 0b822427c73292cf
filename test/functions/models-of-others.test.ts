import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get, post, raw } from '../contracts/exchanges.ts';
import { hasSharedFixtures, SHARED_FIXTURES } from '../fixtures/shared-fixtures.ts';
import { openApp } from '../hosts/in-process.ts';
import type { TestHost, TestRequest } from '../hosts/test-host.ts';

describe.runIf(hasSharedFixtures)('models of other projects (need the shared fixtures)', () => {
  let folder: string;
  let host: TestHost;
  const ask = async (request: TestRequest) => JSON.parse((await host.send(request)).body.toString());

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ternion-models-'));
    await cp(join(SHARED_FIXTURES, 'model-repository'), folder, { recursive: true });
    const labels = readFileSync(join(SHARED_FIXTURES, 'imagenet-labels.txt'), 'utf8').trim().split('\n');
    const config = {
      task: 'image-classification',
      labels: labels.map((line) => line.replace(/^\d+,/, '').trim()),
      preprocess: [
        { step: 'convert', mode: 'BGR' },
        { step: 'layout', layout: 'NCHW' },
      ],
    };
    for (const name of ['squeezenet', 'squeezenet_fp16']) {
      await writeFile(join(folder, name, '1/model.json'), JSON.stringify(config));
    }
    host = openApp({ MODEL_REPOSITORY: folder });
  });

  afterAll(async () => {
    await host.close();
    await rm(folder, { recursive: true });
  });

  it.each(['squeezenet', 'squeezenet_fp16'])('%s sees the kitten as class 281 with 0.93', async (name) => {
    const kitten = readFileSync(join(SHARED_FIXTURES, 'images/kitten_224.png'));
    const answer = await ask(raw(`/models/${name}/predict`, kitten, { 'content-type': 'image/png' }));
    expect(answer).toMatchObject({ class_id: 281, prediction: expect.stringMatching(/^tabby/) });
    expect(answer.confidence).toBeCloseTo(0.9315, 2);
    const scores: number[] = Object.values(answer.top_5);
    expect(scores).toHaveLength(5);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  it('a random forest with ZipMap and without model.json gives its whole-number labels', async () => {
    const answer = await ask(post('/models/iris_rf_zipmap/predict', { features: [5.1, 3.5, 1.4, 0.2] }));
    expect(answer).toMatchObject({ prediction: 0, class_id: 0 });
    expect(answer.probabilities).toEqual({ 0: expect.closeTo(1, 4), 1: 0, 2: 0 });
  });

  it.each([
    ['identity', { inputs: { INPUT0: [['a', 'ü']] } }, { OUTPUT0: [['a', 'ü']] }],
    [
      'increment2x3',
      {
        inputs: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
      {
        output: [
          [2, 3, 4],
          [5, 6, 7],
        ],
      },
    ],
    ['matmul', { inputs: { input1: [[1, 2]], input2: [[3], [4]] } }, { output: [[11]] }],
  ])('%s takes and gives tensors by name', async (name, body, outputs) => {
    expect((await ask(post(`/models/${name}/predict`, body))).outputs).toEqual(outputs);
  });

  it('every one of them is described and answers its own example', async () => {
    const { models }: { models: { name: string }[] } = await ask(get('/models'));
    expect(models).toHaveLength(10);
    for (const { name } of models) {
      const model = await ask(get(`/models/${name}`));
      expect(model.inputs.length, name).toBeGreaterThan(0);
      // simple_string parses its strings as numbers, which an empty string is not.
      if (model.example && name !== 'simple_string') {
        const answer = await host.send(post(`/models/${name}/predict`, model.example));
        expect(answer.status, `${name}: ${answer.body}`).toBe(200);
      }
    }
  });
});

describe.runIf(hasSharedFixtures)('models of other projects without any model.json', () => {
  it('all serve, as what their graphs say', async () => {
    const host = openApp({ MODEL_REPOSITORY: join(SHARED_FIXTURES, 'model-repository') });
    const ask = async (request: TestRequest) => JSON.parse((await host.send(request)).body.toString());
    const { models }: { models: { name: string }[] } = await ask(get('/models'));
    const tasks = await Promise.all(
      models.map(async ({ name }) => {
        const { format, task } = await ask(get(`/models/${name}`));
        return [name, format, task];
      }),
    );
    expect(tasks).toEqual([
      ['identity', 'onnx', 'tensor'],
      ['increment2x3', 'onnx', 'tensor'],
      ['iris_rf_zipmap', 'onnx', 'tabular-classification'],
      ['iris_torch', 'onnx', 'tensor'],
      ['matmul', 'onnx', 'tensor'],
      ['mnist', 'onnx', 'tensor'],
      ['simple', 'onnx', 'tensor'],
      ['simple_string', 'onnx', 'tensor'],
      ['squeezenet', 'onnx', 'tensor'],
      ['squeezenet_fp16', 'onnx', 'tensor'],
    ]);
    await host.close();
  });
});
