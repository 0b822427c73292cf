import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCommand } from '../../support/run-command.ts';
import { MODEL } from './store.ts';

/** A server in a process of its own. */
export interface ServerProcess {
  readonly url: string;
  /** Ends it. What its log said: when each version was loaded, and which ones held a release back. */
  stop(): Promise<ProcessLog>;
}

export interface ProcessLog {
  /** When each version was in memory, by its number. */
  readonly loadedMs: ReadonlyMap<string, number>;
  readonly heldBack: ReadonlySet<string>;
}

/** Starts `ternion serve`, and waits until it listens with the live version in memory. */
export async function startProcess(environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-proof-'));
  const running = startCommand(
    ['serve', '--host', '127.0.0.1', '--port', '0', '--grace', '0', '--json'],
    '',
    {
      HOME: folder,
      TMPDIR: folder,
      NODE_ENV: 'production',
      INTRA_OP_THREADS: '1',
      PRELOAD_MODELS: MODEL,
      // The lines about models are enough.
      LOG_SAMPLE: '0',
      ...environment,
    },
  );
  // Without this, it could outlive this process.
  const end = () => running.process.kill('SIGKILL');
  process.once('exit', end);
  const stop = async () => {
    process.off('exit', end);
    if (running.process.exitCode === null) {
      running.process.kill('SIGTERM');
      await once(running.process, 'exit');
    }
    const { stdout } = await running.outcome;
    await rm(folder, { recursive: true, force: true });
    return readLog(stdout);
  };
  try {
    const seen = await running.seen(/"url": ?"[^"]+"/);
    return { url: seen.slice(seen.indexOf('http'), -1), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readLog(output: string): ProcessLog {
  const loadedMs = new Map<string, number>();
  const heldBack = new Set<string>();
  for (const line of output.split('\n')) {
    const [, time = '', message, version = ''] =
      /^\{"time":"([^"]+)".*"message":"([^"]+)".*"model":"\w+\/(\d+)"/.exec(line) ?? [];
    if (message === 'model loaded' && !loadedMs.has(version)) loadedMs.set(version, Date.parse(time));
    if (message?.startsWith('release is held back')) heldBack.add(version);
  }
  return { loadedMs, heldBack };
}
