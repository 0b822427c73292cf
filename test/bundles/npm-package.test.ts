import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PROJECT } from '../hosts/environment.ts';

const manifest = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));

/** What npm installs for sharp on this machine. */
const SHARP = ['sharp', '@img', 'detect-libc', 'semver'];

describe('the npm package', () => {
  it('depends on sharp alone, and runs nothing when it is installed', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['sharp']);
    for (const script of ['preinstall', 'install', 'postinstall']) {
      expect(manifest.scripts).not.toHaveProperty(script);
    }
    expect(manifest.files).toEqual(['dist/cli', 'dist/runtimes', 'docs']);
    expect(manifest.bin).toEqual({ ternion: 'dist/cli/index.mjs' });
  });

  it('runs with its own files and its dependency, with nothing else of the project around', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ternion-npm-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    for (const path of manifest.files) await cp(join(PROJECT, path), join(folder, path), { recursive: true });
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

  it('begins with the line that makes it a command', async () => {
    const entry = await readFile(join(PROJECT, manifest.bin.ternion), 'utf8');
    expect(entry.startsWith('#!/usr/bin/env node\n')).toBe(true);
  });
});
