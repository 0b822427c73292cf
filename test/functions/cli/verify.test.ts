import { spawnSync } from 'node:child_process';
import { appendFile, cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { manifest } from '../../support/artifact-setup.ts';
import { PROJECT } from '../../support/project.ts';
import { runCommand, startCommand, temporaryFolder } from '../../support/run-command.ts';
import { startS3Server } from '../../support/s3-server.ts';

const LARGE = Buffer.alloc(3 * 1024 * 1024, 'weights');

/** A repository with a version that the command published, one with large files, and one without files.json. */
async function makeRepository(): Promise<string> {
  const root = await temporaryFolder();
  await runCommand(['add', join(PROJECT, 'models/iris/2'), '-n', 'iris', '-r', root, '--no-lineage']);
  const files = { 'model.onnx': LARGE, 'deep/empty.txt': Buffer.alloc(0) };
  for (const [path, content] of Object.entries({ ...files, 'files.json': manifest(files) })) {
    await mkdir(join(root, 'big/10/deep'), { recursive: true });
    await writeFile(join(root, 'big/10', path), content);
  }
  await cp(join(PROJECT, 'models/digits/1'), join(root, 'digits/1'), { recursive: true });
  await writeFile(join(root, 'iris/deployment.json'), '{}');
  await writeFile(join(root, 'README.md'), 'what is here');
  return root;
}

async function verify(root: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await runCommand(['verify', ...args, '-r', root, '--json']);
  return { code, stderr, ...JSON.parse(stdout) };
}

describe('ternion verify', () => {
  it('finds no fault in what was published', async () => {
    const root = await makeRepository();
    expect(await verify(root)).toEqual({
      code: 0,
      stderr: '',
      repository: pathToFileURL(root).href,
      versions: 2,
      files: 7,
      size_bytes: expect.any(Number),
      faults: [],
      without_files_json: ['digits/1'],
      not_served: [],
    });
    const { code, stdout } = await runCommand(['verify', '-r', root]);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^2 versions checked \(7 files, 3\.\d+ MB\): no fault\nnot checked, because there is no files\.json: digits\/1\n$/,
      ),
    ]);
  });

  it('names each file that differs, is missing or is not listed', async () => {
    const root = await makeRepository();
    const big = join(root, 'big/10');
    const model = Buffer.from(LARGE);
    model.writeUInt8(model.readUInt8(2_000_000) ^ 1, 2_000_000);
    await writeFile(join(big, 'model.onnx'), model);
    await writeFile(join(big, 'other.txt'), 'x');
    await appendFile(join(root, 'iris/1/model.json'), ' ');
    await rm(join(root, 'iris/1/reference.json'));
    const { code, faults, versions } = await verify(root);
    expect([code, versions]).toEqual([1, 2]);
    expect(faults).toEqual([
      {
        path: 'big/10/model.onnx',
        fault: 'differs',
        text: expect.stringMatching(
          /^big\/10\/model\.onnx has sha256 [0-9a-f]{64}, and files\.json says [0-9a-f]{64}\.$/,
        ),
      },
      { path: 'big/10/other.txt', fault: 'unlisted', text: 'big/10/other.txt is not in files.json.' },
      {
        path: 'iris/1/model.json',
        fault: 'differs',
        text: expect.stringMatching(/^iris\/1\/model\.json has (\d+) bytes, and files\.json says \d+\.$/),
      },
      {
        path: 'iris/1/reference.json',
        fault: 'missing',
        text: 'iris/1/reference.json is in files.json, but it is missing.',
      },
    ]);
    const words = await runCommand(['verify', '-r', root]);
    expect(words.code).toBe(1);
    expect(words.stdout.split('\n').slice(0, 4)).toEqual(faults.map(({ text }: { text: string }) => text));
    expect(words.stdout).toMatch(/\n2 versions checked \(7 files, .*\): 4 faults\n/);
  });

  it('names each file that a server passes over, and why', async () => {
    const root = await makeRepository();
    const iris = join(root, 'iris/1');
    await rm(join(iris, 'reference.json'));
    await symlink('gone.json', join(iris, 'reference.json'));
    spawnSync('mkfifo', [join(iris, 'pipe')]);
    const { code, faults } = await verify(root, 'iris');
    expect([code, faults]).toEqual([
      1,
      [
        {
          path: 'iris/1/pipe',
          fault: 'unlisted',
          text: 'iris/1/pipe is not in files.json, and is a pipe, not a file.',
        },
        {
          path: 'iris/1/reference.json',
          fault: 'unreadable',
          text: 'iris/1/reference.json is a link that cannot be followed (ENOENT).',
        },
      ],
    ]);
  });

  it('says which versions a policy leaves out, and which named ones are missing', async () => {
    const root = await makeRepository();
    await writeFile(join(root, 'iris/config.pbtxt'), 'version_policy { specific { versions: [1, 7] } }');
    await writeFile(join(root, 'big/config.pbtxt'), 'version_policy { specific { versions: [1] } }');
    await writeFile(join(root, 'digits/config.pbtxt'), 'version_policy { newest { } }');
    const { code, faults, not_served } = await verify(root);
    expect([code, not_served]).toEqual([1, ['big/10']]);
    expect(faults).toEqual([
      {
        path: 'big/1',
        fault: 'missing',
        text: 'big/1 is in the version_policy of big/config.pbtxt, but it is missing.',
      },
      {
        path: 'big/config.pbtxt',
        fault: 'unserved',
        text: 'big/config.pbtxt excludes all versions of the model.',
      },
      {
        path: 'digits/config.pbtxt',
        fault: 'unreadable',
        text: 'Model digits: its config.pbtxt cannot be read: its version_policy must be one of latest, all and specific.',
      },
      {
        path: 'iris/7',
        fault: 'missing',
        text: 'iris/7 is in the version_policy of iris/config.pbtxt, but it is missing.',
      },
    ]);
    const words = await runCommand(['verify', 'big', '-r', root]);
    expect(words.stdout).toMatch(
      /\nnot served, because the version_policy of config\.pbtxt excludes it: big\/10\n/,
    );
    expect((await verify(root, 'iris')).faults).toHaveLength(1);
  });

  it.each([
    ['iris', 0, 1],
    ['iris/1', 0, 1],
    ['big', 1, 1],
    ['big/10', 1, 1],
    ['digits', 0, 0],
  ])('checks only %s', async (argument, code, versions) => {
    const root = await makeRepository();
    await rename(join(root, 'big/10/model.onnx'), join(root, 'big/10/moved.onnx'));
    expect(await verify(root, argument)).toMatchObject({ code, versions });
  });

  it.each([
    ['irys', /has no model "irys"; its models are: big, digits, iris\.$/],
    ['iris@champion', /has no model "iris@champion"; its models are/],
    ['iris/7', /has no "iris\/7"; the versions of iris are: 1\.$/],
  ])('says what there is instead of %s', async (argument, text) => {
    const { code, error } = await verify(await makeRepository(), argument);
    expect([code, error]).toEqual([1, expect.stringMatching(text)]);
  });

  it('names a files.json that cannot be read, and a version that has nothing else', async () => {
    const root = await makeRepository();
    await writeFile(join(root, 'iris/1/files.json'), '{"files": [{"path": "../x"}]}');
    await rm(join(root, 'big/10/model.onnx'));
    await rm(join(root, 'big/10/deep/empty.txt'));
    const { code, faults } = await verify(root);
    expect([code, faults]).toMatchObject([
      1,
      [
        { path: 'big/10/deep/empty.txt', fault: 'missing' },
        { path: 'big/10/model.onnx', fault: 'missing' },
        {
          path: 'iris/1/files.json',
          fault: 'unreadable',
          text: expect.stringMatching(/is not valid \(.*path/),
        },
      ],
    ]);
  });

  it('fails if there is no repository', async () => {
    const { code, error } = await verify(join(await temporaryFolder(), 'none'));
    expect([code, error]).toEqual([1, expect.stringMatching(/none does not exist\.$/)]);
  });

  it('reads S3, resumes after a lost connection, and downloads nothing to the cache', async () => {
    const root = await makeRepository();
    const s3 = await startS3Server({ folder: root });
    onTestFinished(() => s3.close());
    const environment = {
      AWS_REGION: s3.client.region,
      AWS_ENDPOINT_URL_S3: s3.client.endpoint,
      AWS_ACCESS_KEY_ID: s3.client.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.client.credentials.secretAccessKey,
      MODEL_CACHE_FOLDER: join(root, 'cache'),
    };
    const run = async () =>
      await startCommand(['verify', '-r', 's3://models', '--json'], '', environment).outcome;
    const isLarge = ({ key }: { key: string }) => key === 'big/10/model.onnx';
    s3.addFault({ when: isLarge, times: 2, effect: { kind: 'cut', afterBytes: 1_000_000 } });
    const whole = await run();
    expect([whole.code, JSON.parse(whole.stdout)]).toMatchObject([0, { versions: 2, files: 7, faults: [] }]);
    s3.put('big/10/deep/empty.txt', 'x');
    s3.addFault({ when: isLarge, effect: { kind: 'refuse', status: 403, code: 'AccessDenied' } });
    const damaged = await run();
    expect([damaged.code, JSON.parse(damaged.stdout)]).toMatchObject([
      1,
      {
        faults: [
          { path: 'big/10/deep/empty.txt', fault: 'differs' },
          { path: 'big/10/model.onnx', fault: 'unreadable', text: expect.stringContaining('s3:GetObject') },
        ],
      },
    ]);
    await expect(readFile(join(root, 'cache'))).rejects.toThrow('ENOENT');
  });
});
