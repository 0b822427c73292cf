import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makePublicTypes } from '../../../infra/build/types/public-types.ts';
import { PROJECT } from '../../support/project.ts';

// After a change of what the package exports: npm run generate:types, and read what has changed.
it('the kept types of the package are those of its code', async () => {
  const made = await makePublicTypes(PROJECT);
  expect([...made.keys()]).toEqual(['docs/api/ternion.d.ts', 'docs/api/aws-cdk.d.ts']);
  for (const [path, text] of made) {
    expect(readFileSync(join(PROJECT, path), 'utf8')).toBe(text);
    // They need no file beside them, and all that people see in their editor has its comment.
    expect([...text.matchAll(/from ["']\./g)]).toEqual([]);
  }
  expect(made.get('docs/api/ternion.d.ts')).toContain(
    '/** All models of a repository as a part of another server. */',
  );
});
