import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { isPlainPath } from '../../../shared/models/file-manifest.ts';
import type { Lineage } from '../../../shared/models/lineage.ts';
import { isInside } from '../../../shared/stores/look-at.ts';
import { type ModelPlace, readIfThere, withoutSecrets } from './place.ts';

/**
 * The commit of the Git repository that a model is in. It is read from Git's own files, because `git` runs programs that
 * the settings of a repository name, and a model may be from anyone. Only a repository around the current folder is the
 * user's own: `git` is asked whether its files differ from the commit.
 *
 * Source: gitrepository-layout(5), git-worktree(1), git-pack-refs(1).
 */
export async function findGit({ path, root }: ModelPlace): Promise<Lineage> {
  if (root === undefined) return {};
  const folder = await findFolder(root);
  // A worktree shares branches and settings with the repository that it is from.
  const shared = (await readIfThere(join(folder, 'commondir')))?.trim();
  const common = shared === undefined ? folder : resolve(folder, shared);
  const commit = await readCommit(folder, common);
  if (commit === undefined) return {};
  const below = relative(root, path).split(sep).join('/');
  const remote = withoutSecrets(originOf((await readIfThere(join(common, 'config'))) ?? '') ?? '');
  const dirty = isInside(root, process.cwd()) ? await isDirty(root) : undefined;
  return {
    git: {
      commit,
      ...(below !== '' && { path: below }),
      ...(remote !== undefined && { remote }),
      ...(dirty !== undefined && { dirty }),
    },
  };
}

/** In a worktree and a submodule, `.git` is a file with the path of the folder. */
async function findFolder(root: string): Promise<string> {
  const place = join(root, '.git');
  if ((await stat(place)).isDirectory()) return place;
  const [, path] = /^gitdir: (.+)$/m.exec((await readIfThere(place)) ?? '') ?? [];
  if (path === undefined)
    throw new Error(`${place} is neither a folder of Git nor a file with the path of one`);
  return resolve(root, path);
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** The commit that is checked out; undefined before the first one. */
async function readCommit(folder: string, common: string): Promise<string | undefined> {
  let value = (await readIfThere(join(folder, 'HEAD')))?.trim() ?? '';
  for (let depth = 0; depth < MOST_LINKS; depth++) {
    if (COMMIT.test(value)) return value;
    const [, name = ''] = /^ref: (refs\/\S+)$/.exec(value) ?? [];
    // Newer repositories may have all names in one table, and then a name here that cannot exist.
    if (!isPlainPath(name) || name === 'refs/heads/.invalid') break;
    const next = (await readIfThere(join(folder, name))) ?? (await readIfThere(join(common, name)));
    const found = next?.trim() ?? (await findPacked(common, name));
    if (found === undefined) return undefined;
    value = found;
  }
  throw new Error(`${join(folder, 'HEAD')} does not lead to a commit in files that can be read`);
}

const MOST_LINKS = 5;

async function findPacked(common: string, name: string): Promise<string | undefined> {
  const lines = ((await readIfThere(join(common, 'packed-refs'))) ?? '').split('\n');
  return lines.find((line) => line.endsWith(` ${name}`))?.split(' ')[0];
}

/** The URL of `origin`, else of the first remote. */
function originOf(config: string): string | undefined {
  const sections = config.split(/^\s*\[/m).filter((section) => section.startsWith('remote "'));
  const section = sections.find((each) => each.startsWith('remote "origin"]')) ?? sections[0];
  return /^\s*url\s*=\s*"?([^"\n]+)"?\s*$/m.exec(section ?? '')?.[1];
}

const LONGEST_MS = 20_000;

/** Whether files that Git knows differ from the commit. Files that it does not know, such as new models, do not count. */
async function isDirty(root: string): Promise<boolean> {
  const settings = ['-c', 'core.fsmonitor=false'];
  const args = [...settings, 'status', '--porcelain', '--untracked-files=no', '--ignore-submodules'];
  // A hook of Git has variables that name another repository.
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  const env = { ...Object.fromEntries(others), GIT_OPTIONAL_LOCKS: '0' };
  try {
    const { stdout } = await promisify(execFile)('git', args, { cwd: root, env, timeout: LONGEST_MS });
    return stdout.trim() !== '';
  } catch (error) {
    const { stderr } = Object(error);
    const said = typeof stderr === 'string' ? stderr.trim().split('\n')[0] : '';
    throw new Error(
      `git does not say whether the files of ${root} differ from their commit${said ? `: ${said}` : ''}`,
    );
  }
}
