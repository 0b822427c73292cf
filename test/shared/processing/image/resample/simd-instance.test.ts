import { describe, expect, it } from 'vitest';
import { openSimd } from '../../../../../shared/processing/image/resample/simd-instance.ts';

describe('openSimd', () => {
  it('gives as much memory as is asked for and does not keep much of it', () => {
    const large = openSimd(20_000_000);
    expect(large.memory.length).toBeGreaterThanOrEqual(20_000_000);
    const small = openSimd(100);
    expect(small.memory.length).toBe(65_536);
    expect(openSimd(200).functions).toBe(small.functions);
  });
});
