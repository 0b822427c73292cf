import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AwsCredentials, Environment } from '../../../shared/aws/credentials.ts';
import { type DynamoDbSettings, openDynamoDb } from '../../../shared/features/dynamodb/dynamodb.ts';
import { createHttpClient } from '../../../shared/http/http-client.ts';
import { keepFresh } from '../../../shared/keep-fresh.ts';
import { unavailable } from '../../../shared/processors/processor.ts';
import { describeFeatureStore } from '../../contracts/feature-store.ts';
import { refuse, startDynamoDbServer } from '../../support/features/dynamodb-server.ts';
import { startJsonServer } from '../../support/features/json-server.ts';
import { bindFeatures, refusalOf } from '../../support/features/look-up.ts';

const STEP = { entity: 'customer_id', features: ['age'] };
const KEYS = { accessKeyId: 'AKID', secretAccessKey: 'very-secret' };
const credentials = async () => KEYS;
const keepCredentials = (source: () => Promise<AwsCredentials>) => keepFresh('credentials of AWS', source);
const TITLE = 'The table "customers" of DynamoDB';
const UNAVAILABLE = [
  'TEMPORARILY_UNAVAILABLE',
  'The step "features" cannot reach what it needs; the log of the server says why.',
];
const FAILED = ['PROCESSOR_FAILED', 'The step "features" failed; the log of the server says why.'];

function dynamodb(settings: DynamoDbSettings, environment: Environment = {}) {
  return openDynamoDb(settings, environment);
}

function attribute(value: unknown): object {
  if (typeof value === 'number') return { N: String(value) };
  return typeof value === 'boolean' ? { BOOL: value } : { S: value };
}

function itemOf(row: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, attribute(value)]));
}

async function start() {
  const server = await startDynamoDbServer();
  onTestFinished(() => server.close());
  const items = [itemOf({ customer_id: 'c1', age: 31 }), itemOf({ customer_id: 'c2', age: 52 })];
  server.tables.set('customers', items);
  const settings = {
    table: 'customers',
    key: 'customer_id',
    region: 'eu-west-1',
    endpoint: server.url,
    credentials,
  } as const;
  const find = async (own: object = {}, timeoutMs = 5000) =>
    await bindFeatures({ store: dynamodb({ ...settings, ...own }), cacheSeconds: 0, timeoutMs }, STEP);
  return { server, items, settings, find };
}

describeFeatureStore('DynamoDB', async (customers) => {
  const server = await startDynamoDbServer();
  server.tables.set('customers', customers.map(itemOf));
  const store = dynamodb({
    table: 'customers',
    key: 'customer_id',
    region: 'eu-west-1',
    endpoint: server.url,
    credentials,
  });
  return { store, close: server.close };
});

