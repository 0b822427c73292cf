import { describe, expect, it } from 'vitest';
import { partOf } from '../../../shared/releases/hash.ts';
import { get } from '../../support/get-json.ts';
import { SETOSA, serveReleased } from '../../support/serve-released.ts';

const ROW = [5.1, 3.5, 1.4, 0.2];
const TENSOR = { inputs: [{ name: 'features', shape: [1, 4], datatype: 'FP32', data: ROW }] };

/** A value whose part is below or above 5,000. */
function userIn(isLow: boolean, seed = 's'): string {
  const users = Array.from({ length: 100 }, (_, index) => `user-${index}`);
  return users.find((user) => partOf(seed, user) < 5000 === isLow) ?? '';
}

const HALF = {
  live: '1',
  aliases: { canary: '2', stable: '1' },
  traffic: { seed: 's', key: { header: 'x-user' }, ranges: [{ target: 'canary', start: 0, end: 5000 }] },
};

const answerOf = ({ headers }: { readonly headers: Headers }) => [
  headers.get('ternion-model-version'),
  headers.get('ternion-variant'),
  headers.get('ternion-sticky'),
];

/** All routes that name a model but no version, or no model at all. */
const ROUTES: readonly (readonly [path: string, body: unknown])[] = [
  ['/predict', SETOSA],
  ['/models/iris/predict', SETOSA],
  ['/v2/models/iris/infer', TENSOR],
  ['/v1/models/iris:predict', { instances: [ROW] }],
  [
    '/v1/models/iris:classify',
    { examples: [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }] },
  ],
  ['/invocations', { instances: [ROW] }],
  ['/invocations', { dataframe_split: { data: [ROW] } }],
  ['/endpoints/iris/invocations', { instances: [ROW] }],
  ['/models/iris/invoke', { instances: [ROW] }],
  ['/score', { input_data: [ROW] }],
  ['/predictions/iris', { instances: [ROW] }],
  ['/v1/projects/p/locations/l/endpoints/iris:predict', { instances: [ROW] }],
  ['/v1/projects/p/locations/l/endpoints/iris:rawPredict', { instances: [ROW] }],
];

