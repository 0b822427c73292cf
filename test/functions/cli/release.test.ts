import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { openRepository } from '../../support/open-repository.ts';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';
import { startS3Server } from '../../support/s3-server.ts';

const IRIS = join(PROJECT, 'models/iris');

/** A repository with the versions 1 and 2 of the project's model `iris`, and 3, which is 1 again. */
async function makeRepository(): Promise<string> {
  const folder = join(await temporaryFolder(), 'models');
  await cp(IRIS, join(folder, 'iris'), { recursive: true });
  await cp(join(IRIS, '1'), join(folder, 'iris/3'), { recursive: true });
  return folder;
}

/** Runs a command on a repository; it must not fail. */
async function done(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await startCommand([...args, '-r', folder]).outcome;
  expect([code, stderr], args.join(' ')).toEqual([0, '']);
  return stdout;
}

async function json(folder: string, ...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await done(folder, ...args, '--json'));
}

async function refused(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stderr } = await startCommand([...args, '-r', folder]).outcome;
  expect(code, args.join(' ')).toBe(1);
  return stderr;
}

describe('the registry of the command', () => {
  it('releases, divides, goes back, and keeps who did what and why', async () => {
    const folder = await makeRepository();
    expect(await done(folder, 'list')).toBe('iris  versions 1, 2, 3  live 3\n');
    expect(await done(folder, 'alias', 'iris')).toBe('no aliases\n');
    expect(await done(folder, 'alias', 'iris', 'canary', '2', '--by', 'ada', '--why', 'a test')).toBe(
      'iris, revision 1: live 3\naliases: canary = 2\n',
    );
    expect(
      await done(folder, 'split', 'iris', 'canary=5', '--key', 'header:x-user', '--shadow', '1=10'),
    ).toBe('iris, revision 2: live 3, canary 5 %, shadow 1 10 %\naliases: canary = 2\n');
    expect(await json(folder, 'split', 'iris', 'canary=25', '--rule', '1={"header.x-team": "a"}')).toEqual({
      model: 'iris',
      revision: 3,
      live: '3',
      aliases: { canary: '2' },
      archived: [],
      split: { canary: 25 },
      shadows: { '1': 10 },
      rules: [{ target: '1', when: '{"header.x-team":"a"}' }],
      key: 'header:x-user',
    });
    for (const args of [
      ['archive', 'iris', '1'],
      ['delete', 'iris', '1'],
      ['delete', 'iris', '3'],
    ])
      expect(await refused(folder, ...args)).toContain('it cannot be archived or deleted');
    expect(await done(folder, 'split', 'iris', '--clear')).toContain('revision 4: live 3\n');
    expect(await done(folder, 'archive', 'iris', '1')).toContain('archived: 1\n');
    expect(await done(folder, 'rollback', 'iris', '--to', '2', '--why', 'too soon')).toContain(
      'revision 6: live 3, canary 5 %, shadow 1 10 %\n',
    );
    expect(await refused(folder, 'rollback', 'iris', '--to', '6')).toContain('is at revision 6');
    const history = await json(folder, 'history', 'iris', '--verify');
    expect(history).toMatchObject({
      verified: true,
      history: [
        { revision: 1, by: 'ada', why: 'a test', action: 'alias canary 2', live: '3' },
        { revision: 2, action: 'split canary=5 --shadow 1=10 --key header:x-user' },
        { revision: 3 },
        { revision: 4, action: 'split --clear' },
        { revision: 5, action: 'archive 1' },
        { revision: 6, why: 'too soon', action: 'rollback to 2' },
      ],
    });
    const edited = join(folder, 'releases/iris/5.json');
    await writeFile(edited, (await readFile(edited, 'utf8')).replace('archive 1', 'archive 2'));
    const { code, stdout } = await startCommand(['history', 'iris', '--verify', '-r', folder]).outcome;
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('revision 6 does not follow from revision 5'),
    ]);
  });

  it('promotes a version that answers and is not worse, with the approval of another person', async () => {
    const folder = await makeRepository();
    const promote = async (...args: readonly string[]) =>
      await startCommand(['promote', 'iris', ...args, '-r', folder]).outcome;
    await done(folder, 'tag', 'iris/3', '--metric', 'accuracy=0.97', '--metric', 'log_loss=0.2');
    await done(
      folder,
      'tag',
      'iris/2',
      'data=2026-10',
      '--metric',
      'accuracy=0.96',
      '--metric',
      'log_loss=0.1',
    );
    const worse = await promote('2');
    expect(worse).toMatchObject({ code: 1, stdout: '' });
    expect(worse.stderr).toContain('accuracy is 0.96, and 0.97 in the live version');
    expect(await promote('2', '--limit', 'accuracy=0.02', '--limit', 'recall=1')).toMatchObject({ code: 1 });
    const limit = ['--limit', 'accuracy=0.02'];
    expect(await promote('2', '--dry-run', ...limit)).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(
        /^passed: it answers .*\npassed: no metric is worse\niris\/2 would be live instead of 3, which stays in memory for 600 s\n$/,
      ),
    });
    expect(await promote('2', '--needs-approval', '--by', 'ada', ...limit)).toMatchObject({ code: 0 });
    expect((await promote('2', '--by', 'ada', ...limit)).stderr).toContain(
      'another person has to approve it',
    );
    expect(await promote('2', '--by', 'bob', '--warm', '0', ...limit)).toMatchObject({
      code: 0,
      stdout: 'iris, revision 4: live 2\n',
    });
    expect(await json(folder, 'show', 'iris/2')).toMatchObject({
      live: '2',
      tags: { data: '2026-10' },
      metrics: { accuracy: 0.96, log_loss: 0.1 },
      changed: { by: 'bob', action: 'promote 2' },
    });

    const reference = join(folder, 'iris/1/reference.json');
    const wrong = (await readFile(reference, 'utf8')).replace(/"label": "\w+"/, '"label": "rose"');
    await writeFile(
      reference,
      wrong.includes('rose') ? wrong : wrong.replace(/"\w+"(?=\s*[,}\]])/, '"rose"'),
    );
    await rm(join(folder, 'iris/1/files.json'), { force: true });
    expect((await promote('1')).stderr).toContain('--force promotes it all the same');
    expect(await promote('1', '--force')).toMatchObject({ code: 0 });
  });

  it('promotes no version whose model.json has worse metrics', async () => {
    const folder = await makeRepository();
    const promote = async (version: string) =>
      (await startCommand(['promote', 'iris', version, '-r', folder]).outcome).stdout;
    expect(await promote('2')).toBe('iris, revision 1: live 2\n');
    expect(await refused(folder, 'promote', 'iris', '1')).toContain(
      'iris/1 is not promoted: accuracy is 0.9333, and 1 in the live version.',
    );
    // The number of rows says how much was measured.
    await done(folder, 'tag', 'iris/1', '--metric', 'accuracy=1', '--metric', 'held_out_rows=20');
    expect(await json(folder, 'show', 'iris/1')).toMatchObject({
      metrics: { accuracy: 1, held_out_rows: 20 },
    });
    expect(await promote('1')).toBe('iris, revision 3: live 1\n');
  });

  it('goes back to the aliases of the file that was there before, and checks the files of the repository', async () => {
    const folder = await makeRepository();
    await writeFile(join(folder, 'iris/deployment.json'), '{"aliases": {"champion": "1"}}');
    // The command runs in a folder with other files of the same path.
    const here = await temporaryFolder();
    await mkdir(join(here, 'iris/2'), { recursive: true });
    await writeFile(join(here, 'iris/2/model.onnx'), 'no graph');
    const run = async (...args: readonly string[]) =>
      await startCommand([...args, '-r', folder], '', {}, here).outcome;
    expect(await run('promote', 'iris', '2')).toMatchObject({ code: 0 });
    expect(await run('rollback', 'iris')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('aliases: champion = 1'),
    });
  });

  it('compares two versions', async () => {
    const folder = await makeRepository();
    await done(folder, 'tag', 'iris/1', '--metric', 'accuracy=0.9');
    const other = await done(folder, 'diff', 'iris', '1', '2');
    expect(other).toMatch(/^graph:\n {2}size in bytes: \d+ -> \d+\n/);
    expect(other).toContain('metrics:\n  accuracy: 0.9 -> 1\n');
    const same = await json(folder, 'diff', 'iris', '1', '3');
    expect(same).toMatchObject({ graph: [], config: [] });
    expect(Reflect.get(Object(same), 'answers')).toMatchObject({ differences: [] });
  });

  it('deletes a version for good, and gives its number to no other one', async () => {
    const folder = await makeRepository();
    await startCommand(['promote', 'iris', '2', '-r', folder]).outcome;
    expect(await done(folder, 'delete', 'iris', '3')).toMatch(/^iris\/3 is deleted \(\d+ files\)\n$/);
    expect(await done(folder, 'list')).toBe('iris  versions 1, 2  live 2\n');
    const { stdout } = await startCommand(['add', join(IRIS, '1/model.onnx'), '-n', 'iris', '-r', folder])
      .outcome;
    expect(stdout).toContain('iris/4 is in ');
    expect(stdout).toContain('version 2 stays live until this one is released: ternion promote iris 4');
    expect(await done(folder, 'list')).toBe('iris  versions 1, 2, 4  live 2\n');
  });

  it.each([
    [['alias', 'iris', 'canary'], 2, 'Give the version that the alias stands for, or --remove.'],
    [['split', 'iris'], 2, 'Give a share such as canary=5'],
    [['split', 'iris', '2=five'], 2, '"2=five" is not a share'],
    [['split', 'iris', '2=101'], 1, 'expected 0 to 100 with at most two decimals'],
    [['split', 'iris', '2=5', '--key', 'user'], 2, '--key "user" must be header:<name>'],
    [['split', 'iris', '--rule', '2=[]'], 2, 'a condition in JSON'],
    [['tag', 'iris', '--metric', 'accuracy=1'], 2, 'Metrics belong to a version'],
    [['tag', 'iris/1', '--metric', 'accuracy=high'], 2, 'expected a number'],
    [['show', 'rose'], 1, 'has no model "rose"'],
    [['show', 'iris/9'], 1, 'its versions are: 1, 2, 3.'],
    [['promote', 'iris', '9'], 1, 'no version or alias "9"'],
    [['promote', 'iris', '1', '--warm', 'long'], 2, '--warm'],
    [['rollback', 'iris'], 1, 'is at revision 0'],
  ] as const)('says what is wrong with %j', async (args, code, message) => {
    const outcome = await startCommand([...args, '-r', await makeRepository()]).outcome;
    expect([outcome.code, outcome.stderr]).toEqual([code, expect.stringContaining(message)]);
  });
});

