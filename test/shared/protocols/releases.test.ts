import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createContext, requestUrl } from '../../../functions/host.ts';
import type { App } from '../../../shared/app.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { KEY, openRegistry } from '../../support/open-registry.ts';
import { SETOSA, serveReleased } from '../../support/serve-released.ts';

async function ask(app: App, path: string) {
  const request = new BytesRequest(requestUrl(path), { method: 'GET', headers: new Headers() }, Buffer.of());
  const response = await app.fetch(request, createContext(request.headers, 'id-1'));
  return { status: response.status, json: await response.json() };
}

describe('what is served of a model', () => {
  it('is its highest version before any release', async () => {
    const { app } = await serveReleased({});
    expect(await ask(app, '/models/iris/releases')).toEqual({
      status: 200,
      json: {
        name: 'iris',
        live_version: '3',
        versions: ['1', '2', '3'],
        aliases: {},
        split: {},
        shadows: {},
        rules: [],
        key: null,
        archived: [],
        warm: null,
        held_back: [],
        registry: false,
      },
    });
    expect((await ask(app, '/models/nobody/releases')).json).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
    });
  });

  it('is what was released, without the values that conditions compare', async () => {
    const { app } = await serveReleased({
      iris: {
        live: '2',
        aliases: { canary: '3', gone: '9' },
        archived: ['1'],
        warm: { version: '3', seconds: 600 },
        traffic: {
          seed: 'iris',
          key: { header: 'x-user-id' },
          ranges: [
            { target: 'canary', start: 0, end: 250 },
            { target: 'canary', start: 9990, end: 10_000 },
          ],
          rules: [
            {
              target: '3',
              when: { 'header.x-user': { $in: ['ada@example.com'] }, 'field.age': { $gte: 18 } },
            },
          ],
          shadows: [{ target: '3', percent: 12.5 }],
        },
      },
    });
    const { json } = await ask(app, '/models/iris/releases');
    expect(json).toEqual({
      name: 'iris',
      live_version: '2',
      versions: ['2', '3'],
      aliases: { canary: '3', gone: '9' },
      split: { canary: 2.6 },
      shadows: { 3: 12.5 },
      rules: [{ target: '3', reads: ['header.x-user', 'field.age'] }],
      key: 'header:x-user-id',
      archived: ['1'],
      warm: { version: '3', seconds: 600 },
      held_back: [],
      registry: false,
    });
    expect(JSON.stringify(json)).not.toMatch(/ada/);
  });

  it('has the versions that this instance cannot load', async () => {
    const { app, folder, release, send } = await serveReleased({ iris: { live: '2' } });
    await send('/models/iris/predict', SETOSA);
    writeFileSync(join(folder, 'iris/3/model.onnx'), 'not a model');
    await release({ iris: { live: '3' } });
    await send('/models/iris/predict', SETOSA);
    expect((await ask(app, '/models/iris/releases')).json).toMatchObject({
      live_version: '3',
      held_back: ['3'],
    });
  });

  it('has the aliases of a model that was never changed', async () => {
    const { url, folder } = await openRegistry();
    writeFileSync(join(folder, 'iris/deployment.json'), '{"aliases":{"champion":"1"}}');
    const response = await fetch(`${url}/models/iris/releases`);
    expect(await response.json()).toMatchObject({
      aliases: { champion: '1' },
      live_version: '2',
      registry: true,
    });
  });

  it('names nobody, also to holders of the key', async () => {
    const { url, call } = await openRegistry();
    await call('POST', 'ternion/registered-models/promote', {
      name: 'iris',
      version: '1',
      why: 'complaints',
    });
    const response = await fetch(`${url}/models/iris/releases`, {
      headers: { authorization: `Bearer ${KEY}` },
    });
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ live_version: '1', warm: { version: '2', seconds: 600 } });
    expect(text).not.toMatch(/complaints|admin/);
  });
});
