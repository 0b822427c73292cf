import { describe, expect, it } from 'vitest';
import { ModelError } from '../../../shared/models/model-config.ts';
import { parseReference } from '../../../shared/models/reference.ts';
import { readReference } from '../reference-cases.ts';

describe('parseReference', () => {
  it.each([
    ['iris/1', 150],
    ['iris/2', 150],
    ['digits/1', 20],
  ])('reads the cases of models/%s', (model, size) => {
    const cases = readReference(model);
    expect(cases).toHaveLength(size);
    for (const { expected } of cases) {
      const total = Object.values(expected.probabilities ?? {}).reduce((a, b) => a + b, 0);
      expect(total).toBeCloseTo(1, 5);
    }
  });

  it('reads cases without probabilities and leaves out what it does not know', () => {
    const text = JSON.stringify({
      source: 'a framework',
      cases: [{ request: { features: [1] }, expected: { prediction: 2.5 }, comment: 'x' }],
    });
    expect(parseReference(text)).toEqual([{ request: { features: [1] }, expected: { prediction: 2.5 } }]);
  });

  it.each([
    '',
    'null',
    '{}',
    '{"cases": {}}',
    '{"cases": [{"request": [1], "expected": {"prediction": 1}}]}',
  ])('refuses %j', (text) => {
    expect(() => parseReference(text)).toThrow(ModelError);
    expect(() => parseReference(text)).toThrow('its reference.json is not valid');
  });
});