it('keeps the index of a bucket up to date', async () => {
  const folder = await makeRepository();
  const server = await startS3Server({ folder });
  onTestFinished(() => server.close());
  const { credentials, region } = server.client;
  const run = async (...args: readonly string[]) =>
    await startCommand([...args, '-r', 's3://models'], '', {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: server.url,
      S3_PATH_STYLE: 'true',
    }).outcome;
  const store = openS3Store('s3://models', server.client);
  const live = async () => (await openRepository(store).resolve('iris')).version;
  expect(await run('index')).toMatchObject({ code: 0, stdout: 'the index of s3://models is up to date\n' });
  expect(await live()).toBe('3');
  expect(await run('alias', 'iris', 'canary', '2')).toMatchObject({ code: 0, stderr: '' });
  expect(await run('promote', 'iris', 'canary')).toMatchObject({ code: 0 });
  expect(await live()).toBe('2');
  expect(await run('add', join(IRIS, '1/model.onnx'), '-n', 'iris')).toMatchObject({ code: 0 });
  expect((await openRepository(store).versions('iris'))?.versions).toEqual(['1', '2', '3', '4']);
  expect(await live()).toBe('2');
  expect(await run('rollback', 'iris')).toMatchObject({ code: 0 });
  expect(await live()).toBe('3');
  expect(await run('history', 'iris', '--verify')).toMatchObject({ code: 0 });
});
