import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';
import { temporaryFolder } from '../support/run-command.ts';
import { writeFiles } from '../support/temporary-folder.ts';

const SERVE = `"${process.execPath}" "${join(PROJECT, 'dist/cli/index.mjs')}" serve --grace 1 -r "${join(PROJECT, 'models')}"`;

interface Started {
  readonly process: ChildProcess;
  readonly port: number;
  /** Its output on stderr, once no process can write there any more: the server has then ended as well. */
  readonly ended: Promise<string>;
}

/** Runs a command that starts a server, in a separate process group, and waits until the server answers. */
async function start(
  makeCommand: (port: number) => readonly [string, ...string[]],
  environment: Readonly<Record<string, string>> = {},
): Promise<Started> {
  const port = await findFreePort();
  const [program, ...args] = makeCommand(port);
  const cwd = await temporaryFolder();
  await writeFiles(cwd, {
    'package.json': JSON.stringify({ scripts: { start: `${SERVE} --port ${port}` } }),
  });
  const child = spawn(program, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, npm_config_update_notifier: 'false', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  onTestFinished(() => signalGroup(child, 'SIGKILL'));
  while (!(await isUp(port))) await wait(20);
  return { process: child, port, ended: text(child.stderr) };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // All its processes have ended.
  }
}

async function isUp(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

const SAYS = ': finishing the requests in progress; a second signal stops it at once.\n';

describe('a server that npm runs', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('ends after npm, which gets %s', async (signal) => {
    const npm = await start(() => ['npm', 'start']);
    npm.process.kill(signal);
    expect(await npm.ended).toContain(`npm has ended${SAYS}`);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('takes %s once, which npm gets as well', async (signal) => {
    const npm = await start(() => ['npm', 'start']);
    signalGroup(npm.process, signal);
    expect(await npm.ended).toContain(`${signal}${SAYS}`);
    expect(await isUp(npm.port)).toBe(false);
  });
});

describe('a server that npm does not run', () => {
  const inBackground = (port: number) => ['sh', '-c', `${SERVE} --port ${port} & wait`] as const;

  it.each([[{}], [{ npm_lifecycle_event: 'start', npm_command: 'start' }]])(
    'outlives the process that started it: %j',
    async (environment) => {
      const shell = await start((port) => [...inBackground(port)], environment);
      const exit = once(shell.process, 'exit');
      shell.process.kill('SIGKILL');
      await exit;
      // Longer than it takes to notice that npm has ended.
      await wait(1_500);
      expect(await isUp(shell.port)).toBe(true);
      signalGroup(shell.process, 'SIGTERM');
      expect(await shell.ended).toContain(`SIGTERM${SAYS}`);
    },
  );
});
