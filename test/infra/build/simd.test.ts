import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble, flatten, get, i32, repeatWhile, set, v128 } from '../../../infra/build/simd/assembler.ts';
import { SIMD_FILE, simdFile } from '../../../infra/build/simd/simd-file.ts';

describe('assemble', () => {
  it('writes the sections of the binary format', () => {
    const bytes = assemble([
      { name: 'f', parameters: 1, integers: 0, vectors: 0, body: set(0, i32.const(-65)) },
    ]);
    expect(Buffer.from(bytes).toString('hex')).toBe(
      [
        '0061736d01000000',
        // Types: one function that takes one i32. One function type, with one i32; one function of that type; a memory of one
        // page; two exports.
        '01050160017f00',
        '03020100',
        '0503010001',
        '070e0201660000066d656d6f72790200',
        // No variables of either kind, then local.set 0 (i32.const -65).
        '0a0d010b02007f007b41bf7f21000b',
      ].join(''),
    );
  });

  it('writes numbers of several bytes', () => {
    expect(flatten([63, 64, -64, 300].map(i32.const))).toEqual([
      0x41, 63, 0x41, 0xc0, 0, 0x41, 0x40, 0x41, 0xac, 2,
    ]);
    expect(flatten(get(200))).toEqual([0x20, 0xc8, 1]);
  });

  it('repeats a body while its condition holds', () => {
    expect(flatten(repeatWhile(get(0), [1, 2], [3]))).toEqual([3, 0x40, 1, 2, 3, 0x20, 0, 0x0d, 0, 0x0b]);
    expect(flatten(v128.load([9]))).toEqual([9, 0xfd, 0, 0, 0]);
  });
});

describe('the module in shared/', () => {
  it('is what "npm run generate:simd" writes', () => {
    expect(readFileSync(SIMD_FILE, 'utf8')).toBe(simdFile());
  });
});
