import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: `${import.meta.dirname}/..`,
  test: {
    include: ['test/**/*.test.ts'],
    // For tests that use ONNX Runtime without Ternion; servers in processes of their own do not get it.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // Whole servers are started as processes; two cores run them at once.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', `${import.meta.dirname}/closing-line-reporter.ts`],
  },
});