describe('a split', () => {
  it.each(ROUTES)('decides which version answers POST %s', async (path, body) => {
    const { send } = await serveReleased({ iris: HALF });
    for (const isLow of [true, false]) {
      const answer = await send(path, body, { 'x-user': userIn(isLow) });
      expect([answer.status, JSON.stringify(answer.json).slice(0, 200)]).toEqual([200, expect.any(String)]);
      expect(answerOf(answer)).toEqual(isLow ? ['2', 'canary', null] : ['1', 'live', null]);
    }
    const missing = await send(path, body);
    expect(missing.headers.get('ternion-sticky')).toBe('false');
  });

  it('gives way to a version or an alias that the request names', async () => {
    const { send } = await serveReleased({ iris: HALF });
    const headers = { 'x-user': userIn(true) };
    const named = await send('/models/iris/versions/1/predict', SETOSA, headers);
    expect(answerOf(named)).toEqual(['1', 'named', null]);
    expect(
      answerOf(await send('/v1/models/iris/labels/stable:predict', { instances: [ROW] }, headers)),
    ).toEqual(['1', 'named', null]);
    const variant = await send(
      '/endpoints/iris/invocations',
      { instances: [ROW] },
      {
        ...headers,
        'x-amzn-sagemaker-target-variant': '1',
      },
    );
    expect(answerOf(variant)).toEqual(['1', 'named', null]);
    const deployment = await send(
      '/score',
      { input_data: [ROW] },
      {
        ...headers,
        'azureml-model-deployment': 'stable',
      },
    );
    expect(answerOf(deployment)).toEqual(['1', 'named', null]);
  });

  it('names the variant where clients of a protocol look for it', async () => {
    const { send } = await serveReleased({ iris: HALF });
    const low = { 'x-user': userIn(true) };
    const sagemaker = await send('/endpoints/iris/invocations', { instances: [ROW] }, low);
    expect(sagemaker.headers.get('x-amzn-invoked-production-variant')).toBe('canary');
    const again = await send(
      '/endpoints/iris/invocations',
      { instances: [ROW] },
      {
        'x-user': userIn(false),
        'x-amzn-sagemaker-target-variant': 'canary',
      },
    );
    expect(again.headers.get('ternion-model-version')).toBe('2');
    const all = await send(
      '/endpoints/iris/invocations',
      { instances: [ROW] },
      {
        'x-user': userIn(false),
        'x-amzn-sagemaker-target-variant': 'AllTraffic',
      },
    );
    expect(all.headers.get('x-amzn-invoked-production-variant')).toBe('1');
    const azure = async (headers: Readonly<Record<string, string>>) =>
      (await send('/score', { input_data: [ROW] }, headers)).headers.get('azureml-model-deployment');
    expect(await azure(low)).toBe('canary');
    expect(await azure({ 'x-user': userIn(false) })).toBe('1');
    // The version that an alias stands for has answered, and not what the split has chosen.
    expect(await azure({ ...low, 'azureml-model-deployment': 'stable' })).toBe('1');
    expect((await send('/v2/models/iris/infer', TENSOR, low)).json.model_version).toBe('2');
    const vertex = await send('/v1/projects/p/locations/l/endpoints/iris:predict', { instances: [ROW] }, low);
    expect(vertex.json.deployedModelId).toBe('2');
  });

  it.each(ROUTES.filter(([, body]) => 'instances' in Object(body)))(
    'reads its key from the body of POST %s',
    async (path, body) => {
      const traffic = { ...HALF.traffic, key: { field: 'parameters.user' } };
      const { send } = await serveReleased({ iris: { ...HALF, traffic } });
      for (const isLow of [true, false]) {
        const parameters = { user: userIn(isLow) };
        const answer = await send(path, { ...Object(body), parameters });
        expect(answer.status).toBe(200);
        expect(answerOf(answer)).toEqual(isLow ? ['2', 'canary', null] : ['1', 'live', null]);
      }
    },
  );

  it('follows rules on headers and fields, and leaves out a rule that cannot be', async () => {
    const rules = [
      { when: { 'header.x-country': { $regex: '(a+)+' } }, target: '3' },
      { when: { 'header.x-country': 'CH', 'field.features.0': { $gt: 5 } }, target: '3' },
    ];
    const traffic = { seed: 's', ranges: [], rules };
    const { send, log } = await serveReleased({ iris: { live: '1', traffic } });
    expect(answerOf(await send('/predict', SETOSA, { 'x-country': 'CH' }))).toEqual(['3', '3', null]);
    expect(answerOf(await send('/predict', SETOSA, { 'x-country': 'aaaa' }))).toEqual(['1', 'live', null]);
    const small = { features: [4.1, 3.5, 1.4, 0.2] };
    expect(answerOf(await send('/predict', small, { 'x-country': 'CH' }))).toEqual(['1', 'live', null]);
    expect(log.filter(({ message }) => message === 'a rule for requests is left out')).toEqual([
      expect.objectContaining({ model: 'iris', problem: 'its pattern "(a+)+" repeats a group' }),
    ]);
  });

  it('is in the record of each request', async () => {
    const { send, log, monitoring } = await serveReleased({ iris: HALF });
    await send('/predict', SETOSA, { 'x-user': userIn(true) });
    await send('/predict', SETOSA);
    await send('/models/iris/versions/3/predict', SETOSA);
    const lines = log.filter(({ message }) => message === 'request');
    expect(lines.map(({ variant, sticky, model_version: version }) => [variant, sticky, version])).toEqual([
      ['canary', true, '2'],
      [expect.stringMatching(/^(live|canary)$/), false, expect.any(String)],
      ['named', undefined, '3'],
    ]);
    const collector = await monitoring.collect?.();
    const ofModel = collector?.requests.filter(({ model }) => model === 'iris');
    expect(ofModel?.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  });

  it('says nothing new of a model without releases', async () => {
    const { send } = await serveReleased({});
    expect(answerOf(await send('/predict', SETOSA))).toEqual(['3', 'live', null]);
  });

  it('is the traffic split of an endpoint of Vertex AI, and leaves descriptions to the live version', async () => {
    const { app } = await serveReleased({ iris: HALF });
    const endpoint = await get(app, '/v1/projects/p/locations/l/endpoints/iris');
    expect(endpoint.trafficSplit).toEqual({ '1': 50, '2': 50 });
    expect((await get(app, '/v2/models/iris')).versions).toEqual(['1', '2', '3']);
    expect((await get(app, '/models')).models).toEqual([expect.objectContaining({ live_version: '1' })]);
    const status = await get(app, '/v1/models/iris/labels/canary');
    expect(status.model_version_status).toEqual([
      expect.objectContaining({ version: '2', state: 'AVAILABLE' }),
    ]);
  });
});
