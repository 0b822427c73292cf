import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { raw } from '../../contracts/exchanges.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import { PROJECT } from '../../support/project.ts';
import { serveModels } from '../../support/serve-models.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const FORMATS = join(PROJECT, 'test/fixtures/formats');
const PNG_TYPE = { 'content-type': 'image/png' };

/** The square root of each channel's mean, made negative: not a number where there is any light. */
const notNumbers = buildModel({
  nodes: [
    buildNode('GlobalAveragePool', ['x'], ['means']),
    buildNode('Neg', ['means'], ['negative']),
    buildNode('Sqrt', ['negative'], ['roots']),
    buildNode('Flatten', ['roots'], ['scores']),
  ],
  inputs: [tensorValue('x', FLOAT, ['n', 3, 32, 32])],
  outputs: [tensorValue('scores', FLOAT, ['n', 3])],
});

const config = {
  task: 'image-classification',
  labels: ['a', 'b', 'c'],
  preprocess: [
    { step: 'decode' },
    { step: 'convert', mode: 'RGB' },
    { step: 'resize', width: 32, height: 32 },
    { step: 'rescale', scale: 1 / 255 },
    { step: 'layout', layout: 'NCHW' },
  ],
};

describe('scores that are not numbers', () => {
  it.each([
    ['SageMaker', raw('/endpoints/m/invocations', PNG, PNG_TYPE)],
    ['Hugging Face', raw('/hf/m', PNG, PNG_TYPE)],
    ['TorchServe', raw('/predictions/m', PNG, PNG_TYPE)],
  ])('are written to clients of %s as the setting says', async (_, request) => {
    for (const [setting, word] of [
      ['null', 'null'],
      ['literal', 'NaN'],
    ] as const) {
      const host = await serveModels({ m: notNumbers }, { NON_FINITE_JSON: setting }, { m: config });
      const { status, body } = await host.send(request);
      expect(status, body.toString()).toBe(200);
      expect(body.toString().match(/\b(?:null|NaN)\b/g)).toEqual([word, word, word]);
    }
  });
});

describe('an image embedder', () => {
  it('gives the clients of SageMaker its vectors', async () => {
    const host = openApp({ MODEL_REPOSITORY: FORMATS });
    const picture = readFileSync(join(FORMATS, 'optimum/picture.png'));
    const predict = await host.send(raw('/models/optimum/versions/vit-features/predict', picture, PNG_TYPE));
    const { embedding } = JSON.parse(predict.body.toString());
    const answer = await host.send(
      raw('/endpoints/optimum/invocations', picture, {
        ...PNG_TYPE,
        'x-amzn-sagemaker-target-variant': 'vit-features',
      }),
    );
    expect(embedding.length).toBeGreaterThan(1);
    expect(JSON.parse(answer.body.toString())).toEqual(embedding);
    await host.close();
  });
});
