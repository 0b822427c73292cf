import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createBudget } from '../../../shared/budget.ts';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { createModelRepository, type ModelRepository } from '../../../shared/models/model-repository.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { KNOWN_TASKS } from '../../support/known-tasks.ts';
import { startS3Server } from '../../support/s3-server.ts';
import { startSilentProxy } from '../../support/silent-proxy.ts';
import { testLimits } from '../../support/test-budget.ts';

const FILES = {
  'm/1/model.onnx': 'graph',
  'm/1/model.json': '{"task": "tabular-classification"}',
  'm/deployment.json': '{"aliases": {"champion": "1"}}',
};

/** A repository whose store was listed, and then stops answering; listings are old after 20 ms. */
async function openAndFallSilent(silenceMs?: number) {
  const s3 = await startS3Server({ files: FILES });
  const proxy = await startSilentProxy(s3.url);
  const store = openS3Store('s3://models', { ...s3.client, endpoint: proxy.url, socketTimeoutMs: 60_000 });
  onTestFinished(async () => {
    await proxy.close();
    await s3.close();
  });
  const artifacts = createArtifactCache({ store, folder: '/nowhere' });
  const repository = createModelRepository({
    store,
    artifacts,
    configs: KNOWN_TASKS,
    listingTtlMs: 20,
    silenceMs,
  });
  proxy.speak();
  await repository.ready();
  proxy.fallSilent();
  await wait(50);
  return { repository, proxy };
}

function budgetOf(leftMs: number) {
  return createBudget(testLimits(), { deadlineMs: performance.now() + leftMs });
}

const UNREACHABLE = { name: 'StoreError', reason: 'unreachable' };

it('serves the known models while a store does not answer', async () => {
  const { repository } = await openAndFallSilent();
  const names = async () => (await repository.list()).map(({ name }) => name);
  expect(await names()).toEqual(['m']);
  expect(await repository.resolve('m')).toEqual({ name: 'm', version: '1' });
});

it('waits once for the renewal of the listing, and not with each request', async () => {
  const { repository, proxy } = await openAndFallSilent();
  const earlier = proxy.connections();
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  await repository.list().then(note('first'));
  await Promise.all([
    wait(500).then(note('half a second')),
    ...[1, 2, 3].map(() => repository.list().then(note('later'))),
  ]);
  expect(order).toEqual(['first', 'later', 'later', 'later', 'half a second']);
  expect(proxy.connections() - earlier).toBe(1);
});

it('waits for a renewal no longer than a request has time', async () => {
  const { repository } = await openAndFallSilent();
  const order: string[] = [];
  await Promise.all([
    repository.list(budgetOf(100)).then(() => order.push('list')),
    repository.resolve('m', undefined, budgetOf(100)).then(() => order.push('resolve')),
    wait(500).then(() => order.push('half a second')),
  ]);
  expect(order.at(-1)).toBe('half a second');
});

it('reports an unknown name, though a silent store may have it by now', async () => {
  const { repository } = await openAndFallSilent(100);
  await wait(2_000);
  await expect(repository.resolve('new')).rejects.toMatchObject({ code: 'RESOURCE_DOES_NOT_EXIST' });
});

it.each([
  ['an alias', (r: ModelRepository) => r.resolve('m', 'champion')],
  ['an alias alone', (r: ModelRepository) => r.resolveAlias('m', 'champion')],
  ['a config', (r: ModelRepository) => r.config({ name: 'm', version: '1' })],
])('gives up the file of %s', async (_, ask) => {
  const { repository } = await openAndFallSilent(200);
  await expect(ask(repository)).rejects.toMatchObject(UNREACHABLE);
});
