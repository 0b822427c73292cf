import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import {
  examplesIn,
  makeModelJsonFiles,
  PAGE_FILE,
  SCHEMA_FILE,
} from '../../infra/build/model-json/model-json-files.ts';
import { TASKS } from '../../shared/inference/tasks.ts';
import { KNOWN_TASKS } from '../support/known-tasks.ts';
import { MODELS, PROJECT } from '../support/project.ts';

const page = readFileSync(PAGE_FILE, 'utf8');
const validate = new Ajv({ allowUnionTypes: true }).compile(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')));

describe('the files that explain model.json', () => {
  it('are what "npm run generate:schema" writes', () => {
    for (const [path, text] of makeModelJsonFiles()) expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.each(TASKS)('have every member of the task $name in a table', ({ name, schema }) => {
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    const isInTable = (member: string) =>
      rows.some(
        (row) => row.startsWith(`| \`${member}\` |`) && (member !== 'task' || row.includes(`\`${name}\``)),
      );
    expect(Object.keys(schema.shape).filter((member) => !isInTable(member))).toEqual([]);
  });

  it.each(examplesIn(page).map((example) => [JSON.stringify(example).slice(0, 60), example]))(
    'have an example that is valid: %s',
    (_, example) => {
      expect(KNOWN_TASKS.parse(JSON.stringify(example)).task).toBe(Reflect.get(example, 'task'));
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
  ])('refuses %s, as the server does', (_, config) => {
    expect(validate(config)).toBe(false);
    expect(() => KNOWN_TASKS.parse(JSON.stringify(config))).toThrow();
  });

  it('is named by a member that is not part of the config', () => {
    const config = { $schema: '../../../docs/model.schema.json', task: 'tensor', labels: ['a'] };
    expect(validate(config)).toBe(true);
    expect(KNOWN_TASKS.parse(JSON.stringify(config))).toEqual({ task: 'tensor', labels: ['a'] });
    expect(() => KNOWN_TASKS.parse('{"task": "tensor", "$schema": 1}')).toThrow('$schema: the number 1');
  });

  it('is in the npm package, as all of docs is', () => {
    const { files } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    expect(files).toContain('docs');
  });
});
