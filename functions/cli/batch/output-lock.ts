import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { systemCodeOf } from '../../../shared/errors.ts';
import { CommandError } from '../console.ts';

/**
 * Keeps other batches from writing to the same output, by a file beside it that names the process. What a killed process
 * left behind does not count.
 *
 * @returns takes the lock away
 * @throws CommandError when another batch is writing
 */
export async function lockOutput(output: string): Promise<() => Promise<void>> {
  const path = `${output}.lock`;
  const own = `${process.pid} ${hostname()}`;
  const release = () => rm(path, { force: true });
  if (await create(path, own)) return release;
  const holder = await readFile(path, 'utf8').catch(() => '');
  if (isAlive(holder)) throw taken(output, path, holder);
  await moveDead(path, holder, output);
  if (await create(path, own)) return release;
  throw taken(output, path, await readFile(path, 'utf8').catch(() => ''));
}

/** It appears with its content in one step, or not at all. */
async function create(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, content);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Takes a dead lock away. Another process may have done so already, and have put its own in its place. */
async function moveDead(path: string, holder: string, output: string): Promise<void> {
  const dead = `${path}.dead.${process.pid}`;
  try {
    await rename(path, dead);
    const moved = await readFile(dead, 'utf8');
    if (moved === holder) return;
    await link(dead, path);
    throw taken(output, path, moved);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw error;
  } finally {
    await rm(dead, { force: true });
  }
}

/** Of a process on another machine nothing is known. */
function isAlive(holder: string): boolean {
  const [pid = '', host = ''] = holder.split(' ');
  if (host !== hostname()) return host !== '';
  if (Number(pid) === process.pid) return false;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    // A process of another user answers EPERM.
    return systemCodeOf(error) !== 'ESRCH';
  }
}

function taken(output: string, path: string, holder: string): CommandError {
  const [pid = '?', host = '?'] = holder.split(' ');
  return new CommandError(
    `Another batch (process ${pid} on ${host}) is writing to ${output}: wait until it is done. ` +
      `If there is none, remove ${path}.`,
  );
}
