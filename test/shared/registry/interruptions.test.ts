import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { Logger } from '../../../shared/monitoring/logger.ts';
import { createModel, renameModel } from '../../../shared/registry/models.ts';
import { registerVersion } from '../../../shared/registry/register.ts';
import { createRegistry, type Registry } from '../../../shared/registry/registry.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { MODELS } from '../../support/project.ts';
import { startS3Server } from '../../support/s3-server.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const CALLER = { by: 'admin', workMs: 60_000 };

/** A registry, with the lines of its log. */
function openRegistry(store: WritableStore): { readonly registry: Registry; readonly logged: string[] } {
  const logged: string[] = [];
  const logger: Logger = { writes: () => true, log: (_, message) => logged.push(message) };
  const registry = createRegistry({
    store,
    log: createReleaseLog(store),
    sources: [],
    open: () => store,
    onChange: async () => undefined,
    logger,
    instance: 'test',
  });
  return { registry, logged };
}

it('registers a version although the index cannot be written, which the next change does', async () => {
  const graph = await readFile(join(MODELS, 'iris/1/model.onnx'));
  const s3 = await startS3Server({ files: { 'iris/1/model.onnx': graph } });
  onTestFinished(() => s3.close());
  const { registry, logged } = openRegistry(openS3Store('s3://models', s3.client));
  const register = async () => {
    const { found } = await registerVersion(registry, CALLER, {
      name: 'flowers',
      source: 'models:/flowers/1',
      runId: undefined,
      runLink: undefined,
      modelId: undefined,
      description: undefined,
      tags: {},
    });
    return [found.version, found.status];
  };
  const indexed = (): unknown => JSON.parse(String(s3.content('index.json')));
  await renameModel(registry, CALLER, 'iris', 'flowers');
  s3.addFault({
    when: ({ operation, key }) =>
      operation === 'PutObject' && key === 'index.json' && s3.content('iris/2/model.onnx') !== undefined,
    effect: { kind: 'refuse', status: 403, code: 'AccessDenied' },
  });
  expect(await register()).toEqual(['2', 'READY']);
  expect(indexed()).toMatchObject({ models: { iris: { versions: ['1'] } } });
  expect(logged).toEqual(['version 2 of model "iris" is registered, but not every server sees it yet']);
  s3.clearFaults();
  expect(await register()).toEqual(['3', 'READY']);
  expect(indexed()).toMatchObject({ models: { iris: { versions: ['1', '2', '3'] } } });
});

it('takes a new model back if another one got its name at the same moment', async () => {
  const store = openFilesystemStore(await makeFolder({}));
  const { registry: other } = openRegistry(store);
  await createModel(other, CALLER, { name: 'a', description: undefined, tags: {} });
  const { registry } = openRegistry({
    ...store,
    write: async (path, content, replaced) => {
      if (path === 'releases/b/1.json') await renameModel(other, CALLER, 'a', 'b');
      return await store.write(path, content, replaced);
    },
  });
  const b = { name: 'b', description: 'new', tags: { k: 'v' } };
  await expect(createModel(registry, CALLER, b)).rejects.toMatchObject({
    code: 'RESOURCE_ALREADY_EXISTS',
    message: 'There is a registered model "b" already.',
  });
  const models = await other.models.list();
  expect(models.map(({ folder, name }) => [folder, name])).toEqual([['a', 'b']]);
  // The folder is free again, and has nothing of what it had.
  await renameModel(other, CALLER, 'b', 'a');
  await createModel(other, CALLER, { ...b, description: undefined, tags: {} });
  const { folder, current } = await other.models.get('b');
  expect([folder, current.card.description, current.card.tags]).toEqual(['b', undefined, {}]);
});
