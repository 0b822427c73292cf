import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareOwnCode } from '../../../../shared/own-requests.ts';
import { type ClassificationResult, defineProcessor } from '../../../../shared/processors/processor.ts';
import { openOtlpCollector, valuesOf } from '../../../support/otlp-collector.ts';
import { PROJECT } from '../../../support/project.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';
import { FEATURES, openOtlpHost } from './open-host.ts';

const IRIS = join(PROJECT, 'models/iris/2');

const decide = defineProcessor({
  name: 'decide',
  after: (predictions: readonly ClassificationResult[], { count, observe }) => {
    count('unsure', { reason: 'blurred' });
    count('unsure', 2, { reason: 'dark' });
    count('seen');
    observe('confidence', 0.5, { group: 'a' });
    observe('confidence', 0.75, { group: 'a' });
    count('many', 1e300);
    observe('most', 1e308);
    observe('most', 1e308);
    return predictions;
  },
});

it('sends what steps of own code count and measure, with their labels', async () => {
  const config = JSON.parse(readFileSync(join(IRIS, 'model.json'), 'utf8'));
  const collector = await openOtlpCollector();
  const { send } = await openOtlpHost({
    url: collector.url,
    environment: {
      MODEL_REPOSITORY: await makeFolder({
        'iris/1/model.onnx': readFileSync(join(IRIS, 'model.onnx')),
        'iris/1/model.json': JSON.stringify({ ...config, processors: [{ step: 'decide' }] }),
      }),
    },
    own: prepareOwnCode({ processors: [decide] }),
  });
  for (let index = 0; index < 2; index++) expect((await send(FEATURES)).status).toBe(200);
  const [whole] = collector.spans().filter(({ kind }) => kind === 2);
  expect(valuesOf(whole?.attributes ?? [])).toMatchObject({
    'ternion.counts.unsure': '3',
    'ternion.counts.seen': '1',
    'ternion.labels.unsure.reason': { values: [{ stringValue: 'blurred' }, { stringValue: 'dark' }] },
    'ternion.observations.confidence.count': '2',
    'ternion.observations.confidence.sum': 1.25,
    'ternion.labels.confidence.group': { values: [{ stringValue: 'a' }] },
  });
  // Messages with numbers that no 64-bit integer and no JSON has are refused as a whole.
  expect(whole?.attributes).toContainEqual({ key: 'ternion.counts.many', value: { doubleValue: 1e300 } });
  expect(whole?.attributes).toContainEqual({
    key: 'ternion.observations.most.sum',
    value: { doubleValue: 'Infinity' },
  });
  expect(collector.requests[1]?.text).toContain('"asDouble":1e+300');
  expect(collector.points('ternion.observations.most')[0]).toMatchObject({
    count: 2,
    sum: Number.POSITIVE_INFINITY,
  });
  expect(collector.requests[1]?.text).toContain('"sum":"Infinity"');
  const model = { 'ternion.model': 'iris', 'ternion.model_version': '1' };
  const unsure = collector.points('ternion.counts.unsure');
  expect(unsure.map(({ attributes, count, isMonotonic }) => [attributes, count, isMonotonic])).toEqual(
    [0, 1].flatMap(() => [
      [{ ...model, reason: 'blurred' }, 1, true],
      [{ ...model, reason: 'dark' }, 2, true],
    ]),
  );
  expect(collector.points('ternion.counts.seen').map(({ count }) => count)).toEqual([1, 1]);
  expect(collector.points('ternion.observations.confidence')).toMatchObject([
    { attributes: { ...model, group: 'a' }, count: 2, sum: 1.25, buckets: [2], bounds: [] },
    { attributes: { ...model, group: 'a' }, count: 2, sum: 1.25, buckets: [2], bounds: [] },
  ]);
});
