import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

/** A quarter more than it takes. The figure is the same on each machine: no collection runs in between. */
const MOST_BYTES = 35_000;

it('makes few new objects for a request of a small model', async () => {
  const flags = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
  const script = join(import.meta.dirname, 'processes/allocations.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, '1000']);
  const { bytes, collections } = JSON.parse(stdout);
  expect(collections).toBe(0);
  // So little would mean that it was not counted.
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThan(MOST_BYTES);
});
