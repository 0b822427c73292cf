import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROOFS } from '../proofs/proofs.ts';
import { PROJECT } from '../support/project.ts';

it('the table of guarantees has a row for each proof, in its words', () => {
  const text = readFileSync(join(PROJECT, 'docs/guarantees.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `([\w-]+)` \| ([^|]+) \| ([^|]+) \| [^|]*\d[^|]* \|$/gm)];
  expect(rows.map(([, name, guarantee, control]) => [name, guarantee, control])).toEqual(
    PROOFS.map(({ name, guarantee, control }) => [name, guarantee, control]),
  );
});
