import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLineage, findLineageIn, joinLineage } from '../../../../functions/cli/lineage/find-lineage.ts';
import { withoutSecrets } from '../../../../functions/cli/lineage/place.ts';
import { parseLineage } from '../../../../shared/models/lineage.ts';
import { PROJECT } from '../../../support/project.ts';
import { runCommand, startCommand, temporaryFolder } from '../../../support/run-command.ts';
import { writeFiles } from '../../../support/temporary-folder.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const OTHER = 'f'.repeat(40);
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

const lineageOf = async (path: string) => {
  const { lineage, problems } = await findLineage(path);
  expect(problems).toEqual([]);
  return lineage;
};

describe('the commit of a repository', () => {
  const CONFIG =
    '[core]\n\tbare = false\n[remote "fork"]\n\turl = https://example.com/fork\n[remote "origin"]\n\turl = https://alice:secret@example.com/team/models.git?token=secret\n';
  const REMOTE = 'https://example.com/team/models.git';

  it.each<[string, Record<string, string>]>([
    [
      'of a branch',
      { 'repo/.git/HEAD': 'ref: refs/heads/main\n', 'repo/.git/refs/heads/main': `${COMMIT}\n` },
    ],
    ['without a branch', { 'repo/.git/HEAD': `${COMMIT}\n` }],
    [
      'of a packed branch',
      {
        'repo/.git/HEAD': 'ref: refs/heads/a/b\n',
        'repo/.git/packed-refs': `# pack-refs with: peeled\n${OTHER} refs/heads/xa/b\n${COMMIT} refs/heads/a/b\n`,
      },
    ],
  ])('is found %s', async (_, files) => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { ...files, 'repo/.git/config': CONFIG, 'repo/exports/m/model.onnx': 'x' });
    expect(await lineageOf(join(folder, 'repo/exports/m'))).toEqual({
      git: { commit: COMMIT, path: 'exports/m', remote: REMOTE },
    });
    expect(await lineageOf(join(folder, 'repo'))).toEqual({ git: { commit: COMMIT, remote: REMOTE } });
  });

  it('is found in a worktree and through a link', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'repo/.git/HEAD': `${OTHER}\n`,
      'repo/.git/config': CONFIG,
      'repo/.git/refs/heads/side': COMMIT,
      'repo/.git/worktrees/side/HEAD': 'ref: refs/heads/side\n',
      'repo/.git/worktrees/side/commondir': '../..\n',
      'side/.git': `gitdir: ${join(folder, 'repo/.git/worktrees/side')}\n`,
      'side/model.onnx': 'x',
    });
    await symlink(join(folder, 'side'), join(folder, 'link'));
    const expected = { git: { commit: COMMIT, path: 'model.onnx', remote: REMOTE } };
    expect(await lineageOf(join(folder, 'side/model.onnx'))).toEqual(expected);
    expect(await lineageOf(join(folder, 'link/model.onnx'))).toEqual(expected);
  });

  it('is missing before the first one, and a problem if the files say nothing', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { '.git/HEAD': 'ref: refs/heads/main\n', 'm/model.onnx': 'x' });
    expect(await lineageOf(join(folder, 'm'))).toEqual({});
    for (const head of ['ref: refs/heads/.invalid', 'ref: refs/../../secret', '', 'nonsense']) {
      await writeFiles(folder, { '.git/HEAD': head });
      const { lineage, problems } = await findLineage(join(folder, 'm'));
      expect(lineage).toEqual({});
      expect(problems).toEqual([expect.stringContaining('HEAD does not lead to a commit')]);
    }
    await rm(join(folder, '.git'), { recursive: true });
    await writeFile(join(folder, '.git'), 'nonsense');
    expect((await findLineage(join(folder, 'm'))).problems).toEqual([
      expect.stringMatching(/\.git is neither a folder of Git nor a file with the path of one$/),
    ]);
  });

  it('says whether files differ only for the repository of the current folder, and runs nothing in others', async () => {
    const folder = await temporaryFolder();
    const repo = join(folder, 'repo');
    const git = (...args: string[]) => execFileSync('git', args, { cwd: repo, encoding: 'utf8' }).trim();
    await cp(join(PROJECT, 'models/iris/2'), join(repo, 'flowers'), { recursive: true });
    await writeFile(join(repo, 'flowers/notes.txt'), 'as it was');
    git('init', '--quiet');
    git('add', '.');
    git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '-m', 'First');
    const commit = git('rev-parse', 'HEAD');
    const add = async (cwd: string, version: string) => {
      const args = ['add', join(repo, 'flowers'), '-r', join(repo, 'out'), '-v', version, '--name', 'f'];
      expect((await startCommand(args, '', {}, cwd).outcome).code).toBe(0);
      return JSON.parse(await readFile(join(repo, 'out/f', version, 'lineage.json'), 'utf8'));
    };
    expect(await add(repo, '1')).toEqual({ git: { commit, path: 'flowers', dirty: false } });
    // What was published is new to Git, and changes nothing.
    expect(await add(join(repo, 'flowers'), '2')).toEqual({ git: { commit, path: 'flowers', dirty: false } });
    await writeFile(join(repo, 'flowers/notes.txt'), 'changed');
    expect(await add(repo, '3')).toEqual({ git: { commit, path: 'flowers', dirty: true } });
    expect(await add(folder, '4')).toEqual({ git: { commit, path: 'flowers' } });
    git('config', 'core.fsmonitor', `touch ${join(folder, 'ran')}; false`);
    expect(await add(repo, '5')).toEqual({ git: { commit, path: 'flowers', dirty: true } });
    await expect(readFile(join(folder, 'ran'))).rejects.toThrow('ENOENT');
  });
});

