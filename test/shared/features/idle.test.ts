import { describe, expect, it, onTestFinished } from 'vitest';
import { startDynamoDbServer } from '../../support/features/dynamodb-server.ts';
import { startRedisServer } from '../../support/features/redis-server.ts';
import { startNode } from '../../support/run-command.ts';

/** Looks up one entity in a process of its own, which has nothing else to do. */
async function lookUp(open: string, ms: number) {
  const code = `
    import { openDynamoDb } from './shared/features/dynamodb/dynamodb.ts';
    import { redis } from './shared/features/redis/redis.ts';
    const plan = (${open}).plan({ entity: [{ name: 'id' }], features: ['age'] });
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new Error('left')), ${ms});
    console.log(await plan.read([['c1']], controller.signal).catch(({ message }) => message));
    clearTimeout(timer);`;
  const { process: child, outcome } = startNode(['--input-type=module', '-e', code], {});
  onTestFinished(() => void child.kill());
  const { code: exit, stdout } = await outcome;
  return [exit, stdout.trim()];
}

const LONG_MS = 600_000;

describe('a process that has looked something up', () => {
  it.each(['hash', 'left'])('ends by itself, with its connection to Redis open: %s', async (kind) => {
    const server = await startRedisServer();
    onTestFinished(() => server.close());
    server.hashes.set('c1', { age: '31' });
    if (kind === 'left') server.faults.push('silence');
    const open = `redis({ url: 'redis://127.0.0.1:${server.port}', key: '{id}' })`;
    expect(await lookUp(open, kind === 'left' ? 100 : LONG_MS)).toEqual([
      0,
      kind === 'left' ? 'left' : "[ [ '31' ] ]",
    ]);
  });

  it('ends by itself, with its connection to DynamoDB open', async () => {
    const server = await startDynamoDbServer();
    onTestFinished(() => server.close());
    server.tables.set('t', [{ id: { S: 'c1' }, age: { N: '31' } }]);
    const credentials = "async () => ({ accessKeyId: 'a', secretAccessKey: 's' })";
    const settings = `{ table: 't', key: 'id', region: 'r', endpoint: '${server.url}', credentials: ${credentials} }`;
    expect(await lookUp(`openDynamoDb(${settings}, {})`, LONG_MS)).toEqual([0, '[ [ 31 ] ]']);
  });
});
