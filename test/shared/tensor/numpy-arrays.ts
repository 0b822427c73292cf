import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../support/project.ts';

interface GoldenArray {
  readonly name: string;
  /** The file as NumPy wrote it, in base64. */
  readonly npy: string;
  readonly shape: readonly number[];
  /** In row-major order, as Python prints them. */
  readonly elements: readonly string[];
}

interface GoldenArrays {
  readonly arrays: readonly GoldenArray[];
  readonly refused: Readonly<Record<string, string>>;
  readonly archives: Readonly<Record<'stored' | 'packed', string>>;
  readonly large: string;
}

/** Arrays as NumPy writes them. Made by test/fixtures/numpy/make.py. */
export const GOLDEN: GoldenArrays = JSON.parse(
  readFileSync(join(PROJECT, 'test/fixtures/numpy/arrays.json'), 'utf8'),
);
