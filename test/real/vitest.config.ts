import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: `${import.meta.dirname}/../..`,
  test: {
    include: ['test/real/**/*.test.ts'],
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // By default Vitest uses one less than the cores, which leaves one of two idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default', `${import.meta.dirname}/../closing-line-reporter.ts`],
  },
});
