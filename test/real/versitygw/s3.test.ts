// The S3 server that checks signatures and checksums.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { contentOf } from '../../contracts/model-store.ts';
import { connect, createBucket, describeBuckets } from '../describe-s3.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart, programOf } from './counterpart.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'testtest' };

let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternion-versitygw-'));
  await mkdir(join(folder, 'data'));
  server = await startServer({
    ...counterpart,
    start: (installed, port) => [
      programOf(installed),
      ...['--port', `127.0.0.1:${port}`, '--region', 'eu-west-1', '--quiet'],
      ...['--access', CREDENTIALS.accessKeyId, '--secret', CREDENTIALS.secretAccessKey],
      ...['posix', join(folder, 'data')],
    ],
  });
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

function address() {
  return {
    endpoint: server.url,
    region: 'eu-west-1',
    forcePathStyle: true,
    credentials: CREDENTIALS,
  } as const;
}

describeBuckets('versitygw', address, { goneRemovals: true });

describe('a bucket of versitygw', () => {
  it('is closed to another secret, and says which permission is missing', async () => {
    const client = connect(address());
    const bucket = await createBucket(client);
    client.destroy();
    const credentials = { ...CREDENTIALS, secretAccessKey: 'another' };
    const store = openS3Store(`s3://${bucket}`, { ...address(), credentials });
    for (const ask of [
      () => store.list(''),
      () => store.load('a'),
      () => store.write('a', contentOf('one')),
    ]) {
      await expect(ask()).rejects.toMatchObject({
        reason: 'denied',
        message: expect.stringContaining('SignatureDoesNotMatch'),
      });
    }
  });

  it('takes no bytes that are not those of their checksum', async () => {
    const client = connect(address());
    const bucket = await createBucket(client);
    client.destroy();
    const store = openS3Store(`s3://${bucket}`, address());
    const other = { ...contentOf('two'), sha256: contentOf('six').sha256 };
    await expect(store.write('a', other)).rejects.toMatchObject({ name: 'StoreError' });
    expect(await store.list('')).toEqual([]);
  });
});
