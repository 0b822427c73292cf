import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadTasks, TASKS } from '../../../shared/inference/tasks.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { MODELS } from '../../support/project.ts';

async function messageOf(config: unknown): Promise<string> {
  try {
    await KNOWN_TASKS.parse(typeof config === 'string' ? config : JSON.stringify(config));
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  return 'it is valid';
}

const image = { task: 'image-classification', preprocess: [] };

describe('model.json', () => {
  it.each(
    readdirSync(MODELS, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('model.json')),
  )('reads models/%s', async (path) => {
    const { task } = await KNOWN_TASKS.parse(readFileSync(join(MODELS, path), 'utf8'));
    expect(task).toMatch('classification');
  });

  it('reads each task at its smallest', async () => {
    const read = (config: object) => KNOWN_TASKS.parse(JSON.stringify(config));
    expect(await read({ task: 'tensor' })).toEqual({ task: 'tensor' });
    expect(await read({ task: 'tabular-regression' })).toEqual({ task: 'tabular-regression' });
    expect(await read({ task: 'tabular-classification' })).toEqual({
      task: 'tabular-classification',
      postprocess: [],
    });
    expect(await read(image)).toEqual({ ...image, postprocess: [] });
  });

  it('reads every field', async () => {
    const config = {
      task: 'tabular-classification',
      description: 'text',
      metrics: { accuracy: 0.9 },
      session: { intraOpThreads: 2, graphOptimization: 'basic' },
      features: [{ name: 'a', unit: 'cm', range: [0, 1], description: 'text' }, { name: 'b' }],
      labels: ['no', 1],
      output: 'scores',
      postprocess: [{ step: 'softmax' }],
    };
    expect(await KNOWN_TASKS.parse(JSON.stringify(config))).toEqual(config);
  });

  it.each<[string, unknown, string]>([
    ['text', '{task: tensor}', 'its model.json is not valid JSON'],
    ['an empty file', '', 'its model.json is not valid JSON'],
    ['a list', [], 'the file: '],
    ['no task', {}, 'task: '],
    ['an unknown task', { task: 'translation' }, 'task: '],
    [
      'an unknown field',
      { task: 'tensor', lables: [] },
      'the file: unknown member "lables", perhaps meant as "labels"',
    ],
    [
      'a member of a column in the singular',
      { task: 'tabular', features: [{ name: 'a', value: [1] }] },
      'features.0: unknown member "value", perhaps meant as "values"',
    ],
    ['a field of another task', { task: 'tensor', features: [] }, 'the file: unknown member "features"'],
    [
      'too many steps',
      { task: 'image-classification', preprocess: new Array(1000).fill({ step: 'convert', mode: 'BGR' }) },
      'preprocess: must be at most 32 steps',
    ],
    [
      'too many steps of scores',
      { task: 'tabular-classification', postprocess: new Array(17).fill({ step: 'softmax' }) },
      'postprocess: must be at most 16 steps',
    ],
    ['images without steps', { task: 'image-classification' }, 'preprocess: '],
    ['no labels', { ...image, labels: [] }, 'labels: '],
    ['a label with a fraction', { ...image, labels: ['a', 1.5] }, 'labels.1: must be text or a whole number'],
    [
      'features of the same name',
      { task: 'tabular-regression', features: [{ name: 'a' }, { name: 'a' }] },
      'features: must have distinct names',
    ],
    [
      'a range that is turned round',
      { task: 'tabular-regression', features: [{ name: 'a', range: [1, 0] }] },
      'features.0.range: must be [smallest, largest]',
    ],
    ['a pooling nobody knows', { task: 'feature-extraction', pooling: 'sum' }, 'pooling: '],
    ['no tokens', { task: 'text-classification', maxTokens: 0 }, 'maxTokens: '],
    ['no threads', { task: 'tensor', session: { intraOpThreads: 0 } }, 'session.intraOpThreads: '],
    [
      'steps out of order',
      {
        ...image,
        preprocess: [
          { step: 'rescale', scale: 1 },
          { step: 'convert', mode: 'RGB' },
        ],
      },
      'preprocess.1: "convert" must come before "rescale"',
    ],
  ])('names what is wrong: %s', async (_, config, problem) => {
    expect(await messageOf(config)).toContain(problem);
    expect(await messageOf(config)).toMatch(/^its model\.json is not valid/);
  });

  it('reports all mistakes at once', async () => {
    const message = await messageOf({ task: 'tabular-regression', output: 1, description: 2 });
    expect(message).toMatch(/description: .*; output: /);
  });
});

it('lists the kinds of input that tasks take', async () => {
  const tasks = await loadTasks(TASKS);
  const configs = [{}, { preprocess: [] }];
  expect(TASKS.map(({ name, kinds }) => ({ name, kinds }))).toEqual(
    tasks.map(({ name, kindOf }) => ({
      name,
      kinds: [...new Set(configs.map((config) => kindOf({ task: name, ...config })))],
    })),
  );
});

it('lists the tasks by their names, and those that name classes', async () => {
  const tasks = await loadTasks(TASKS);
  expect(TASKS.map(({ name, hasLabels }) => ({ name, hasLabels }))).toEqual(
    tasks.map(({ name, schema }) => ({ name, hasLabels: Object.hasOwn(schema.shape, 'labels') })),
  );
});
