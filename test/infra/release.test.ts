import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findReleaseProblems } from '../../infra/release-problems.ts';
import { PROJECT } from '../support/project.ts';

const FILES = {
  'package.json': '{"version": "1.2.3"}',
  'package-lock.json': '{"version": "1.2.3"}',
  'shared/version.ts': "export const VERSION = '1.2.3';\n",
  'CHANGELOG.md':
    '# Changelog\n\n## Unreleased\n\n## 1.2.3 (2026-12-01)\n\n- A change.\n\n## 1.2.2\n\n- Others.\n',
};

/** A repository with one commit. */
function createProject(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'ternion-release-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'shared'));
  for (const [path, text] of Object.entries({ ...FILES, ...files })) writeFileSync(join(folder, path), text);
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
  git('init');
  git('add', '.');
  git('-c', 'user.name=Test', '-c', 'user.email=test@localhost', 'commit', '-m', 'Begin');
  return folder;
}

const TAGGED = { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1.2.3' };

describe('a release', () => {
  it('has no problems if all files agree on its version', () => {
    expect(findReleaseProblems(createProject(), {})).toEqual([]);
    expect(findReleaseProblems(createProject(), TAGGED)).toEqual([]);
  });

  it.each([
    [
      'package.json',
      '{"version": "one"}',
      /^package\.json has the version one; expected one such as 1\.2\.3\.$/,
    ],
    [
      'package-lock.json',
      '{"version": "1.2.2"}',
      /^package-lock\.json has the version 1\.2\.2; package\.json has 1\.2\.3\.$/,
    ],
    [
      'shared/version.ts',
      "export const VERSION = '1.2.4';\n",
      /^shared\/version\.ts has the version 1\.2\.4; /,
    ],
    [
      'CHANGELOG.md',
      '# Changelog\n\n## 1.2.3\n\n## 1.2.2\n\n- Others.\n',
      /^CHANGELOG\.md has no section "## 1\.2\.3" with the changes\.$/,
    ],
    [
      'CHANGELOG.md',
      '## Unreleased\n\n- A change.\n\n## 1.2.3\n\n- Others.\n',
      /^CHANGELOG\.md has changes below "Unreleased"; move them to "## 1\.2\.3"\.$/,
    ],
  ])('is refused if %s is %j', (path, text, problem) => {
    expect(findReleaseProblems(createProject({ [path]: text }), {})[0]).toMatch(problem);
  });

  it('is refused under another tag, or if files were changed', () => {
    const project = createProject();
    expect(findReleaseProblems(project, { ...TAGGED, GITHUB_REF_NAME: 'v1.2.4' })).toEqual([
      'The tag is v1.2.4; for the version 1.2.3 it must be v1.2.3.',
    ]);
    writeFileSync(join(project, 'new.txt'), '');
    expect(findReleaseProblems(project, {})).toEqual([
      'The working tree has 1 changed files; commit them first.',
    ]);
  });
});

describe('npm run release', () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, ['infra/release.ts', ...args], { cwd: PROJECT, encoding: 'utf8' });

  it('prints what would be published, and publishes nothing', () => {
    const { stdout } = run();
    const names = [
      ...stdout.matchAll(/^would publish (\S+) \d+\.\d+\.\d+: \d+ files, [\d.]+ MB, unpacked [\d.]+ MB$/gm),
    ];
    expect(names.map(([, name]) => name)).toEqual([
      '@ternion/runtime-linux-x64',
      '@ternion/runtime-linux-arm64',
      '@ternion/runtime-darwin-arm64',
      '@ternion/runtime-win32-x64',
      'ternion',
    ]);
    expect(stdout).toMatch(/^Nothing was published\. The workflow "Release" publishes a tag\.$/m);
  });

  it('refuses other options', () => {
    const { status, stdout, stderr } = run('--yes');
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: '--yes is not an option; the only one is --publish.\n',
    });
  });
});
