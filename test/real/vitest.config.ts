import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: `${import.meta.dirname}/../..`,
  test: {
    include: ['test/real/**/*.test.ts'],
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default', `${import.meta.dirname}/../closing-line-reporter.ts`],
  },
});
