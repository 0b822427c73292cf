import { exec, execFile } from 'node:child_process';
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NODE_FLAGS } from '../support/node-flags.ts';
import { PROJECT } from '../support/project.ts';

const manifest = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));

/** What npm installs for sharp on this machine. */
const SHARP = ['sharp', '@img', 'detect-libc', 'semver'];

/** The files at the top and all that is built, with size and time of change. */
function readTree(): readonly string[] {
  // Another test writes the archive for Azure meanwhile.
  const built = readdirSync(join(PROJECT, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
    (path) => path !== 'azure.zip',
  );
  return [...readdirSync(PROJECT), ...built.map((path) => join('dist', path))].sort().map((path) => {
    const facts = statSync(join(PROJECT, path));
    return facts.isDirectory() ? path : `${path} ${facts.size} ${facts.mtimeMs} ${facts.ino}`;
  });
}

describe('the npm package', () => {
  it('depends on sharp and the addon of koffi alone, and runs nothing when it is installed', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['sharp']);
    expect(Object.keys(manifest.optionalDependencies)).toEqual([
      '@koromix/koffi-linux-arm64',
      '@koromix/koffi-linux-x64',
    ]);
    for (const script of ['preinstall', 'install', 'postinstall']) {
      expect(manifest.scripts).not.toHaveProperty(script);
    }
    expect(manifest.files).toEqual([
      'dist/cli',
      'dist/runtimes',
      'dist/types',
      'docs',
      'python/ternion_export.py',
    ]);
    expect(manifest.bin).toEqual({ ternion: 'dist/cli/index.mjs' });
  });

  it('holds the libraries of four platforms, and packing it leaves the tree as it was', async () => {
    const before = readTree();
    const { stdout } = await promisify(exec)('npm pack --dry-run --json', { cwd: PROJECT });
    const [{ files }] = JSON.parse(stdout.slice(stdout.search(/^\[$/m)));
    const paths: readonly string[] = files.map(({ path }: { path: string }) => path);
    const libraries = paths.filter((path) => path.startsWith('dist/runtimes/'));
    expect(libraries.map((path) => path.replace('dist/runtimes/', '')).sort()).toEqual([
      'darwin-arm64/libonnxruntime.1.dylib',
      'darwin-arm64/onnxruntime_binding.node',
      'linux-arm64/libonnxruntime.so.1',
      'linux-arm64/onnxruntime_binding.node',
      'linux-x64/libonnxruntime.so.1',
      'linux-x64/onnxruntime_binding.node',
      'win32-x64/DirectML.dll',
      'win32-x64/onnxruntime.dll',
      'win32-x64/onnxruntime_binding.node',
    ]);
    expect(paths).toContain('dist/cli/THIRD-PARTY-NOTICES.txt');
    expect(paths).toContain('docs/clients.md');
    expect(paths.filter((path) => path.startsWith('docs/site/'))).toEqual([]);
    expect(readTree()).toEqual(before);
  });

  it('is not packed from a build that is older than its sources', async () => {
    const meta = join(PROJECT, 'dist/meta/cli.json');
    const { atime, mtime } = statSync(meta);
    onTestFinished(() => utimesSync(meta, atime, mtime));
    utimesSync(meta, new Date(0), new Date(0));
    await expect(promisify(exec)('npm pack --dry-run', { cwd: PROJECT })).rejects.toThrow(
      /dist\/cli is older than \S+: run npm run build -- cli first\./,
    );
  });

  it('runs with its own files and its dependency, with nothing else of the project around', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ternion-npm-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const isPacked = (source: string) => source !== join(PROJECT, 'docs/site');
    for (const path of manifest.files) {
      await cp(join(PROJECT, path), join(folder, path), { recursive: true, filter: isPacked });
    }
    for (const name of SHARP) {
      const target = join(folder, 'node_modules', name);
      await cp(join(PROJECT, 'node_modules', name), target, { recursive: true });
    }
    const run = async (...args: readonly string[]) =>
      await promisify(execFile)(process.execPath, [join(folder, manifest.bin.ternion), ...args], {
        cwd: folder,
      });
    const rows = await run('predict', join(PROJECT, 'models/iris/1'), '[5.1, 3.5, 1.4, 0.2]');
    expect(rows.stdout).toMatch(/^setosa /);
    const digit = join(PROJECT, 'test/fixtures/digits/07-label-7.png');
    expect((await run('predict', join(PROJECT, 'models/digits/1'), digit)).stdout).toMatch(/^7 /);
  });

  it('begins with the line that makes it a command of Node, started as npm start does', async () => {
    const entry = await readFile(join(PROJECT, manifest.bin.ternion), 'utf8');
    expect(entry.startsWith(`#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}\n`)).toBe(true);
    expect(manifest.scripts.start).toBe(
      `node esbuild.config.mjs local && node ${NODE_FLAGS.join(' ')} dist/local/index.mjs`,
    );
  });
});