describe('an address without its secrets', () => {
  it.each([
    ['https://user:token@github.com/a/b.git', 'https://github.com/a/b.git'],
    ['https://token@github.com/a/b?key=1#x', 'https://github.com/a/b'],
    ['ssh://git@host:22/a/b.git', 'ssh://host:22/a/b.git'],
    ['git@github.com:a/b.git', 'github.com:a/b.git'],
    ['user:pass@word@host.example:a/b', 'host.example:a/b'],
    ['/home/alice/repo.git', undefined],
    ['../repo', undefined],
    ['C:\\repos\\a', undefined],
    ['file:///home/alice/repo', undefined],
    ['', undefined],
  ])('%s', (address, expected) => {
    expect(withoutSecrets(address)).toBe(expected);
  });
});

describe('the hashes of DVC', () => {
  it('are those of the files of the model, with their stage', async () => {
    const folder = await temporaryFolder();
    const lock = (hash: string) =>
      `schema: '2.0'\nstages:\n  prepare:\n    cmd: x\n    outs:\n    - path: data\n      md5: ${md5('d')}.dir\n  train:\n    cmd: y\n    outs:\n    - path: exports/m/model.onnx\n      hash: md5\n      md5: ${hash}\n      size: 1\n`;
    await writeFiles(folder, {
      '.git/HEAD': COMMIT,
      'dvc.lock': lock(md5('x')),
      'exports/m/model.onnx': 'x',
      'exports/n/model.onnx': 'y',
    });
    const dvc = {
      file: 'dvc.lock',
      stage: 'train',
      outs: [{ path: 'exports/m/model.onnx', md5: md5('x') }],
    };
    expect((await lineageOf(join(folder, 'exports/m'))).dvc).toEqual(dvc);
    expect((await lineageOf(join(folder, 'exports/m/model.onnx'))).dvc).toEqual(dvc);
    expect((await lineageOf(join(folder, 'exports/n'))).dvc).toBeUndefined();
    await writeFiles(folder, { 'dvc.lock': lock(md5('before')) });
    const { lineage, problems } = await findLineage(join(folder, 'exports/m'));
    expect(lineage).toEqual({ git: { commit: COMMIT, path: 'exports/m' } });
    expect(problems).toEqual([
      expect.stringMatching(/exports.m.model\.onnx: not the content that DVC has the hash of$/),
    ]);
    await writeFiles(folder, { 'dvc.lock': 'stages: [1' });
    expect((await findLineage(join(folder, 'exports/m'))).problems).toEqual([
      expect.stringMatching(/dvc\.lock cannot be read: line 1/),
    ]);
  });

  it('are found beside a file, and for a folder that holds the model', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      '.dvc/config': '',
      'm/net.onnx': 'x',
      'm/net.onnx.dvc': `outs:\n- md5: ${md5('x')}\n  size: 1\n  path: net.onnx\n`,
      'exports.dvc': `outs:\n- md5: ${md5('list')}.dir\n  nfiles: 2\n  path: exports\n`,
      'exports/a/model.onnx': 'x',
    });
    expect(await lineageOf(join(folder, 'm/net.onnx'))).toEqual({
      dvc: { file: 'm/net.onnx.dvc', outs: [{ path: 'net.onnx', md5: md5('x') }] },
    });
    expect(await lineageOf(join(folder, 'exports/a'))).toEqual({
      dvc: { file: 'exports.dvc', outs: [{ path: 'exports', md5: `${md5('list')}.dir` }] },
    });
  });
});

