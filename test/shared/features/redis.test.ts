import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { redis } from '../../../shared/features/redis/redis.ts';
import { type Customer, describeFeatureStore } from '../../contracts/feature-store.ts';
import { bindFeatures, refusalOf } from '../../support/features/look-up.ts';
import { type RedisServerOptions, startRedisServer } from '../../support/features/redis-server.ts';

const STEP = { entity: 'customer_id', features: ['age'] };
const UNAVAILABLE = [
  'TEMPORARILY_UNAVAILABLE',
  'The step "features" cannot reach what it needs; the log of the server says why.',
];
const FAILED = ['PROCESSOR_FAILED', 'The step "features" failed; the log of the server says why.'];

/** A hash has texts only. */
function hashOf({ customer_id: _, ...features }: Customer): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(features).map(([name, value]) => [name, String(value)]));
}

/** All that happens before something comes from a socket. */
async function microtasks(): Promise<void> {
  for (let count = 0; count < 100; count += 1) await undefined;
}

async function start(options: RedisServerOptions = {}) {
  const server = await startRedisServer(options);
  onTestFinished(() => server.close());
  server.hashes.set('customer:c1', { age: '31' });
  server.hashes.set('customer:c2', { age: '52' });
  const title = `redis://127.0.0.1:${server.port}`;
  const find = async (url = title, timeoutMs = 5000) =>
    await bindFeatures({ store: redis({ url, key: 'customer:{id}' }), cacheSeconds: 0, timeoutMs }, STEP);
  return { server, title, find };
}

for (const format of ['hash', 'json'] as const) {
  describeFeatureStore(`Redis with a ${format}`, async (customers) => {
    const server = await startRedisServer();
    for (const customer of customers) {
      const { customer_id: id, ...features } = customer;
      if (format === 'hash') server.hashes.set(`customer:${id}`, hashOf(customer));
      else server.texts.set(`customer:${id}`, JSON.stringify(features));
    }
    const store = redis({ url: `redis://127.0.0.1:${server.port}`, key: 'customer:{customer_id}', format });
    return { store, close: server.close };
  });
}

