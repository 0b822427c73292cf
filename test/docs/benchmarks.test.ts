import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writePage } from '../bench/report/page.ts';
import type { Results } from '../bench/results.ts';
import { PROJECT } from '../support/project.ts';

const DOCS = join(PROJECT, 'docs');
const results: Results = JSON.parse(readFileSync(join(PROJECT, 'test/bench/results.json'), 'utf8'));
const files = writePage(results);

it('the page of the benchmarks and its pictures are those of the measured values, and were not edited', () => {
  for (const [path, text] of files) expect(readFileSync(join(DOCS, path), 'utf8'), path).toBe(text);
});

it('there are no pictures of scenarios that no longer exist', () => {
  const pictures = globSync('images/bench-*', { cwd: DOCS }).map((path) => path.replaceAll('\\', '/'));
  expect(pictures.sort()).toEqual([...files.keys()].filter((path) => path.startsWith('images/')).sort());
});
