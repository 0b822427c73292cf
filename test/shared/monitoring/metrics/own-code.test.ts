import { expect, it } from 'vitest';
import { collect, makeRecord } from '../../../support/metric-records.ts';

const IRIS = { model: 'iris', version: '1', runs: 1, instances: 1 };

it('has what own code counts and measures, with its labels', async () => {
  const once = makeRecord({
    ...IRIS,
    counts: new Map([
      ['unsure', 1],
      ['unsure{reason=blurred}', 2],
    ]),
    observations: new Map([['score{side=left}', { count: 2, sum: 0.5, least: 0.125, largest: 0.375 }]]),
  });
  const { families } = await collect('ternion', [once, once]);
  const samplesOf = (name: string) =>
    families
      .find((family) => family.name === name)
      ?.samples.map(({ suffix, labels, value }) => [suffix, labels, value]);
  const model = { model: 'iris', version: '1' };
  expect(samplesOf('ternion_own_counts')).toEqual([
    ['_total', { name: 'unsure', ...model }, 2],
    ['_total', { name: 'unsure', ...model, reason: 'blurred' }, 4],
  ]);
  expect(samplesOf('ternion_own_values')).toEqual([
    ['_sum', { name: 'score', ...model, side: 'left' }, 1],
    ['_count', { name: 'score', ...model, side: 'left' }, 4],
  ]);
});

it('counts what is beyond 100 combinations of a name and model as other', async () => {
  const records = Array.from({ length: 150 }, (_, index) =>
    makeRecord({ ...IRIS, counts: new Map([[`seen{what=${index}}`, 1]]) }),
  );
  const { families } = await collect('ternion', records);
  const samples = families.find(({ name }) => name === 'ternion_own_counts')?.samples ?? [];
  expect(samples).toHaveLength(101);
  expect(samples.at(-1)).toMatchObject({ labels: { name: 'seen', what: 'other' }, value: 50 });
});

it('counts what is beyond 200 names of a model as other', async () => {
  const measured = { count: 1, sum: 2, least: 2, largest: 2 };
  const records = Array.from({ length: 250 }, (_, index) =>
    makeRecord({
      ...IRIS,
      counts: new Map([[`name${index}{what=a}`, 1]]),
      observations: new Map([[`name${index}`, measured]]),
    }),
  );
  const { families } = await collect('ternion', records);
  const samplesOf = (name: string) => families.find((family) => family.name === name)?.samples ?? [];
  const counts = samplesOf('ternion_own_counts');
  expect(counts).toHaveLength(201);
  expect(counts.at(-1)).toMatchObject({ labels: { name: 'other', model: 'iris', version: '1' }, value: 50 });
  expect(samplesOf('ternion_own_values').slice(-2)).toMatchObject([
    { suffix: '_sum', labels: { name: 'other' }, value: 100 },
    { suffix: '_count', labels: { name: 'other' }, value: 50 },
  ]);
});
