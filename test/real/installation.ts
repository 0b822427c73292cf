import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rm, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Counterpart } from './counterpart.ts';

/** Installations are kept outside of the checkout. `TERNION_TEST_CACHE` puts them elsewhere. */
const CACHE = resolve(process.env.TERNION_TEST_CACHE ?? join(homedir(), '.cache/ternion-test-real'));

/** Where the installation of exactly this pin is, for this kind of machine. */
function placeOf({ name, pin, install }: Counterpart): string {
  const identity = JSON.stringify([pin, install('<folder>'), process.platform, process.arch]);
  return join(CACHE, `${name}-${createHash('sha256').update(identity).digest('hex').slice(0, 16)}`);
}

/**
 * Where a counterpart is installed.
 *
 * @throws Error when it is not: a contract that cannot be tested has failed
 */
export function folderOf(counterpart: Counterpart): string {
  const place = placeOf(counterpart);
  if (existsSync(place)) return place;
  throw new Error(`${counterpart.pin} is not installed; run "npm run test:real -- ${counterpart.name}".`);
}

/**
 * Installs a counterpart unless it is there already.
 *
 * @returns whether something was installed
 * @throws Error with the output of the command that failed
 */
export async function ensureInstalled(counterpart: Counterpart): Promise<boolean> {
  const place = placeOf(counterpart);
  if (existsSync(place)) return false;
  // Some installations know their own path, so they are made where they stay. The link comes when all is there, and the
  // first of two that install at once wins.
  const folder = `${place}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  try {
    for (const [command, ...args] of counterpart.install(folder)) await run(command, args, folder);
    await symlink(folder, place, 'junction');
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    if (!existsSync(place)) throw error;
  }
  return true;
}

async function run(command: string, args: readonly string[], folder: string): Promise<void> {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}:\n${output}`);
}
