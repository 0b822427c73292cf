import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { relative, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { nextEnd } from '../../server-end.ts';
import type { Console } from '../console.ts';
import { findConfig } from '../project/own-code.ts';

export interface DevOptions {
  readonly repository: string;
  readonly port: string;
  readonly host: string;
  readonly config?: string;
}

/** Editors and exporters write several files, or one several times. */
const PAUSE_MS = 200;
/** A server that does not end by itself. */
const MOST_END_MS = 5_000;

/** Files whose changes mean nothing to a server. */
const IGNORED =
  /(?:^|[\\/])(?:node_modules|dist|\.git|\.ternion[^\\/]*)(?:[\\/]|$)|~$|\.sw[a-z]$|\.tmp$|[\\/]sed[A-Za-z0-9]{6}$/;
/** Files of own code: the configuration and what it imports. */
const CODE = /\.(?:[cm]?[jt]s|json)$/;

/** `ternion dev`: `ternion serve`, started again whenever a model or own code changes. */
export async function dev(options: DevOptions, output: Console): Promise<void> {
  const ending = nextEnd();
  let isEnding = false;
  let child = startServer(options);
  let wake = () => {};
  let reason: string | undefined;
  const changed = (file: string) => {
    reason ??= file;
    wake();
  };
  const watcher = watchProject(options, changed);
  void ending.then(() => {
    isEnding = true;
    wake();
  });
  while (!isEnding) {
    if (reason === undefined) await new Promise<void>((resolve) => (wake = resolve));
    if (isEnding) break;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    output.note(`${reason} has changed: starting again.`);
    reason = undefined;
    await endServer(child);
    child = startServer(options);
  }
  await watcher.close();
  await endServer(child);
}

/** The server prints its address and its mistakes itself; after a mistake the next change starts it again. */
function startServer({ repository, port, host, config }: DevOptions): ChildProcess {
  const args = ['serve', '--repository', repository, '--port', port, '--host', host, '--grace', '0'];
  const script = process.argv[1] ?? '';
  return fork(script, config === undefined ? args : [...args, '--config', config], {
    stdio: 'inherit',
    // What is wrong with a model is said at once.
    env: { PRELOAD_MODELS: '*', ...process.env },
  });
}

async function endServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), MOST_END_MS);
  await ended;
  clearTimeout(timer);
}

/** Watches the models, and the code beside the configuration. */
function watchProject({ repository, config }: DevOptions, changed: (file: string) => void): FSWatcher {
  const path = findConfig(config);
  const models = resolve(repository);
  const code = path === undefined ? undefined : resolve(path, '..');
  const isOther = (file: string) => code !== undefined && !file.startsWith(models) && !CODE.test(file);
  const watcher = watch([...(repository.includes('://') ? [] : [models]), ...(code ? [code] : [])], {
    ignoreInitial: true,
    ignored: (file, facts) => IGNORED.test(file) || (facts?.isFile() === true && isOther(file)),
  });
  // A folder that is removed while it is looked at is the next change.
  watcher.on('error', () => undefined);
  return watcher.on('all', (_, file) => changed(relative('.', file)));
}
