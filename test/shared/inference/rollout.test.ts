import { cp, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { get } from '../../support/get-json.ts';
import { MODELS } from '../../support/project.ts';
import { type Answered, type ReleasedApp, SETOSA, serveReleased } from '../../support/serve-released.ts';

const versionOf = ({ headers }: Answered) => headers.get('ternion-model-version');
const ask = async ({ send }: ReleasedApp) => versionOf(await send('/predict', SETOSA));

/** Bytes of the versions 1, 2 and 3 together. */
async function roomForThree(): Promise<string> {
  const sizes = await Promise.all(
    ['1', '2', '1'].map(async (version) => {
      const folder = join(MODELS, 'iris', version);
      const files = await readdir(folder);
      const stats = await Promise.all(files.map((file) => stat(join(folder, file))));
      return stats.reduce((total, { size }) => total + size, 0);
    }),
  );
  return String(sizes.reduce((total, size) => total + size, 0));
}

/** Makes the graph of a version unreadable. */
async function spoil({ folder }: ReleasedApp, version: string): Promise<void> {
  await writeFile(join(folder, 'iris', version, 'model.onnx'), 'no graph');
}

function loadsOf({ log }: ReleasedApp): readonly unknown[] {
  return log.filter(({ message }) => message === 'model loaded').map(({ model }) => model);
}

/** The samples of a metric of the running server, by the version in their labels. */
async function metricOf({ app }: ReleasedApp, name: string): Promise<Readonly<Record<string, number>>> {
  const { createContext, requestUrl } = await import('../../../functions/host.ts');
  const request = new Request(requestUrl('/metrics'));
  const text = await (await app.fetch(request, createContext(request.headers, 'host-id'))).text();
  const samples = text.matchAll(new RegExp(`^${name}\\{.*version="(\\w+)".*\\} (\\S+)`, 'gm'));
  return Object.fromEntries([...samples].map(([, version = '', value]) => [version, Number(value)]));
}

describe('a new live version', () => {
  it('answers when it is in memory, and the one before answers until then', async () => {
    const served = await serveReleased({ iris: { live: '1' } });
    expect(await ask(served)).toBe('1');
    await served.release({ iris: { live: '2' } });
    const noticed = await served.begin('/predict', SETOSA);
    expect(versionOf(noticed)).toBe('1');
    const meanwhile = await served.begin('/predict', SETOSA);
    expect(versionOf(meanwhile)).toBe('1');
    expect(loadsOf(served)).toEqual(['iris/1']);
    await noticed.context.waitingWork.run(() => undefined);
    await meanwhile.context.waitingWork.run(() => undefined);
    expect(loadsOf(served)).toEqual(['iris/1', 'iris/2']);
    expect(await ask(served)).toBe('2');
  });

  it('keeps the one before in memory for a while, although others need room', async () => {
    for (const [seconds, loads] of [
      [600, 1],
      [0.001, 2],
    ] as const) {
      const served = await serveReleased(
        { iris: { live: '1' } },
        { SESSION_CACHE_BYTES: await roomForThree() },
      );
      await cp(join(served.folder, 'iris/1'), join(served.folder, 'iris/4'), { recursive: true });
      expect(await ask(served)).toBe('1');
      await served.release({ iris: { live: '2', warm: { version: '1', seconds } } });
      expect(await ask(served)).toBe('1');
      await served.send('/models/iris/versions/3/predict', SETOSA);
      expect(await ask(served)).toBe('2');
      await served.send('/models/iris/versions/4/predict', SETOSA);
      await served.release({ iris: { live: '1' } });
      await ask(served);
      expect(await ask(served)).toBe('1');
      expect(loadsOf(served).filter((model) => model === 'iris/1')).toHaveLength(loads);
    }
  });

  it('takes over from a version that was live before there were releases', async () => {
    const served = await serveReleased({});
    expect(await ask(served)).toBe('3');
    await served.release({ iris: { live: '1' } });
    expect(await ask(served)).toBe('3');
    expect(await ask(served)).toBe('1');
  });

  it('is loaded by the first request of an instance that has nothing in memory', async () => {
    const served = await serveReleased({ iris: { live: '2' } });
    expect(await ask(served)).toBe('2');
    expect(loadsOf(served)).toEqual(['iris/2']);
  });

  it('does not make a version answer that was only asked for by name', async () => {
    const served = await serveReleased({ iris: { live: '2' } });
    expect(versionOf(await served.send('/models/iris/versions/1/predict', SETOSA))).toBe('1');
    expect(await ask(served)).toBe('2');
  });

  it('that cannot be loaded leaves the one before, and says so in the log, in health and in metrics', async () => {
    const served = await serveReleased({ iris: { live: '1' } }, { METRICS: 'ternion' });
    expect(await ask(served)).toBe('1');
    await spoil(served, '2');
    await served.release({ iris: { live: '2' } });
    expect(await ask(served)).toBe('1');
    expect(await ask(served)).toBe('1');
    expect(served.log.filter(({ message }) => String(message).startsWith('release is held back'))).toEqual([
      expect.objectContaining({ level: 'error', model: 'iris/2' }),
    ]);
    expect(await get(served.app, '/health')).toMatchObject({
      status: 'degraded',
      models: [{ name: 'iris', live_version: '2', held_back: ['2'] }],
    });
    expect(await metricOf(served, 'ternion_release_load_failures_total')).toEqual({ '2': 1 });
    // A version that may not answer any more does not.
    await served.release({ iris: { live: '3', archived: ['1'] } });
    expect(await ask(served)).toBe('3');
  });

  it('that cannot be loaded by a new instance leaves the one that was live before', async () => {
    const served = await serveReleased({ iris: { live: '2', warm: { version: '1', seconds: 60 } } });
    await spoil(served, '2');
    const answer = await served.send('/predict', SETOSA);
    expect([answer.status, versionOf(answer), answer.headers.get('ternion-variant')]).toEqual([
      200,
      '1',
      'live',
    ]);
  });

  it('that cannot be loaded by a new instance fails if there is no other', async () => {
    const served = await serveReleased({ iris: { live: '2' } });
    await spoil(served, '2');
    const answer = await served.send('/predict', SETOSA);
    expect([answer.status, answer.json.error_code]).toEqual([503, 'MODEL_UNAVAILABLE']);
  });
});

describe('a model with another name', () => {
  it('answers, is described and is loaded under it, with what was in memory before', async () => {
    const served = await serveReleased({ iris: { live: '1' } }, { ADMIN_ROUTES: 'true' });
    expect(await ask(served)).toBe('1');
    await served.release({ iris: { live: '1', name: 'flowers' } });
    expect((await served.send('/models/iris/predict', SETOSA)).status).toBe(404);
    const answers = [
      await served.send('/models/flowers/predict', SETOSA),
      await served.send('/models/flowers/versions/2/predict', SETOSA),
      await served.send('/v2/repository/models/flowers/unload', {}),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(loadsOf(served)).toEqual(['iris/1', 'flowers/2']);
    expect((await served.send('/models/flowers/predict', SETOSA)).status).toBe(503);
    expect((await served.send('/v2/repository/models/flowers/load', {})).status).toBe(200);
    expect(await get(served.app, '/v2/models/flowers')).toMatchObject({ name: 'flowers' });
    expect(await get(served.app, '/health')).toMatchObject({
      status: 'ok',
      models: [{ name: 'flowers', live_version: '1', state: 'loaded' }],
    });
  });
});

describe('a target of a split', () => {
  const all = { seed: 's', ranges: [{ target: '2', start: 0, end: 10_000 }] };

  it('gets its requests when it is in memory', async () => {
    const served = await serveReleased({ iris: { live: '1' } });
    expect(await ask(served)).toBe('1');
    await served.release({ iris: { live: '1', traffic: all } });
    const first = await served.send('/predict', SETOSA);
    expect([versionOf(first), first.headers.get('ternion-variant')]).toEqual(['1', 'live']);
    const second = await served.send('/predict', SETOSA);
    expect([versionOf(second), second.headers.get('ternion-variant')]).toEqual(['2', '2']);
  });

  it('that cannot be loaded leaves its requests to the live version, also on a new instance', async () => {
    const served = await serveReleased({ iris: { live: '1', traffic: all } });
    await spoil(served, '2');
    const answers = [await served.send('/predict', SETOSA), await served.send('/predict', SETOSA)];
    expect(answers.map((answer) => [answer.status, versionOf(answer)])).toEqual([
      [200, '1'],
      [200, '1'],
    ]);
    const keyed = { ...all, key: { header: 'x-user' }, shadows: [{ target: '1', percent: 100 }] };
    await served.release({ iris: { live: '1', traffic: keyed } });
    const { headers } = await served.send('/predict', SETOSA);
    expect([headers.get('ternion-model-version'), headers.get('ternion-sticky')]).toEqual(['1', 'false']);
    // A version that answers for another one is not compared with itself.
    expect(served.log.filter(({ message }) => message === 'shadow')).toEqual([]);
    // The split has not chosen a version that the request names.
    const named = await served.send('/models/iris/versions/2/predict', SETOSA);
    expect(named.status).toBe(503);
  });

  it('is loaded before there are requests, and a shadow is not', async () => {
    const traffic = {
      ...all,
      ranges: [{ target: '2', start: 0, end: 1 }],
      shadows: [{ target: '3', percent: 100 }],
    };
    const served = await serveReleased({ iris: { live: '1', traffic } }, { PRELOAD_MODELS: '*' });
    await served.app.preload();
    expect(loadsOf(served)).toEqual(['iris/1', 'iris/2']);
  });

  it('is loaded after the first answer of an instance that began with another version', async () => {
    const traffic = { seed: 's', ranges: [{ target: '2', start: 0, end: 1 }], shadows: [] };
    const served = await serveReleased({ iris: { live: '1', traffic } });
    expect(await ask(served)).toBe('1');
    expect(loadsOf(served)).toEqual(['iris/1', 'iris/2']);
  });
});
