import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createHost } from '../../functions/host.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { PROJECT } from '../support/project.ts';

const NAME = process.getuid ? `ternion-${process.getuid()}` : 'ternion';

function cacheFolder(environment: Readonly<Record<string, string>>): string {
  const { config } = createHost({
    environment: { LOG_LEVEL: 'silent', ...environment },
    modelRepository: join(PROJECT, 'models'),
    pagesFolder: '',
    stores: { file: openFilesystemStore },
  });
  return config.modelCacheFolder;
}

it.each([
  ['the temporary folder', '', join(tmpdir(), NAME)],
  ['a named folder', '/var/cache/models', join('/var/cache/models', NAME)],
  ['a relative one', 'cache/models', join(process.cwd(), 'cache/models', NAME)],
])('downloads go to a folder for each user in %s', (_, given, expected) => {
  expect(cacheFolder({ MODEL_CACHE_FOLDER: given })).toBe(expected);
});

it.each([
  [0.5, 1],
  [2.9, 2],
  [448, 256],
])('a machine of %s vCPUs gets %s threads', (cpus, threads) => {
  const { config } = createHost({
    environment: { LOG_LEVEL: 'silent' },
    modelRepository: join(PROJECT, 'models'),
    pagesFolder: '',
    stores: { file: openFilesystemStore },
    cpus,
  });
  expect(config.intraOpThreads).toBe(threads);
});
