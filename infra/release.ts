// Checks and packs a release, and prints what would be published; with --publish it publishes it.
// Usage: node infra/release.ts [--publish]
import { join } from 'node:path';
import { packFolder, runNpm } from '../functions/cli/deploy/npm.ts';
import { stagePackages } from './build/packages.ts';
import { findReleaseProblems, readRelease } from './release-problems.ts';

const project = join(import.meta.dirname, '..');
const publishes = process.argv.slice(2).includes('--publish');
const unknown = process.argv.slice(2).filter((arg) => arg !== '--publish');
const problems =
  unknown.length > 0
    ? [`${unknown.join(' ')} is not an option; the only one is --publish.`]
    : findReleaseProblems(project);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
if (unknown.length === 0 && (problems.length === 0 || !publishes)) release();

function release(): void {
  const { version } = readRelease(project);
  const packages = join(project, 'dist/packages');
  for (const folder of stagePackages(project)) {
    const name = folder.slice(packages.length + 1).replaceAll('\\', '/');
    const { file, packedBytes, unpackedBytes, paths } = packFolder(folder, packages);
    const inMb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    const facts = `${name} ${version}: ${paths.length} files, ${inMb(packedBytes)}, unpacked ${inMb(unpackedBytes)}`;
    if (!publishes) console.log(`would publish ${facts}`);
    else if (isPublished(name, version)) console.log(`is published already: ${name} ${version}`);
    else {
      runNpm(['publish', file, '--provenance', '--access', 'public'], project);
      console.log(`published ${facts}`);
    }
  }
  if (!publishes) console.log('Nothing was published. The workflow "Release" publishes a tag.');
}

/** A release that was interrupted continues where it was. */
function isPublished(name: string, version: string): boolean {
  try {
    return runNpm(['view', `${name}@${version}`, 'version', '--silent'], project).trim() === version;
  } catch {
    return false;
  }
}
