import { MODELS } from '../project.ts';

/** Small limits, so that tests reach them with small bodies. */
export const TEST_ENVIRONMENT = {
  MODEL_REPOSITORY: MODELS,
  MAX_BODY_BYTES: '200000',
  MAX_IMAGE_PIXELS: '1000000',
  MAX_BATCH_SIZE: '50',
  MAX_JSON_DEPTH: '8',
  // Sums over trees differ in the last digit with the number of threads.
  INTRA_OP_THREADS: '1',
  LOG_LEVEL: 'silent',
  ADMIN_KEY: 'the key of tests',
} as const;