describe('MLflow, Weights & Biases and Hugging Face', () => {
  it('are recognised by the files that they leave', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'mlflow/MLmodel':
        "flavors:\n  onnx: {data: model.onnx}\nrun_id: abc\nmodel_uuid: m-1\nutc_time_created: '2026-01-02'\n",
      'mlflow/registered_model_meta': 'model_name: iris\nmodel_version: 3\n',
      'artifacts/detector:v3/model.onnx': 'x',
      'wandb/run-20260102_030405-k3j2h1/files/wandb-metadata.json': JSON.stringify({
        os: 'Linux',
        git: { remote: 'https://me:secret@example.com/a/b.git', commit: COMMIT },
      }),
      'wandb/run-20260102_030405-k3j2h1/files/model.onnx': 'x',
      [`hub/models--BAAI--bge-small/snapshots/${COMMIT}/onnx/model.onnx`]: 'x',
      'local/onnx/model.onnx': 'x',
      'local/.cache/huggingface/download/onnx/model.onnx.metadata': `${COMMIT}\n${'a'.repeat(64)}\n1700000000.5\n`,
      'mixed/.cache/huggingface/download/a.metadata': `${COMMIT}\n`,
      'mixed/.cache/huggingface/download/b.metadata': `${OTHER}\n`,
      'mixed/model.onnx': 'x',
    });
    expect(await lineageOf(join(folder, 'mlflow'))).toEqual({
      mlflow: { runId: 'abc', modelUuid: 'm-1', name: 'iris', version: '3' },
    });
    expect(await lineageOf(join(folder, 'artifacts/detector:v3'))).toEqual({
      wandb: { artifact: 'detector:v3' },
    });
    expect(await lineageOf(join(folder, 'wandb/run-20260102_030405-k3j2h1/files/model.onnx'))).toEqual({
      wandb: { run: 'k3j2h1', commit: COMMIT, remote: 'https://example.com/a/b.git' },
    });
    expect(await lineageOf(join(folder, `hub/models--BAAI--bge-small/snapshots/${COMMIT}/onnx`))).toEqual({
      huggingFace: { repo: 'BAAI/bge-small', commit: COMMIT },
    });
    expect(await lineageOf(join(folder, 'local/onnx'))).toEqual({ huggingFace: { commit: COMMIT } });
    expect(await lineageOf(join(folder, 'mixed'))).toEqual({});
    const { lineage } = await findLineageIn(join(folder, 'mlflow'));
    const asked = {
      lineage: { source: 'models:/iris@best', mlflow: { name: 'iris', version: '4' } },
      problems: [],
    };
    expect(joinLineage([{ lineage, problems: [] }, asked]).lineage).toEqual({
      source: 'models:/iris@best',
      mlflow: { runId: 'abc', modelUuid: 'm-1', name: 'iris', version: '4' },
    });
  });

  it('are problems if their files are others, and nothing else is lost', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      '.git/HEAD': COMMIT,
      'm/MLmodel': 'run_id: [1]',
      'm/wandb-metadata.json': '{',
      'm/model.onnx': 'x',
    });
    const { lineage, problems } = await findLineage(join(folder, 'm'));
    expect(lineage).toEqual({ git: { commit: COMMIT, path: 'm' } });
    expect(problems).toEqual([
      `${join(folder, 'm/MLmodel')} is not a file of MLflow`,
      `${join(folder, 'm/wandb-metadata.json')} is not what wandb writes`,
    ]);
  });
});

describe('ternion add', () => {
  it('publishes lineage.json, which files.json covers, and keeps it when that version is published again', async () => {
    const folder = await temporaryFolder();
    const repository = join(folder, 'repository');
    await cp(join(PROJECT, 'models/iris/2'), join(folder, 'flowers'), { recursive: true });
    await mkdir(join(folder, '.git'));
    await writeFile(join(folder, '.git/HEAD'), COMMIT);
    const added = await runCommand(['add', join(folder, 'flowers'), '-r', repository]);
    expect([added.code, added.stderr]).toEqual([0, '']);
    const text = await readFile(join(repository, 'flowers/1/lineage.json'), 'utf8');
    expect(await parseLineage(text)).toEqual({ git: { commit: COMMIT, path: 'flowers' } });
    const manifest = JSON.parse(await readFile(join(repository, 'flowers/1/files.json'), 'utf8'));
    expect(manifest.files).toContainEqual({
      path: 'lineage.json',
      sizeBytes: Buffer.byteLength(text),
      sha256: createHash('sha256').update(text).digest('hex'),
    });
    await writeFile(join(folder, '.git/HEAD'), OTHER);
    for (const place of [join(repository, 'flowers/1'), join(repository, 'flowers')]) {
      await rm(join(folder, 'second'), { recursive: true, force: true });
      await runCommand(['add', place, '--name', 'again', '-r', join(folder, 'second')]);
      expect(await readFile(join(folder, 'second/again/1/lineage.json'), 'utf8')).toBe(text);
    }
    await runCommand(['add', join(folder, 'flowers'), '-r', repository, '--no-lineage']);
    await expect(readFile(join(repository, 'flowers/2/lineage.json'))).rejects.toThrow('ENOENT');
    await writeFiles(folder, { 'repository/flowers/1/lineage.json': '{"git": {"commit": "main"}}' });
    await rename(join(repository, 'flowers/1'), join(folder, 'copy'));
    await rm(join(folder, 'copy/files.json'));
    const mended = await runCommand(['add', join(folder, 'copy'), '-r', repository, '--name', 'mended']);
    expect(mended.stdout).toContain(
      'warning: where it comes from is not fully known: its lineage.json is not valid (git.commit: must be 40 or 64 hex digits',
    );
    expect(JSON.parse(await readFile(join(repository, 'mended/1/lineage.json'), 'utf8'))).toEqual({
      git: { commit: OTHER, path: 'copy' },
    });
  });
});
