import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MARKS_FOLDER } from '../../../shared/models/artifact-leases.ts';
import { PROJECT } from '../../support/project.ts';
import { type Outcome, startCommand, temporaryFolder } from '../../support/run-command.ts';
import { type S3Server, startS3Server } from '../../support/s3-server.ts';

// Published without lineage: a checkout has a commit, and the same files from an archive have none.
const IRIS = join(PROJECT, 'models/iris/2');
const FILES = ['files.json', 'model.json', 'model.onnx', 'reference.json'];
/** What a repository has beside its models. */
const INDEX = 'prod/index.json';
const keysOf = (version: string) => FILES.map((name) => `prod/iris/${version}/${name}`);

async function startBucket(): Promise<{
  s3: S3Server;
  cache: string;
  run: (...args: readonly string[]) => Promise<Outcome>;
}> {
  const s3 = await startS3Server();
  onTestFinished(() => s3.close());
  const cache = await temporaryFolder();
  const environment = {
    MODEL_CACHE_FOLDER: cache,
    AWS_REGION: s3.client.region,
    AWS_ENDPOINT_URL_S3: s3.client.endpoint,
    AWS_ACCESS_KEY_ID: s3.client.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.client.credentials.secretAccessKey,
    MODEL_REPOSITORY: 's3://models/prod',
  };
  return { s3, cache, run: (...args) => startCommand(args, '', environment).outcome };
}

describe('ternion add to S3', () => {
  it('first uploads the file that claims the version, and last the one that makes it a version', async () => {
    const { s3, run } = await startBucket();
    const { code, stdout, stderr } = await run('add', IRIS, '-n', 'iris', '--no-lineage');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^iris\/1 is in s3:\/\/models\/prod\/iris\/1 \(3 files, \d\d\.\d kB\)\n/);
    const puts = s3.requests.filter(({ operation }) => operation === 'PutObject');
    expect(puts.map(({ key }) => key).sort()).toEqual([INDEX, ...keysOf('1')]);
    expect(puts.at(0)).toMatchObject({ key: 'prod/iris/1/files.json', ifNoneMatch: '*' });
    expect(puts.slice(-2).map(({ key }) => key)).toEqual(['prod/iris/1/model.onnx', INDEX]);
    const served = await run('predict', 'iris', '[5.1, 3.5, 1.4, 0.2]', '--json');
    expect(JSON.parse(served.stdout)).toMatchObject({ prediction: 'setosa', model_version: '1' });
  });

  it('is used by other commands, which keep no downloads', async () => {
    const { cache, run } = await startBucket();
    await run('add', IRIS, '-n', 'iris', '--no-lineage');
    for (const args of [
      ['inspect', 'iris'],
      ['predict', 'iris', '[5.1, 3.5, 1.4, 0.2]'],
      ['predict', 'iris', '[1]'],
    ]) {
      await run(...args);
      const [folder = ''] = await readdir(cache);
      expect(await readdir(join(cache, folder, MARKS_FOLDER)), args.join(' ')).toEqual([]);
    }
  });

  it('takes the next version, and never an existing one', async () => {
    const { s3, run } = await startBucket();
    await run('add', IRIS, '-n', 'iris', '--no-lineage');
    expect(JSON.parse((await run('add', IRIS, '-n', 'iris', '--no-lineage', '--json')).stdout)).toMatchObject(
      {
        version: '2',
      },
    );
    const again = await run('add', IRIS, '-n', 'iris', '--no-lineage', '--version', '1');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('has a version 1 already')]);
    expect(s3.keys()).toEqual([INDEX, ...keysOf('1'), ...keysOf('2')]);
  });

  it('leaves a version to the publisher that claims it first', async () => {
    const { s3, run } = await startBucket();
    // Another publisher comes between the listing and the upload.
    s3.addFault({
      when: ({ operation }) => operation === 'PutObject',
      times: 1,
      effect: { kind: 'run', action: () => s3.put('prod/iris/1/files.json', '{"files": []}') },
    });
    const { stdout, stderr } = await run('add', IRIS, '-n', 'iris', '--no-lineage', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ version: '2', path: 's3://models/prod/iris/2' });
    // The SDK would warn about the refused upload.
    expect(stderr).toBe('');
    expect(s3.keys()).toEqual([INDEX, 'prod/iris/1/files.json', ...keysOf('2')]);
  });

  it('shows no version if an upload fails, and says what is missing', async () => {
    const { s3, run } = await startBucket();
    s3.addFault({
      when: ({ operation, key }) => operation === 'PutObject' && key.endsWith('reference.json'),
      effect: { kind: 'refuse', status: 403, code: 'AccessDenied' },
    });
    const { code, stderr } = await run('add', IRIS, '-n', 'iris', '--no-lineage', '--version', '1');
    expect([code, stderr]).toEqual([1, expect.stringContaining('s3:PutObject on it')]);
    expect(s3.keys()).not.toContain('prod/iris/1/model.onnx');
    const served = await run('predict', 'iris', '[5.1, 3.5, 1.4, 0.2]');
    expect(served.stderr).toMatch(
      /^There is no file or folder "iris", and no model "iris" in the repository s3:/,
    );
  });

  describe('whose upload was interrupted', () => {
    async function startBroken() {
      const bucket = await startBucket();
      bucket.s3.addFault({
        when: ({ operation, key }) => operation === 'PutObject' && key.endsWith('reference.json'),
        times: 1,
        effect: { kind: 'refuse', status: 403, code: 'AccessDenied' },
      });
      const { code } = await bucket.run('add', IRIS, '-n', 'iris', '--no-lineage', '--version', '1');
      expect(code).toBe(1);
      return bucket;
    }

    it.each([
      ['its version', ['--version', '1']],
      ['no version', []],
    ])('is completed by the same model and %s', async (_, options) => {
      const { s3, run } = await startBroken();
      const { code, stdout } = await run('add', IRIS, '-n', 'iris', '--no-lineage', '--json', ...options);
      expect([code, JSON.parse(stdout)]).toMatchObject([0, { version: '1', live: '1' }]);
      expect(s3.keys()).toEqual([INDEX, ...keysOf('1')]);
      const served = await run('predict', 'iris', '[5.1, 3.5, 1.4, 0.2]', '--json');
      expect(JSON.parse(served.stdout)).toMatchObject({ prediction: 'setosa', model_version: '1' });
    });

    it('is left alone by another model, with a message that says what to do', async () => {
      const { s3, run } = await startBroken();
      const before = s3.keys();
      const other = join(PROJECT, 'models/iris/1');
      const refused = await run('add', other, '-n', 'iris', '--version', '1');
      expect([refused.code, refused.stderr]).toEqual([
        1,
        expect.stringMatching(
          /its publishing was interrupted\. Publish that model again .* remove the folder iris\/1 /,
        ),
      ]);
      expect(s3.keys()).toEqual(before);
      const { stdout } = await run('add', other, '-n', 'iris', '--json');
      expect(JSON.parse(stdout)).toMatchObject({ version: '2', live: '2' });
    });
  });

  it('sends a file again if the connection is lost', async () => {
    const { s3, run } = await startBucket();
    s3.addFault({
      when: ({ operation, key }) => operation === 'PutObject' && key.endsWith('model.onnx'),
      times: 1,
      effect: { kind: 'refuse', status: 503, code: 'SlowDown' },
    });
    expect((await run('add', IRIS, '-n', 'iris', '--no-lineage')).code).toBe(0);
    expect(s3.keys()).toEqual([INDEX, ...keysOf('1')]);
  });
});
