import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../shared/json/nearest-name.ts';

const KNOWN = ['task', 'labels', 'features', 'postprocess', 'maxBatchSize', 'shapes', 'scale', 'file', 'id'];

describe('the nearest known name', () => {
  it.each([
    ['label', 'labels'],
    ['lables', 'labels'],
    ['Labels', 'labels'],
    ['feature', 'features'],
    ['featrues', 'features'],
    ['max_batch_size', 'maxBatchSize'],
    ['maxBatchsiz', 'maxBatchSize'],
    ['post-process', 'postprocess'],
    ['postproces', 'postprocess'],
    ['fil', 'file'],
    ['shape', 'shapes'],
    ['scales', 'scale'],
  ])('of %s is %s', (name, expected) => {
    expect(nearestName(name, KNOWN)).toBe(expected);
  });

  it.each(['colour', 'preprocess', 'name', 'shade', 'x', '', '__', 'ix', 'label'.repeat(1000)])(
    'of %s does not exist',
    (name) => {
      expect(nearestName(name, KNOWN)).toBeUndefined();
    },
  );
});
