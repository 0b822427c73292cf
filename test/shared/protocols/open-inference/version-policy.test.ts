import { expect, it, onTestFinished } from 'vitest';
import { get, post } from '../../../contracts/exchanges.ts';
import { FLOAT, identityModel } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const INPUT = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] };

/** The app over three versions of a model, with a config.pbtxt next to them. */
async function serve(config: string) {
  const graph = identityModel(FLOAT, ['N', 2]);
  const folder = await makeFolder({
    ...Object.fromEntries(['1', '2', '3'].map((version) => [`m/${version}/model.onnx`, graph])),
    'm/config.pbtxt': config,
  });
  const app = openApp({ MODEL_REPOSITORY: folder });
  onTestFinished(() => app.close());
  const ask = async (request: ReturnType<typeof get>) => {
    const { status, body } = await app.send(request);
    return { status, body: JSON.parse(body.toString() || 'null') };
  };
  return {
    read: async (path: string) => await ask(get(path)),
    send: async (path: string, body: unknown) => await ask(post(path, body)),
  };
}

it('serves the versions that config.pbtxt names, and no other, on any route', async () => {
  const { read, send } = await serve('version_policy { specific { versions: [1, 2] } }');
  expect((await read('/v2/models/m')).body.versions).toEqual(['1', '2']);
  expect((await read('/v2/models/m/config')).body.version_policy).toEqual({ specific: { versions: [1, 2] } });
  expect((await send('/v2/models/m/infer', { inputs: [INPUT] })).body.model_version).toBe('2');
  expect((await send('/v2/models/m/versions/1/infer', { inputs: [INPUT] })).body.model_version).toBe('1');
  expect(
    (await send('/v2/repository/index', {})).body.map(({ version }: { version: string }) => version),
  ).toEqual(['1', '2']);
  expect((await read('/models/m')).body.versions).toEqual(['1', '2']);
  expect((await read('/v1/models/m')).body).toMatchObject({ name: 'm' });
  const excluded = [
    read('/v2/models/m/versions/3'),
    read('/v2/models/m/versions/3/ready'),
    read('/v2/models/m/versions/3/stats'),
    read('/v2/models/m/versions/3/config'),
    send('/v2/models/m/versions/3/infer', { inputs: [INPUT] }),
    read('/v1/models/m/versions/3'),
    send('/v1/models/m/versions/3:predict', { instances: [[1, 2]] }),
    send('/models/m/versions/3/predict', { inputs: { x: [[1, 2]] } }),
    send('/predictions/m/3', { inputs: { x: [[1, 2]] } }),
    read('/models/m/3'),
  ];
  for (const { status, body } of await Promise.all(excluded)) {
    expect([status, JSON.stringify(body)]).toEqual([
      404,
      expect.stringContaining('the served versions are 1, 2.'),
    ]);
  }
});

it.each([
  ['version_policy { latest { num_versions: 2 } }', { latest: { num_versions: 2 } }, ['2', '3']],
  ['version_policy { all { } }', { all: {} }, ['1', '2', '3']],
  ['max_batch_size: 4', { all: {} }, ['1', '2', '3']],
])('says of %s in /config what is served', async (config, policy, versions) => {
  const { read } = await serve(config);
  expect((await read('/v2/models/m/config')).body.version_policy).toEqual(policy);
  expect((await read('/v2/models/m')).body.versions).toEqual(versions);
});

it('answers 503 for a model whose policy cannot be read, and 404 where it leaves nothing', async () => {
  const broken = await serve('version_policy { newest { } }');
  expect((await broken.read('/v2/models/m/ready')).status).toBe(503);
  expect(await broken.send('/v2/models/m/infer', { inputs: [INPUT] })).toMatchObject({
    status: 503,
    body: {
      error: expect.stringContaining('its version_policy must be one of'),
    },
  });
  const empty = await serve('version_policy { specific { versions: [8] } }');
  expect((await empty.read('/v2/models')).body).toEqual({ models: [] });
  expect(await empty.read('/v2/models/m/ready')).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('names version 8, which does not exist') },
  });
});
