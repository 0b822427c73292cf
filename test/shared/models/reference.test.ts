import { describe, expect, it } from 'vitest';
import { parseDeployment } from '../../../shared/models/deployment.ts';
import { parseFileManifest } from '../../../shared/models/file-manifest.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { parseFirstCase, parseReference } from '../../../shared/models/reference.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { readReference } from '../../support/reference-cases.ts';

const MANIFEST = JSON.stringify({ files: [{ path: 'a', sizeBytes: 1, sha256: '0'.repeat(64) }] });

describe('parseReference', () => {
  it.each([
    ['iris/1', 150],
    ['iris/2', 150],
    ['digits/1', 20],
  ])('reads the cases of models/%s', async (model, size) => {
    const cases = await readReference(model);
    expect(cases).toHaveLength(size);
    for (const { expected } of cases) {
      const total = Object.values(expected.probabilities ?? {}).reduce((a, b) => a + b, 0);
      expect(total).toBeCloseTo(1, 5);
    }
  });

  it('reads cases without probabilities and leaves out what it does not know', async () => {
    const text = JSON.stringify({
      source: 'a framework',
      cases: [{ request: { features: [1] }, expected: { prediction: 2.5 }, comment: 'x' }],
    });
    expect(await parseReference(text)).toEqual([
      { request: { features: [1] }, expected: { prediction: 2.5 } },
    ]);
  });

  it.each([
    { outputs: { similarity: [[1, 0.5]] } },
    { embedding: [0.5, 0.25], dimensions: 2 },
    { predictions: [{ prediction: 1 }, { prediction: 2 }] },
    { prediction: { label: [1], score: [0.5] } },
  ])('reads the answer of any task: %j', async (expected) => {
    const text = JSON.stringify({ cases: [{ request: { inputs: {} }, expected }] });
    expect(await parseReference(text)).toEqual([{ request: { inputs: {} }, expected }]);
  });

  it.each([
    '',
    'null',
    '{}',
    '{"cases": {}}',
    '{"cases": [{"request": {}, "expected": 1}]}',
    '{"cases": [{"request": [1], "expected": {"prediction": 1}}]}',
  ])('refuses %j', async (text) => {
    await expect(parseReference(text)).rejects.toThrow(ModelError);
    await expect(parseReference(text)).rejects.toThrow('its reference.json is not valid');
    await expect(parseFirstCase(text)).rejects.toThrow('its reference.json is not valid');
  });
});

describe('parseFirstCase', () => {
  const first = { request: { features: [1] }, expected: { prediction: 2.5 } };

  it('reads the first case, also if others have mistakes', async () => {
    expect(await parseFirstCase(JSON.stringify({ cases: [first, { request: 1 }] }))).toEqual(first);
    await expect(parseFirstCase(JSON.stringify({ cases: [{ request: 1 }, first] }))).rejects.toThrow(
      'cases.0.request',
    );
  });

  it('finds none in an empty list', async () => {
    expect(await parseFirstCase('{"cases": []}')).toBeUndefined();
  });
});

describe('a byte order mark', () => {
  it.each([
    ['model.json', () => KNOWN_TASKS.parse('\ufeff{"task":"tensor"}')],
    ['deployment.json', () => parseDeployment('\ufeff{"aliases":{}}')],
    ['reference.json', () => parseReference('\ufeff{"cases":[]}')],
    ['files.json', () => parseFileManifest(`\ufeff${MANIFEST}`, 'iris/1/files.json')],
  ])('is not part of %s', async (_, read) => {
    expect(await read()).toBeDefined();
  });

  it.each([
    ['model.json', () => KNOWN_TASKS.parse('{\n"task" 1')],
    ['deployment.json', () => parseDeployment('{\n"aliases" 1')],
    ['reference.json', () => parseReference('{\n"cases" 1')],
    ['files.json', () => parseFileManifest('{\n"files" 1', 'iris/1/files.json')],
  ])('is not reported as the mistake in %s, whose place is named', async (name, read) => {
    const message = `${name} is not valid JSON at line 2, column `;
    await expect((async () => await read())()).rejects.toThrow(message);
  });
});
