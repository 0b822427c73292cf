import { expect, it } from 'vitest';
import { readInstanceSize } from '../../../functions/aws/instance-size.ts';
import { createHost } from '../../../functions/host.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { MODELS, PAGES } from '../../support/project.ts';

it.each([
  [undefined, 1, 927_465_472],
  ['128', 1, 67_108_864],
  ['1769', 1, 927_465_472],
  ['3538', 2, 1_854_930_944],
  ['10240', 5, 5_368_709_120],
])('a function of %s MB has %i threads and a cache of %i bytes for sessions', (memory, threads, bytes) => {
  const environment = { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: memory };
  const { config, app } = createHost({
    environment,
    modelRepository: MODELS,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    ...readInstanceSize(environment),
  });
  expect([config.intraOpThreads, config.sessionCacheBytes]).toEqual([threads, bytes]);
  return app.close();
});
