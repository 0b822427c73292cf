import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** What is released. */
export interface Release {
  readonly version: string;
}

const releaseSchema = z.object({ version: z.string() });

export function readRelease(projectFolder: string): Release {
  return releaseSchema.parse(JSON.parse(read(projectFolder, 'package.json')));
}

/**
 * Why the project cannot be released as it is, in sentences.
 *
 * @param environment of the process; on GitHub it has the tag that is released
 */
export function findReleaseProblems(
  projectFolder: string,
  environment: NodeJS.ProcessEnv = process.env,
): readonly string[] {
  const { version } = readRelease(projectFolder);
  const isVersion = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version);
  return [
    ...(isVersion ? [] : [`package.json has the version ${version}; expected one such as 1.2.3.`]),
    ...findOtherVersions(projectFolder, version),
    ...checkTag(version, environment),
    ...checkChangelog(read(projectFolder, 'CHANGELOG.md'), version),
    ...checkTree(projectFolder),
  ];
}

/** The files beside package.json that have the version as well. */
function findOtherVersions(projectFolder: string, version: string): readonly string[] {
  const code = /^export const VERSION = '([^']*)';$/m.exec(read(projectFolder, 'shared/version.ts'))?.[1];
  const lock = releaseSchema.parse(JSON.parse(read(projectFolder, 'package-lock.json'))).version;
  const others = [
    ['shared/version.ts', code],
    ['package-lock.json', lock],
  ] as const;
  return others
    .filter(([, other]) => other !== version)
    .map(([file, other]) => `${file} has the version ${other}; package.json has ${version}.`);
}

function checkTag(version: string, environment: NodeJS.ProcessEnv): readonly string[] {
  const { GITHUB_REF_TYPE: type, GITHUB_REF_NAME: name } = environment;
  if (type !== 'tag' || name === `v${version}`) return [];
  return [`The tag is ${name}; for the version ${version} it must be v${version}.`];
}

/** What is new must be below the version, so that nobody reads "Unreleased" about a release. */
function checkChangelog(changelog: string, version: string): readonly string[] {
  const sections = new Map(
    changelog.split(/^## /m).map((text) => {
      const [title = '', ...lines] = text.split('\n');
      return [title.trim(), lines.join('\n').trim()];
    }),
  );
  const problems: string[] = [];
  const isListed = [...sections].some(([title, text]) => title.split(' ')[0] === version && text !== '');
  if (!isListed) problems.push(`CHANGELOG.md has no section "## ${version}" with the changes.`);
  if ((sections.get('Unreleased') ?? '') !== '')
    problems.push(`CHANGELOG.md has changes below "Unreleased"; move them to "## ${version}".`);
  return problems;
}

function checkTree(projectFolder: string): readonly string[] {
  const printed = execFileSync('git', ['status', '--porcelain'], { cwd: projectFolder, encoding: 'utf8' });
  const files = printed.split('\n').filter((line) => line !== '');
  if (files.length === 0) return [];
  return [`The working tree has ${files.length} changed files; commit them first.`];
}

function read(projectFolder: string, path: string): string {
  return readFileSync(join(projectFolder, path), 'utf8');
}
