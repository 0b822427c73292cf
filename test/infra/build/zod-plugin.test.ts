import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../../support/project.ts';

// infra/build/zod-plugin.ts leaves the others out of bundles.
it('no code that is bundled coerces to anything but numbers', () => {
  const sources = globSync('{shared,functions}/**/*.ts', { cwd: PROJECT });
  const coerced = sources.flatMap((path) =>
    readFileSync(join(PROJECT, path), 'utf8').match(/\bcoerce\b.{0,8}/g),
  );
  expect(coerced.filter((text) => text !== null)).toEqual(['coerce.number(']);
});
