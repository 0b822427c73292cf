import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { redis } from '../../../shared/features/redis/redis.ts';
import { type Customer, describeFeatureStore } from '../../contracts/feature-store.ts';
import { bindFeatures, refusalOf } from '../../support/features/look-up.ts';
import { LOCALHOST } from '../../support/localhost-certificate.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { folderOf } from '../installation.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart, startRedis } from './counterpart.ts';

const STEP = { entity: 'customer_id', features: ['age'] };

let server: RunningServer;

beforeAll(async () => {
  server = await startServer(counterpart);
});
afterAll(() => server?.close());

/** Runs commands of Redis's own client. */
function send(port: number, commands: readonly (readonly string[])[], options: readonly string[] = []): void {
  const folder = folderOf(counterpart);
  const [libraries = ''] = execFileSync('sh', ['-c', 'echo "$1"/usr/lib/*-linux-gnu', 'sh', folder])
    .toString()
    .split('\n');
  const lines = commands.map((words) => words.map((word) => JSON.stringify(word)).join(' '));
  const output = execFileSync(join(folder, 'usr/bin/redis-cli'), ['-p', String(port), ...options], {
    input: `${lines.join('\n')}\n`,
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  }).toString();
  if (/ERR|NOAUTH/.test(output)) throw new Error(output);
}

function write(customers: readonly Customer[], format: 'hash' | 'json'): string {
  const prefix = `${format}-${randomUUID()}`;
  const commands = customers.map(({ customer_id: id, ...features }) => {
    const key = `${prefix}:${id}`;
    if (format === 'json') return ['SET', key, JSON.stringify(features)];
    return ['HSET', key, ...Object.entries(features).flatMap(([name, value]) => [name, String(value)])];
  });
  send(server.port, commands);
  return `${prefix}:{customer_id}`;
}

for (const format of ['hash', 'json'] as const) {
  describeFeatureStore(`a real Redis with a ${format}`, async (customers) => ({
    store: redis({ url: `redis://127.0.0.1:${server.port}`, key: write(customers, format), format }),
    close: async () => undefined,
  }));
}

/** A server of its own, with settings. */
async function start(...settings: string[]): Promise<RunningServer> {
  const own = await startServer({
    ...counterpart,
    start: (folder, port) => startRedis(folder, ['--port', String(port), ...settings]),
  });
  onTestFinished(() => own.close());
  return own;
}

describe('a real Redis', () => {
  it('knows the user, the password and the database', async () => {
    const { port } = await start('--requirepass', 'secret');
    send(
      port,
      [
        ['ACL', 'SETUSER', 'reader', 'on', '>p@ss', '~*', '+@all'],
        ['SELECT', '3'],
        ['HSET', 'c1', 'age', '31'],
      ],
      ['-a', 'secret', '--no-auth-warning'],
    );
    for (const user of ['reader:p%40ss', ':secret']) {
      const store = redis({ url: `redis://${user}@127.0.0.1:${port}/3`, key: '{id}' });
      expect((await (await bindFeatures({ store }, STEP))(['c1'])).rows).toEqual([{ age: 31 }]);
    }
    const store = redis({ url: `redis://reader:wrong@127.0.0.1:${port}/3`, key: '{id}' });
    const [code, , reason] = await refusalOf((await bindFeatures({ store }, STEP))(['c1']));
    expect([code, reason]).toEqual(['PROCESSOR_FAILED', `redis://127.0.0.1:${port} replied WRONGPASS`]);
  });

  it('does not let a request fail when it has ended the connection', async () => {
    const { port } = await start();
    send(port, [['HSET', 'c1', 'age', '31']]);
    const store = redis({ url: `redis://127.0.0.1:${port}`, key: '{id}' });
    const find = await bindFeatures({ store, cacheSeconds: 0 }, STEP);
    await find(['c1']);
    send(port, [['CLIENT', 'KILL', 'TYPE', 'normal']]);
    expect((await find(['c1'])).rows).toEqual([{ age: 31 }]);
  });

  it('says what it has under a key of another type', async () => {
    send(server.port, [['SET', 'text:c1', 'x']]);
    const store = redis({ url: `redis://127.0.0.1:${server.port}`, key: 'text:{id}' });
    const [code, , reason] = await refusalOf((await bindFeatures({ store }, STEP))(['c1']));
    expect([code, reason]).toEqual([
      'PROCESSOR_FAILED',
      `redis://127.0.0.1:${server.port} replied WRONGTYPE`,
    ]);
  });

  it('speaks TLS', async () => {
    const folder = await makeFolder({ 'key.pem': LOCALHOST.key, 'cert.pem': LOCALHOST.cert });
    const own = await startServer({
      ...counterpart,
      start: (installed, port) =>
        startRedis(installed, [
          ...['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no'],
          ...['--tls-cert-file', join(folder, 'cert.pem'), '--tls-key-file', join(folder, 'key.pem')],
        ]),
    });
    onTestFinished(() => own.close());
    const certificates = getCACertificates();
    setDefaultCACertificates([...certificates, LOCALHOST.cert]);
    onTestFinished(() => setDefaultCACertificates(certificates));
    const store = redis({ url: `rediss://localhost:${own.port}`, key: '{id}' });
    const find = await bindFeatures({ store }, { ...STEP, missing: 'null' });
    expect((await find(['c1'])).rows).toEqual([{ age: null }]);
  });
});
