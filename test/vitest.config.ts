import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = join(import.meta.dirname, '..');

/** Files in the unit folders that read the pages that a build makes, or write models of gigabytes. */
const WHOLE = [
  'test/functions/aws/handler.test.ts',
  'test/shared/onnx/large-models.test.ts',
  'test/shared/openapi/docs.test.ts',
  'test/shared/protocols/catalog.test.ts',
];

// Tests against software in other languages, and against the built site, have configurations of their own.
const files = globSync('test/**/*.test.ts', { cwd: root, exclude: ['test/real/**', 'test/site/**'] });

const filesWith = (pattern: RegExp) =>
  files.filter((file) => pattern.test(readFileSync(join(root, file), 'utf8')));

// A replaced module stays replaced for all that import it later in the same process.
const alone = filesWith(/\bvi\.(?:doM|m)ock\(/);

const startProcesses = filesWith(/ from '(?:node:child_process|.*\/request-in-child\.ts)';/);

const notUnit = new Set([...WHOLE, ...alone, ...startProcesses]);

/** What needs neither a build nor a process of its own: `npm run test:unit` runs it, and `alone`. */
const unit = files.filter((file) => /^test\/(?:shared|functions\/aws)\//.test(file) && !notUnit.has(file));

const whole = files.filter((file) => !unit.includes(file) && !alone.includes(file));

export const UNIT_PROJECT = {
  name: 'unit',
  include: unit,
  // Files share a process: starting one and importing the core there takes longer than most tests.
  isolate: false,
  setupFiles: ['test/support/keep-prototypes.ts'],
};

export default defineConfig({
  root,
  test: {
    // For tests that use ONNX Runtime without Ternion; servers in processes of their own do not get it.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // Whole servers are started as processes; two cores run them at once.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // By default Vitest uses one less than the cores, which leaves one of two idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', `${import.meta.dirname}/closing-line-reporter.ts`],
    projects: [
      { extends: true, test: UNIT_PROJECT },
      { extends: true, test: { name: 'alone', include: alone } },
      { extends: true, test: { name: 'whole', include: whole } },
    ],
  },
});
