import { describe, expect, it, onTestFinished } from 'vitest';
import { feast } from '../../../shared/features/feast.ts';
import { describeFeatureStore } from '../../contracts/feature-store.ts';
import { startFeastServer } from '../../support/features/feast-server.ts';
import { bindFeatures, refusalOf } from '../../support/features/look-up.ts';

const STEP = { entity: 'customer_id', features: ['age'] };
const UNAVAILABLE = [
  'TEMPORARILY_UNAVAILABLE',
  'The step "features" cannot reach what it needs; the log of the server says why.',
];
const FAILED = ['PROCESSOR_FAILED', 'The step "features" failed; the log of the server says why.'];

async function start() {
  const server = await startFeastServer();
  onTestFinished(() => server.close());
  server.rows.set('["c1"]', { customers__age: 31, orders__age: 3 });
  server.rows.set('["c2"]', { customers__age: 52, orders__age: 5 });
  const find = async (own: object = { view: 'customers' }, options: object = {}, timeoutMs = 5000) =>
    await bindFeatures(
      { store: feast({ url: server.url, ...own }), cacheSeconds: 0, timeoutMs },
      { ...STEP, ...options },
    );
  return { server, find, title: `Feast at ${server.url}` };
}

describeFeatureStore('Feast', async (customers) => {
  const server = await startFeastServer();
  for (const { customer_id: id, ...features } of customers) {
    const named = Object.entries(features).map(([name, value]) => [`customers__${name}`, value]);
    server.rows.set(JSON.stringify([id]), Object.fromEntries(named));
  }
  return { store: feast({ url: server.url, view: 'customers' }), close: server.close };
});

describe('feast', () => {
  it('asks once for all entities of a request', async () => {
    const { server, find } = await start();
    await (await find())(['c1', 'c2', 'c1']);
    expect(server.requests.map(({ json }) => json)).toEqual([
      {
        features: ['customers:age'],
        full_feature_names: true,
        entities: { customer_id: ['c1', 'c2'] },
      },
    ]);
  });

  it('is asked in the trace of the request', async () => {
    const { server, find } = await start();
    const ask = await find();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const span = { spanId: '00f067aa0ba902b7', parentSpanId: undefined, state: undefined };
    await ask(['c1'], { trace: { traceId, ...span, isSampled: false } });
    // A command looks up without a request.
    await ask(['c1']);
    expect(server.requests.map(({ headers }) => headers.traceparent)).toEqual([
      `00-${traceId}-00f067aa0ba902b7-00`,
      expect.stringMatching(/^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-01$/),
    ]);
  });

  it('knows features of the same name of several views', async () => {
    const { find } = await start();
    const features = [
      { name: 'age', from: 'customers:age' },
      { name: 'orders', from: 'orders:age' },
    ];
    const ask = await find({}, { features });
    expect((await ask(['c2'])).rows).toEqual([{ age: 52, orders: 5 }]);
  });

  it('asks a service', async () => {
    const { server, find } = await start();
    server.services.set('scoring', ['customers__age']);
    const ask = await find({ service: 'scoring', token: 'secret-token' });
    expect((await ask(['c2'])).rows).toEqual([{ age: 52 }]);
    expect(server.requests[0]?.json).toMatchObject({ feature_service: 'scoring', full_feature_names: false });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer secret-token');
  });

  it('sends whole numbers as numbers, several members, and types as the model says', async () => {
    const { server, find } = await start();
    server.rows.set('[7,"7"]', { customers__age: 1 });
    const ask = await find({ view: 'customers' }, { entity: ['shop', { name: 'day', type: 'text' }] });
    expect((await ask([{ shop: 7, day: 7 }])).rows).toEqual([{ age: 1 }]);
    expect(server.requests[0]?.json.entities).toEqual({ shop: [7], day: ['7'] });
  });

  it('takes values that are too old as missing', async () => {
    const { server, find } = await start();
    const answer = {
      results: [
        { values: ['c1', 'c2'], statuses: ['PRESENT', 'PRESENT'] },
        { values: [31, 52], statuses: ['OUTSIDE_MAX_AGE', 'PRESENT'] },
      ],
      metadata: { feature_names: ['customer_id', 'customers__age'] },
    };
    server.faults.push([200, answer]);
    expect((await (await find({ view: 'customers' }, { missing: 'null' }))(['c1', 'c2'])).rows).toEqual([
      { age: null },
      { age: 52 },
    ]);
  });

  const names = { feature_names: ['customers__age'] };
  it.each<[string, readonly [number, unknown], string]>([
    ['other JSON', [200, { hello: 1 }], 'answered with something else than features'],
    ['HTML', [200, '<html>'], 'answered with something else than features'],
    [
      'other features',
      [200, { results: [], metadata: { feature_names: [] } }],
      'answered without the feature "customers__age"',
    ],
    [
      'too few values',
      [200, { results: [{ values: [], statuses: [] }], metadata: names }],
      'answered with another number of values than of entities',
    ],
    [
      'no statuses',
      [200, { results: [{ values: [1] }], metadata: names }],
      'answered with another number of values than of entities',
    ],
    ['an error', [500, '"about c1"'], 'answered with 500; its own log says why'],
    ['a refusal', [403, { detail: 'no' }], 'answered with 403; its own log says why'],
  ])('says what is wrong with %s', async (_, answer, reason) => {
    const { server, find, title } = await start();
    server.faults.push(answer);
    expect(await refusalOf((await find())(['c1']))).toEqual([...FAILED, `${title} ${reason}`]);
  });

  it('says which view is not there', async () => {
    const { find, title } = await start();
    expect(await refusalOf((await find({ view: 'clients' }))(['c1']))).toEqual([
      ...FAILED,
      `${title} answered with 404: Feature view clients does not exist in project test`,
    ]);
  });

  it('says that a server is overloaded, silent or not there', async () => {
    const { server, find, title } = await start();
    server.faults.push([503, ''], 'silence');
    expect(await refusalOf((await find())(['c1']))).toEqual([...UNAVAILABLE, `${title} answered with 503`]);
    expect(await refusalOf((await find({ view: 'customers' }, {}, 50))(['c1']))).toEqual([
      ...UNAVAILABLE,
      `${title} did not answer within 50 ms`,
    ]);
    const ask = await find();
    await ask(['c1']);
    server.cutAll();
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
    await server.close();
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...UNAVAILABLE,
      `${title} cannot be reached: ECONNREFUSED`,
    ]);
  });

  it.each([
    [{ url: undefined }, 'The store "feast" needs "url", which is missing.'],
    [{ url: 'http://u:p@h' }, 'The store "feast" cannot have credentials in its "url"; it has "token".'],
    [{ view: 'a', service: 'b' }, 'The store "feast" has "view" and "service"; expected one of them.'],
    [{ views: 'a' }, 'The store "feast" has no setting "views"; it has "url", "view",'],
  ])('refuses wrong settings: %j', (own, message) => {
    expect(() => feast(Object.assign({ url: 'http://h' }, own))).toThrow(message);
  });

  it('needs the view of each feature', async () => {
    const { find } = await start();
    await expect(find({})).rejects.toThrow(
      'its model.json is not valid at processors[0]: the feature "age" has no feature view; Feast needs "from": "VIEW:FEATURE", or "view" as a setting',
    );
  });
});
