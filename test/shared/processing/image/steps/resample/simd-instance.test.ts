import { describe, expect, it } from 'vitest';
import { takeSimd } from '../../../../../../shared/processing/image/steps/resample/simd-instance.ts';

describe('takeSimd', () => {
  it('gives as much memory as is asked for and does not keep much of it', () => {
    const large = takeSimd(20_000_000);
    expect(large.memory.length).toBeGreaterThanOrEqual(20_000_000);
    large.giveBack();
    const small = takeSimd(100);
    expect(small.memory.length).toBe(65_536);
    small.giveBack();
    expect(takeSimd(200).functions).toBe(small.functions);
  });

  it('gives memory to one caller at a time', () => {
    const first = takeSimd(100);
    expect(takeSimd(100).memory.buffer).not.toBe(first.memory.buffer);
  });
});
