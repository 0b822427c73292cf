import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import {
  examplesIn,
  makeModelJsonFiles,
  PAGE_FILE,
  SCHEMA_FILE,
} from '../../infra/build/model-json/model-json-files.ts';
import { loadTasks, TASKS } from '../../shared/inference/tasks.ts';
import { ModelError } from '../../shared/models/model-config.ts';
import { buildModel, buildNode, FLOAT, floatInitializer, tensorValue } from '../support/build-model.ts';
import { KNOWN_TASKS } from '../support/known-tasks.ts';
import { lookAt, serve } from '../support/make-inference.ts';
import { MODELS, PROJECT } from '../support/project.ts';

const LOADED_TASKS = await loadTasks(TASKS);
const page = readFileSync(PAGE_FILE, 'utf8');
const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')));

describe('the files that explain model.json', () => {
  it('are what "npm run generate:schema" writes', async () => {
    for (const [path, text] of await makeModelJsonFiles()) expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('have the steps of images that python/ternion_export.py knows', () => {
    const script = readFileSync(join(PROJECT, 'python/ternion_export.py'), 'utf8');
    const [, list = ''] = /^STEPS = \((.*)\)$/m.exec(script) ?? [];
    const steps = [...list.matchAll(/"(\w+)"/g)].map(([, step]) => step);
    const named = page.split('<!-- made of the schemas: steps -->')[1]?.split('<!-- end -->')[0] ?? '';
    const documented = [...named.matchAll(/^\| `(\w+)` \|/gm)].map(([, step]) => step);
    expect(steps).toEqual([...new Set(documented)]);
  });

  it.each(LOADED_TASKS)('have every member of the task $name in a table', ({ name, schema }) => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const isInTable = (member: string) =>
      rows.some(
        (row) => row.startsWith(`| \`${member}\` |`) && (member !== 'task' || row.includes(`\`${name}\``)),
      );
    expect(Object.keys(schema.shape).filter((member) => !isInTable(member))).toEqual([]);
  });

  it.each(examplesIn(page).map((example) => [JSON.stringify(example).slice(0, 60), example]))(
    'have an example that is valid: %s',
    async (_, example) => {
      const { task } = await KNOWN_TASKS.parse(JSON.stringify(example));
      expect(task).toBe(Reflect.get(example, 'task'));
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
    },
  );

  it('have examples of a table, a network on a table, and a picture', () => {
    const tasks = examplesIn(page).map((example) => Reflect.get(example, 'task'));
    expect([...new Set(tasks)]).toEqual([
      'tabular-classification',
      'tabular-regression',
      'image-classification',
    ]);
  });
});

const DOCS = join(PROJECT, 'docs');
const texts = readdirSync(DOCS)
  .filter((name) => name.endsWith('.md'))
  .map((name) => ({ name, text: readFileSync(join(DOCS, name), 'utf8') }));
/** The complete examples of all pages. */
const EXAMPLES = texts.flatMap(({ name, text }) =>
  examplesIn(text).map((example) => ({ name, example, start: JSON.stringify(example).slice(0, 60) })),
);
/** Single members that sentences name with their value: `"file": "onnx/model_q4.onnx"`. */
const MEMBERS = texts.flatMap(({ name, text }) =>
  [...text.matchAll(/`"(\w+)": ([^`]*)`/g)]
    .filter(([, member = '']) => LOADED_TASKS.some(({ schema }) => member in schema.shape))
    .map(([, member = '', value = '']) => ({ name, member, value })),
);

/** Columns or labels; three if an example has none. */
const UNKNOWNS = z._default(z.array(z.unknown()), ['a', 'b', 'c']);

/** A graph with some weights, which takes and gives what an example describes. */
function graphFor(example: object): Uint8Array {
  const { task, features, labels } = z
    .object({ task: z.string(), features: UNKNOWNS, labels: UNKNOWNS })
    .parse(example);
  const shape = task === 'image-classification' ? [1, 28, 28] : [features.length];
  const isOneScore = task === 'tabular-regression' || JSON.stringify(example).includes('sigmoid');
  const scores = isOneScore ? 1 : labels.length;
  // Steps after the graph would make probabilities of the scores; without them the graph must do so.
  const givesScores = task === 'tabular-regression' || 'postprocess' in example;
  const last = buildNode(givesScores ? 'Identity' : 'Softmax', ['scores'], ['y']);
  const size = shape.reduce((product, length) => product * length);
  return buildModel({
    nodes: [buildNode('Flatten', ['x'], ['flat']), buildNode('MatMul', ['flat', 'w'], ['scores']), last],
    initializers: [
      floatInitializer(
        'w',
        [size, scores],
        Array.from({ length: size * scores }, (_, at) => (at % 7) / size),
      ),
    ],
    inputs: [tensorValue('x', FLOAT, ['n', ...shape])],
    outputs: [tensorValue('y', FLOAT, ['n', scores])],
  });
}

describe('a model.json on a page', () => {
  it.each(EXAMPLES)('is valid, and a model that has it answers: $start in $name', async ({ example }) => {
    const inference = await serve({ 'model.json': JSON.stringify(example), 'model.onnx': graphFor(example) });
    expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
    const loaded = await lookAt(
      inference,
      { name: 'm', version: '1' },
      ({ config, problem, example: request }) => ({
        task: config.task,
        problem,
        hasRequest: request !== undefined,
      }),
    );
    expect(loaded).toEqual({ task: Reflect.get(example, 'task'), problem: undefined, hasRequest: true });
  });

  it.each(MEMBERS)('takes the member $member as $name shows it: $value', ({ member, value }) => {
    const isTaken = LOADED_TASKS.some(({ name, schema }) => {
      const needed =
        'preprocess' in schema.shape && name === 'image-classification' ? { preprocess: STEPS } : {};
      return validate({ task: name, ...needed, [member]: JSON.parse(value) });
    });
    expect(isTaken).toBe(true);
  });

  it('is found on two pages, and members on others', () => {
    expect(new Set(EXAMPLES.map(({ name }) => name))).toEqual(new Set(['answers.md', 'model-json.md']));
    expect(MEMBERS.map(({ member }) => member)).toEqual(
      expect.arrayContaining(['answers', 'file', 'output', 'postprocess', 'includePrompt']),
    );
  });
});

const STEPS = [{ step: 'convert', mode: 'grey' }];

describe('the JSON schema of model.json', () => {
  it.each(['iris/1', 'iris/2', 'digits/1'])('takes that of %s', (model) => {
    const config = JSON.parse(readFileSync(join(MODELS, model, 'model.json'), 'utf8'));
    expect(validate(config), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each<[string, object]>([
    ['an unknown member', { task: 'tensor', lables: ['a'] }],
    ['a member of another task', { task: 'tensor', features: [{ name: 'a' }] }],
    ['features that are not objects', { task: 'tabular-regression', features: ['a'] }],
    ['steps that are not objects', { task: 'tabular-classification', postprocess: ['softmax'] }],
    ['an unknown task', { task: 'translation' }],
    ['no task', {}],
    ['a size that is not one', { task: 'tensor', maxBatchSize: 0 }],
  ])('refuses %s, as the server does', async (_, config) => {
    expect(validate(config)).toBe(false);
    await expect(KNOWN_TASKS.parse(JSON.stringify(config))).rejects.toThrow(ModelError);
  });

  it('is named by a member that is not part of the config', async () => {
    const config = { $schema: '../../../docs/model.schema.json', task: 'tensor', labels: ['a'] };
    expect(validate(config)).toBe(true);
    expect(await KNOWN_TASKS.parse(JSON.stringify(config))).toEqual({ task: 'tensor', labels: ['a'] });
    await expect(KNOWN_TASKS.parse('{"task": "tensor", "$schema": 1}')).rejects.toThrow(
      '$schema: the number 1',
    );
  });

  it('is in the npm package, as all of docs is', () => {
    const { files } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    expect(files).toContain('docs');
  });
});