describe('dynamodb', () => {
  it('asks for what it needs, signed', async () => {
    const { server, find } = await start();
    expect((await (await find({ consistentRead: true }))(['c1'])).rows).toEqual([{ age: 31 }]);
    const [{ json, headers } = { json: undefined, headers: {} }] = server.requests;
    expect(json).toEqual({
      RequestItems: {
        customers: {
          Keys: [{ customer_id: { S: 'c1' } }],
          ProjectionExpression: '#0, #1',
          ExpressionAttributeNames: { '#0': 'customer_id', '#1': 'age' },
          ConsistentRead: true,
        },
      },
    });
    expect(headers).toMatchObject({
      'x-amz-target': 'DynamoDB_20120810.BatchGetItem',
      'content-type': 'application/x-amz-json-1.0',
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-west-1\/dynamodb\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=[0-9a-f]{64}$/,
      ),
    });
  });

  it('asks in pages of 100 keys', async () => {
    const { server, items, find } = await start();
    const ids = Array.from({ length: 205 }, (_, index) => `n${index}`);
    items.push(...ids.map((id, age) => itemOf({ customer_id: id, age })));
    expect((await (await find())(ids)).rows).toEqual(ids.map((_, age) => ({ age })));
    const sizes = server.requests.map(({ json }) => json.RequestItems.customers.Keys.length);
    expect(sizes.sort()).toEqual([100, 100, 5]);
  });

  it('asks again for what was left out', async () => {
    const { server, items, find } = await start();
    const ids = Array.from({ length: 10 }, (_, index) => `n${index}`);
    items.push(...ids.map((id, age) => itemOf({ customer_id: id, age })));
    server.limits.mostProcessed = 4;
    expect((await (await find())(ids)).rows).toEqual(ids.map((_, age) => ({ age })));
    expect(server.requests.map(({ json }) => json.RequestItems.customers.Keys.length)).toEqual([10, 6, 2]);
  });

  it.each([
    'ProvisionedThroughputExceededException',
    'ThrottlingException',
    'RequestLimitExceeded',
    'InternalServerError',
  ])('asks again after %s', async (name) => {
    const { server, find } = await start();
    server.faults.push(refuse(name), refuse(name));
    expect((await (await find())(['c1'])).rows).toEqual([{ age: 31 }]);
    expect(server.requests).toHaveLength(3);
  });

  it('does not ask for longer than it may', async () => {
    const { server, find } = await start();
    server.limits.mostProcessed = 0;
    const ask = await find({}, 150);
    expect(await refusalOf(ask(['c1']))).toEqual([...UNAVAILABLE, `${TITLE} did not answer within 150 ms`]);
    const asked = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(server.requests.length).toBe(asked);
  });

  it('counts as unavailable after it was refused eight times', async () => {
    const { server, find } = await start();
    server.faults.push(...Array.from({ length: 8 }, () => refuse('ThrottlingException')));
    const ask = await find({}, 30_000);
    expect(await refusalOf(ask(['c1']))).toEqual([...UNAVAILABLE, `${TITLE} answers too few requests`]);
    expect(server.requests).toHaveLength(8);
  });

  it.each<[string, readonly [number, unknown], string]>([
    [
      'wrong credentials',
      refuse('UnrecognizedClientException'),
      'answered with 400 UnrecognizedClientException',
    ],
    [
      'a table that is not there',
      refuse('ResourceNotFoundException'),
      'answered with 400 ResourceNotFoundException',
    ],
    ['a proxy', [403, '<html>no</html>'], 'answered with 403'],
    ['another server', [200, 'hello'], 'answered with something else than items'],
    ['no items', [200, { Responses: { customers: 'x' } }], 'answered with something else than items'],
    [
      'no keys',
      [200, { Responses: { customers: [] }, UnprocessedKeys: { customers: {} } }],
      'answered with something else than keys',
    ],
  ])('says what is wrong with %s', async (_, answer, reason) => {
    const { server, find } = await start();
    server.faults.push(answer);
    const refusal = await refusalOf((await find())(['c1']));
    expect(refusal).toEqual([...FAILED, `${TITLE} ${reason}`]);
  });

  it('asks once more when the connection from before is gone', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    server.faults.push('cut');
    expect((await ask(['c2'])).rows).toEqual([{ age: 52 }]);
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 1, 2]);
    server.faults.push('cut', 'cut');
    expect(await refusalOf(ask(['c1']))).toEqual([...UNAVAILABLE, `${TITLE} cannot be reached: ECONNRESET`]);
  });

  it('does not use a connection from long ago', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 31_000);
    onTestFinished(() => void vi.restoreAllMocks());
    await ask(['c1']);
    expect(server.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  it('says that a server is not there, or silent', async () => {
    const { server, find } = await start();
    server.faults.push('silence');
    expect(await refusalOf((await find({}, 50))(['c1']))).toEqual([
      ...UNAVAILABLE,
      `${TITLE} did not answer within 50 ms`,
    ]);
    await server.close();
    expect(await refusalOf((await find())(['c1']))).toEqual([
      ...UNAVAILABLE,
      `${TITLE} cannot be reached: ECONNREFUSED`,
    ]);
  });

  it('has connections for others after one page of many failed', async () => {
    const { server, find } = await start();
    const ask = await find({}, 60_000);
    const ids = Array.from({ length: 101 }, (_, index) => `n${index}`);
    // As many as the connections that it has at most.
    for (let count = 0; count < 32; count += 1) {
      server.faults.push('silence', refuse('ValidationException'));
      expect((await refusalOf(ask(ids)))[2]).toBe(`${TITLE} answered with 400 ValidationException`);
    }
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
  });

  it('ends a request that nobody ends', async () => {
    const { server } = await start();
    server.faults.push('silence');
    const client = createHttpClient('The server', unavailable);
    const timer = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => void vi.restoreAllMocks());
    const request = { method: 'GET', url: new URL(server.url), headers: {}, body: '' } as const;
    const answer = client.send(request, new AbortController().signal);
    const [end] = timer.mock.calls.find(([, ms]) => ms === 600_000) ?? [];
    end?.();
    await expect(answer).rejects.toThrow('The server did not answer within 600000 ms');
  });

  it('reads no answer that is too long', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    server.faults.push([200, ' '.repeat(32 * 1024 * 1024 + 1)]);
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...FAILED,
      `${TITLE} answered with more than 33554432 bytes`,
    ]);
    expect(server.requests).toHaveLength(2);
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
  });

  it('does not use connections that a burst left long ago', async () => {
    const { server, find } = await start();
    const ask = await find();
    const burst = () => Promise.all(['c1', 'c2', 'c3'].map((id) => ask([id]).catch(() => undefined)));
    await burst();
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 20_000);
    onTestFinished(() => void vi.restoreAllMocks());
    await ask(['c1']);
    const kept = server.requests[3]?.connection;
    clock.mockReturnValue(now + 40_000);
    await burst();
    const used = server.requests.slice(4).map(({ connection }) => connection);
    expect(used.sort()).toEqual([kept, 4, 5]);
  });

  it('fails only those who ask for an item that it cannot read', async () => {
    const { server, items, settings } = await start();
    items.push({ customer_id: { S: 'bad' }, age: { B: 'aGk=' } });
    const ask = await bindFeatures({ store: dynamodb(settings) }, STEP);
    const [bad, good] = await Promise.all([refusalOf(ask(['c1', 'bad'])), ask(['c1'])]);
    expect([bad[2], good.rows]).toEqual(['the attribute "age" is binary', [{ age: 31 }]]);
    expect(server.requests).toHaveLength(1);
  });

  it('knows only the own attributes of items', async () => {
    const { server, items, settings } = await start();
    const names = ['constructor', '__proto__', 'toString'];
    items.push({ customer_id: { S: 'none' } });
    items.push(JSON.parse('{"customer_id": {"S": "all"}, "__proto__": {"S": "p"}, "toString": {"S": "t"}}'));
    server.tables.set('constructor', items);
    const store = dynamodb({ ...settings, table: 'constructor' });
    const ask = await bindFeatures({ store }, { ...STEP, features: names, missing: 'null' });
    const { rows } = await ask(['none', 'all', 'nobody']);
    const none = { constructor: null, ['__proto__']: null, toString: null };
    expect(rows).toEqual([none, { ...none, ['__proto__']: 'p', toString: 't' }, none]);
    server.faults.push([200, { Responses: {} }]);
    const askAgain = await bindFeatures({ store, cacheSeconds: 0 }, { ...STEP, missing: 'null' });
    expect((await askAgain(['c1'])).rows).toEqual([{ age: null }]);
  });

  it('asks once for a number and its text, which are one key', async () => {
    const { server, items, find } = await start();
    items.push(itemOf({ customer_id: '7', age: 7 }));
    expect((await (await find())([7, '7'])).rows).toEqual([{ age: 7 }, { age: 7 }]);
    expect(server.requests[0]?.json.RequestItems.customers.Keys).toEqual([{ customer_id: { S: '7' } }]);
  });

  it('refuses keys of which two entities could have the same text', async () => {
    const { server, settings } = await start();
    const ofPair = (key: string) =>
      bindFeatures(
        { store: dynamodb({ ...settings, key: { PK: key } }) },
        { ...STEP, entity: ['a', 'b'], missing: 'null' },
      );
    await expect(ofPair('{a}{b}')).rejects.toThrow('has two placeholders with nothing between them');
    const ask = await ofPair('{a}#{b}');
    expect(await refusalOf(ask([{ a: 'x#y', b: 'z' }]))).toEqual([
      'INVALID_PARAMETER_VALUE',
      'Field "instances[0].a" cannot be a part of a key with "#" after it.',
    ]);
    await ask([{ a: 'x', b: 'y#z' }]);
    expect(server.requests).toHaveLength(1);
  });

  it('reads values of all types but binary ones', async () => {
    const { items, settings } = await start();
    items.push({
      customer_id: { S: 'all' },
      text: { S: '12' },
      number: { N: '-1.25e3' },
      yes: { BOOL: true },
      none: { NULL: true },
      list: { L: [{ N: '1' }, { S: 'a' }, { NULL: true }] },
      map: { M: { a: { N: '1' } } },
      numbers: { NS: ['1', '2'] },
      texts: { SS: ['a'] },
      bytes: { B: 'aGk=' },
    });
    const names = ['text', 'number', 'yes', 'none', 'list', 'map', 'numbers', 'texts'];
    const store = dynamodb(settings);
    const ask = await bindFeatures({ store }, { ...STEP, features: names, missing: 'null' });
    expect((await ask(['all'])).rows).toEqual([
      {
        text: '12',
        number: -1250,
        yes: true,
        none: null,
        list: [1, 'a', null],
        map: { a: 1 },
        numbers: [1, 2],
        texts: ['a'],
      },
    ]);
    const askForBytes = await bindFeatures({ store }, { ...STEP, features: ['bytes'] });
    expect(await refusalOf(askForBytes(['all']))).toEqual([...FAILED, 'the attribute "bytes" is binary']);
  });

  it('makes keys of several attributes and members', async () => {
    const { items, settings } = await start();
    items.push({ PK: { S: 'SHOP#s1' }, SK: { N: '7' }, age: { N: '1' } });
    items.push({ PK: { S: 'SHOP#s2' }, SK: { N: '7' }, age: { N: '2' } });
    const store = dynamodb({ ...settings, key: { PK: 'SHOP#{shop}', SK: { N: '{day}' } } });
    const entity = ['shop', { name: 'day', type: 'number' }];
    const ask = await bindFeatures({ store }, { ...STEP, entity });
    const { rows } = await ask([
      { shop: 's2', day: 7 },
      { shop: 's1', day: 7 },
    ]);
    expect(rows).toEqual([{ age: 2 }, { age: 1 }]);
    expect(await refusalOf(ask([{ shop: 's1', day: '7' }]))).toEqual([
      'INVALID_PARAMETER_VALUE',
      'Field "instances[0].day" is not an id; expected a whole number.',
    ]);
    await expect(bindFeatures({ store }, { ...STEP, entity: ['shop', 'day'] })).rejects.toThrow(
      'the attribute "SK" of the key is a number; it needs a member of the entity with {"name": "day", "type": "number"}',
    );
    await expect(bindFeatures({ store }, { ...STEP, entity: ['shop', 'day', 'x'] })).rejects.toThrow(
      'the key of the store does not have {x}, a part of the entity',
    );
    await expect(
      bindFeatures({ store: dynamodb(settings) }, { ...STEP, entity: ['a', 'b'] }),
    ).rejects.toThrow('the key "{id}" of the store has {id}, and the entity has {a}, {b}');
  });

  it('knows where the region and the address are in the environment', async () => {
    const { server, settings } = await start();
    const environment = { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL: server.url };
    const { table, key } = settings;
    await (await bindFeatures({ store: dynamodb({ table, key, credentials }, environment) }, STEP))(['c1']);
    expect(server.requests[0]?.headers.authorization).toContain('/eu-central-1/dynamodb/');
  });

  it.each([
    [
      { table: undefined },
      'The store "dynamodb" needs "table", which is missing. If it comes from a variable',
    ],
    [{ region: '' }, 'The store "dynamodb" needs "region", which is empty.'],
    [
      { endpoint: 'ftp://h' },
      'The store "dynamodb" cannot use its "url"; expected http://HOST or https://HOST.',
    ],
    [{ key: {} }, 'The store "dynamodb" needs the name of an attribute, or one or two attributes, as "key".'],
    [{ key: { a: { N: 1 } } }, 'The store "dynamodb" needs a text or { N: text } for "a" of its "key".'],
    [{ tabel: 't' }, 'The store "dynamodb" has no setting "tabel"; it has "table",'],
  ])('refuses wrong settings: %j', (own, message) => {
    const settings = { table: 't', key: 'id', region: 'eu-west-1' };
    expect(() => dynamodb(Object.assign(settings, own))).toThrow(message);
  });
});