describe('redis', () => {
  it('sends all commands of a request at once, on one connection for all requests', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1', 'c2', 'c1']);
    await ask(['c2']);
    expect(server.commands).toEqual([
      [1, 'HMGET', 'customer:c1', 'age'],
      [1, 'HMGET', 'customer:c2', 'age'],
      [1, 'HMGET', 'customer:c2', 'age'],
    ]);
  });

  it('signs in, and chooses the database, before it asks', async () => {
    const { server, title, find } = await start({ user: 'ternion', password: 'p@ss:wörd/%' });
    const ask = await find(
      `${title.replace('redis://', `redis://ternion:${encodeURIComponent('p@ss:wörd/%')}@`)}/3`,
    );
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
    expect(server.commands).toEqual([
      [1, 'AUTH', 'ternion', 'p@ss:wörd/%'],
      [1, 'SELECT', '3'],
      [1, 'HMGET', 'customer:c1', 'age'],
    ]);
  });

  it('takes a password without a user', async () => {
    const { server, title, find } = await start({ password: 'secret' });
    const ask = await find(title.replace('redis://', 'redis://:secret@'));
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
    expect(server.commands[0]).toEqual([1, 'AUTH', 'secret']);
  });

  it.each([
    ['a wrong password', 'redis://:wrong-secret@', 'replied WRONGPASS'],
    ['no password', 'redis://', 'replied NOAUTH'],
    ['a database that is not there', 'redis://:secret@', 'replied ERR', '/99'],
  ])('says why it fails with %s, without the password', async (_, start_, reason, path = '') => {
    const { title, find } = await start({ password: 'secret' });
    const ask = await find(title.replace('redis://', start_) + path);
    expect(await refusalOf(ask(['c1']))).toEqual([...FAILED, `${title} ${reason}`]);
    expect(await refusalOf(ask(['c1']))).toEqual([...FAILED, `${title} ${reason}`]);
  });

  it('reconnects after a restart, without a failed request', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    await server.close();
    const again = await startRedisServer({ port: server.port });
    onTestFinished(() => again.close());
    again.hashes.set('customer:c1', { age: '32' });
    expect((await ask(['c1'])).rows).toEqual([{ age: 32 }]);
  });

  it('asks once more when the connection from before is cut by the command', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    server.faults.push('cut');
    const both = await Promise.all([ask(['c1']), ask(['c2'])]);
    expect(both.map(({ rows }) => rows)).toEqual([[{ age: 31 }], [{ age: 52 }]]);
    expect(server.commands.at(-1)?.[0]).toBe(2);
  });

  it('fails when a new connection is cut, too, and works when it is not', async () => {
    const { server, title, find } = await start();
    const ask = await find();
    await ask(['c1']);
    server.faults.push('cut', 'cut');
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...UNAVAILABLE,
      expect.stringContaining(`${title} cannot be reached`),
    ]);
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
  });

  it('does not use a connection on which nothing came for long', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 31_000);
    onTestFinished(() => void vi.restoreAllMocks());
    await ask(['c1']);
    expect(server.commands.map(([connection]) => connection)).toEqual([1, 2]);
  });

  it('waits as long as it may for a server that does not reply, and then takes another connection', async () => {
    const { server, title, find } = await start();
    const ask = await find(title, 50);
    await ask(['c1']);
    server.faults.push('silence');
    expect(await refusalOf(ask(['c1']))).toEqual([...UNAVAILABLE, `${title} did not answer within 50 ms`]);
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
    expect(server.commands.map(([connection]) => connection)).toEqual([1, 1, 2]);
  });

  it('gives replies to those who asked, also after one of them has left', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    const client = new AbortController();
    const left = refusalOf(ask(['c1'], { signal: client.signal }));
    const other = ask(['c2']);
    await microtasks();
    client.abort();
    expect((await left)[0]).toBe('CLIENT_GONE');
    expect((await other).rows).toEqual([{ age: 52 }]);
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
    expect(server.commands).toEqual([
      [1, 'HMGET', 'customer:c1', 'age'],
      [1, 'HMGET', 'customer:c1', 'age'],
      [1, 'HMGET', 'customer:c2', 'age'],
      [1, 'HMGET', 'customer:c1', 'age'],
    ]);
  });

  it('keeps its connection when clients leave', async () => {
    const { server, find } = await start();
    const ask = await find();
    for (let count = 0; count < 50; count += 1) {
      const client = new AbortController();
      const left = refusalOf(ask(['c1'], { signal: client.signal }));
      await microtasks();
      client.abort();
      expect((await left)[0]).toBe('CLIENT_GONE');
    }
    expect((await ask(['c2'])).rows).toEqual([{ age: 52 }]);
    expect(server.commands.length).toBe(51);
    expect(new Set(server.commands.map(([connection]) => connection))).toEqual(new Set([1]));
  });

  it('leaves a connection that owes a reply for a second, also if clients left before', async () => {
    const { server, find } = await start();
    const ask = await find();
    await ask(['c1']);
    server.faults.push('silence');
    const client = new AbortController();
    const left = refusalOf(ask(['c1'], { signal: client.signal }));
    await vi.waitFor(() => expect(server.commands).toHaveLength(2));
    client.abort();
    expect((await left)[0]).toBe('CLIENT_GONE');
    const now = Date.now();
    vi.spyOn(Date, 'now').mockReturnValue(now + 1100);
    onTestFinished(() => void vi.restoreAllMocks());
    expect((await ask(['c2'])).rows).toEqual([{ age: 52 }]);
    expect(server.commands.map(([connection]) => connection)).toEqual([1, 1, 2]);
  });

  it('fails only those who ask for a key of another type', async () => {
    const { server, title, find } = await start();
    server.texts.set('customer:bad', 'x');
    const ask = await find();
    const both = await Promise.all([refusalOf(ask(['c1', 'bad'])), ask(['c1']), ask(['c2', 'c1'])]);
    expect(both[0]).toEqual([...FAILED, `${title} replied WRONGTYPE`]);
    expect([both[1].rows, both[2].rows]).toEqual([[{ age: 31 }], [{ age: 52 }, { age: 31 }]]);
    expect(server.commands.map(([, , key]) => key)).toEqual(['customer:c1', 'customer:bad', 'customer:c2']);
  });

  it('fails only those who ask for a text that is not an object', async () => {
    const { server, title } = await start();
    server.texts.set('c1', '{"age": 31}');
    server.texts.set('bad', '[');
    const ask = await bindFeatures({ store: redis({ url: title, key: '{id}', format: 'json' }) }, STEP);
    const [bad, good] = await Promise.all([refusalOf(ask(['c1', 'bad'])), ask(['c1'])]);
    expect([bad[2], good.rows]).toEqual([`${title} has a text that is not a JSON object`, [{ age: 31 }]]);
    expect(server.commands).toHaveLength(2);
  });

  it.each<[string, readonly [string, string], string]>([
    ['t:{tenant}:{id}', ['a:b', 'c'], ':'],
    ['t:{tenant}::{id}', ['a:', 'b'], '::'],
    ['{id}/{tenant}/', ['b/', 'a'], '/'],
  ])('refuses ids that would make the key %s ambiguous: %j', async (key, [tenant, id], after) => {
    const { server, title } = await start();
    const ask = await bindFeatures(
      { store: redis({ url: title, key }) },
      { ...STEP, entity: ['tenant', 'id'], missing: 'null' },
    );
    const fields = { tenant, id };
    expect(await refusalOf(ask([{ tenant: 'q', id: 'q' }, fields]))).toEqual([
      'INVALID_PARAMETER_VALUE',
      `Field "instances[1].tenant" cannot be a part of a key with "${after}" after it.`,
    ]);
    expect(server.commands).toEqual([]);
    await ask([{ tenant: 'a', id: 'b:c' }]);
    expect(server.commands).toHaveLength(1);
  });

  it('refuses an id alone that has what follows it in the key', async () => {
    const { title } = await start();
    const ask = await bindFeatures({ store: redis({ url: title, key: 'c:{id}:f' }) }, STEP);
    expect((await refusalOf(ask(['1:f:2'])))[1]).toBe(
      'Field "instances[0]" cannot be a part of a key with ":f" after it.',
    );
  });

  it('refuses a key of which two entities could have the same text', async () => {
    const { title } = await start();
    const store = redis({ url: title, key: 't:{a}{b}' });
    await expect(bindFeatures({ store }, { ...STEP, entity: ['a', 'b'] })).rejects.toThrow(
      'the key "t:{a}{b}" of the store has two placeholders with nothing between them',
    );
  });

  it('says that a server is not there', async () => {
    const { server, title, find } = await start();
    await server.close();
    const ask = await find();
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...UNAVAILABLE,
      `${title} cannot be reached: ECONNREFUSED`,
    ]);
  });

  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'a reply starts with another character than + - : $ *'],
    ['a wrong length', '*1\r\n$x\r\n', 'a reply has a wrong number or length'],
    ['a length beyond all memory', '*1\r\n$99999999999\r\n', 'a reply has a wrong number or length'],
    ['a text beyond its length', '*1\r\n$2\r\nabcd\r\n', 'a text is longer than its length says'],
    ['lists in lists', '*1\r\n'.repeat(9), 'a reply has too many lists in lists'],
    ['a line without its first half', '+OK\n', 'a line of a reply has no CR before its LF'],
  ])('refuses bytes that are not replies: %s', async (_, reply, problem) => {
    const { server, title, find } = await start();
    const ask = await find();
    server.faults.push({ reply });
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...FAILED,
      `${title} does not speak the protocol of Redis: ${problem}`,
    ]);
    expect((await ask(['c1'])).rows).toEqual([{ age: 31 }]);
  });

  it.each([
    ['-LOADING Redis is loading the dataset in memory\r\n', [...UNAVAILABLE, 'replied LOADING']],
    ['-ERR max number of clients reached\r\n', [...UNAVAILABLE, 'replied ERR']],
    ['-WRONGTYPE Operation against customer:c1\r\n', [...FAILED, 'replied WRONGTYPE']],
    [
      '-MOVED 3999 10.0.0.1:6381\r\n',
      [
        ...FAILED,
        'replied MOVED: it is a node of a cluster, which this step cannot follow; expected an address of all keys',
      ],
    ],
    [':1\r\n', [...FAILED, 'replied to HMGET with something else than a list']],
    ['*1\r\n:1\r\n', [...FAILED, 'replied to HMGET with something else than texts']],
  ])('understands the reply %j', async (reply, [code, message, reason]) => {
    const { server, title, find } = await start();
    const ask = await find();
    server.faults.push({ reply });
    expect(await refusalOf(ask(['c1']))).toEqual([code, message, `${title} ${reason}`]);
    expect((await ask(['c2'])).rows).toEqual([{ age: 52 }]);
  });

  it('reads a hash with a value that is not a number, and says so where one is expected', async () => {
    const { server, find } = await start();
    server.hashes.set('customer:c1', { age: 'old' });
    expect((await (await find())(['c1'])).rows).toEqual([{ age: 'old' }]);
    const store = redis({ url: `redis://127.0.0.1:${server.port}`, key: 'customer:{id}' });
    const ask = await bindFeatures({ store }, { ...STEP, features: [{ name: 'age', type: 'number' }] });
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...FAILED,
      'the feature "age" of an entity is not a number in the store',
    ]);
  });

  it('refuses a text that is not a JSON object', async () => {
    const { server, title } = await start();
    server.texts.set('c1', '{"age": secret}');
    const ask = await bindFeatures({ store: redis({ url: title, key: '{id}', format: 'json' }) }, STEP);
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...FAILED,
      `${title} has a text that is not a JSON object`,
    ]);
  });

  it('speaks TLS, and refuses a certificate that nobody vouches for', async () => {
    const { server } = await start({ isEncrypted: true });
    const url = `rediss://localhost:${server.port}`;
    const ask = await bindFeatures({ store: redis({ url, key: 'customer:{id}' }) }, STEP);
    expect(await refusalOf(ask(['c1']))).toEqual([
      ...UNAVAILABLE,
      `${url} cannot be reached: DEPTH_ZERO_SELF_SIGNED_CERT`,
    ]);
    expect(server.commands).toEqual([]);
  });

  it.each([
    [
      '',
      {},
      'The store "redis" needs "url", which is missing. If it comes from a variable of the environment, set that variable.',
    ],
    [
      '',
      { url: '' },
      'The store "redis" needs "url", which is empty. If it comes from a variable of the environment, set that variable.',
    ],
    [
      '',
      { url: 'http://u:secret@h' },
      'The store "redis" cannot use its "url"; expected redis://HOST or rediss://HOST.',
    ],
    [
      '',
      { url: 'redis://user@h', key: '{id}' },
      'The store "redis" has a user in its "url", but no password; expected redis://USER:PASSWORD@HOST.',
    ],
    [
      '',
      { url: 'redis://h?db=2', key: '{id}' },
      'The store "redis" cannot use what follows the "?" or "#" in its "url".',
    ],
    [
      '',
      { url: 'redis://h/0#2', key: '{id}' },
      'The store "redis" cannot use what follows the "?" or "#" in its "url".',
    ],
    ['', { url: 'redis://h/x' }, 'The store "redis" needs a number after the host of its "url".'],
    [
      '',
      { url: 'redis://:%zz@h' },
      'The store "redis" has a % in the credentials of its "url" that must be written as %25.',
    ],
    [
      '',
      { url: 'redis://h' },
      'The store "redis" needs "key", which is missing. If it comes from a variable of the environment, set that variable.',
    ],
    [
      '',
      { url: 'redis://h', key: '{id}', format: 'xml' },
      'The store "redis" needs "hash" or "json" as "format".',
    ],
    [
      '',
      { url: 'redis://h', key: '{id}', keys: '' },
      'The store "redis" has no setting "keys"; it has "url", "key", "format", perhaps "key" was meant.',
    ],
  ])('refuses wrong settings%s: %j', (_, settings, message) => {
    expect(() =>
      redis(Object.assign({ url: undefined, key: '' }, settings, { key: Reflect.get(settings, 'key') })),
    ).toThrow(message);
  });
});