describe('credentials of AWS', () => {
  const seen = async (environment: Environment) => {
    const { server, settings } = await start();
    const { credentials: _, ...others } = settings;
    const ask = await bindFeatures({ store: dynamodb(others, environment), cacheSeconds: 0 }, STEP);
    return {
      ask,
      server,
      keyOf: (index: number) =>
        /Credential=(\w+)/.exec(server.requests[index]?.headers.authorization ?? '')?.[1],
    };
  };
  it('come from the environment', async () => {
    const { ask, server, keyOf } = await seen({
      AWS_ACCESS_KEY_ID: 'ENVKEY',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_SESSION_TOKEN: 'token',
    });
    await ask(['c1']);
    expect([keyOf(0), server.requests[0]?.headers['x-amz-security-token']]).toEqual(['ENVKEY', 'token']);
  });

  it('come from the container, and are renewed before they end', async () => {
    let number = 0;
    const container = await startJsonServer(() => {
      number += 1;
      const Expiration = new Date(Date.now() + (number === 1 ? 60_000 : 3_600_000)).toISOString();
      return [200, { AccessKeyId: `KEY${number}`, SecretAccessKey: 's', Token: 't', Expiration }];
    });
    onTestFinished(() => container.close());
    const { ask, server, keyOf } = await seen({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${container.url}/v1/credentials`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'the-token',
    });
    await ask(['c1']);
    // It still uses the first ones while it asks for others.
    await ask(['c2']);
    await vi.waitFor(async () => {
      await ask(['c1']);
      expect(keyOf(server.requests.length - 1)).toBe('KEY2');
    });
    expect([keyOf(0), keyOf(1)]).toEqual(['KEY1', 'KEY1']);
    expect(container.requests.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/v1/credentials', 'the-token'],
      ['/v1/credentials', 'the-token'],
    ]);
  });

  it('come from the instance, with a token', async () => {
    const instance = await startJsonServer(({ method, path, headers }) => {
      if (method === 'PUT' && path === '/latest/api/token') return [200, 'session'];
      if (headers['x-aws-ec2-metadata-token'] !== 'session') return [401, ''];
      const roles = '/latest/meta-data/iam/security-credentials/';
      if (path === roles) return [200, 'my-role'];
      if (path !== `${roles}my-role`) return [404, ''];
      return [200, { AccessKeyId: 'ROLEKEY', SecretAccessKey: 's', Token: 't' }];
    });
    onTestFinished(() => instance.close());
    const { ask, keyOf } = await seen({ AWS_EC2_METADATA_SERVICE_ENDPOINT: instance.url });
    await ask(['c1']);
    expect(keyOf(0)).toBe('ROLEKEY');
  });

  const ending = (accessKeyId: string, leftMs: number) => ({
    ...KEYS,
    accessKeyId,
    expiration: new Date(Date.now() + leftMs),
  });
  const { signal } = new AbortController();
  const never = () => new Promise<never>(() => undefined);

  it.each([60_000, 3000])(
    'are used until they end if there are no new ones, %i ms before',
    async (leftMs) => {
      const source = vi
        .fn()
        .mockResolvedValueOnce(ending('OLD', leftMs))
        .mockRejectedValue(new Error('away'));
      const get = keepCredentials(source);
      for (let count = 0; count < 3; count += 1) expect((await get(signal)).accessKeyId).toBe('OLD');
      expect(source.mock.calls.length).toBeGreaterThan(1);
      const now = Date.now();
      vi.spyOn(Date, 'now').mockReturnValue(now + leftMs);
      onTestFinished(() => void vi.restoreAllMocks());
      await vi.waitFor(() => expect(get(signal)).rejects.toThrow('away'));
    },
  );

  it('are used while a source says nothing about new ones', async () => {
    const get = keepCredentials(
      vi.fn().mockResolvedValueOnce(ending('OLD', 60_000)).mockImplementation(never),
    );
    await get(signal);
    expect((await get(signal)).accessKeyId).toBe('OLD');
    expect((await get(signal)).accessKeyId).toBe('OLD');
  });

  it('are waited for only as long as the request, and the source is asked again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const source = vi.fn().mockImplementationOnce(never).mockResolvedValue(KEYS);
    const get = keepCredentials(source);
    const request = new AbortController();
    const first = get(request.signal);
    const second = get(signal);
    const failure = expect(second).rejects.toThrow('credentials of AWS did not come within 10000 ms');
    request.abort(new Error('it is over'));
    await expect(first).rejects.toThrow('it is over');
    await expect(get(request.signal)).rejects.toThrow('it is over');
    await vi.advanceTimersByTimeAsync(10_000);
    await failure;
    expect(source).toHaveBeenCalledTimes(1);
    expect(await get(signal)).toBe(KEYS);
  });

  it('are missed with a reason', async () => {
    const { ask } = await seen({ AWS_EC2_METADATA_DISABLED: 'true' });
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...FAILED,
      'there are no credentials of AWS in the environment',
    ]);
  });
});
