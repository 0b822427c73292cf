import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { PROJECT } from './project.ts';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly outcome: Promise<Outcome>;
  /** Resolves when stdout matches, rejects when the process ends before. */
  seen(pattern: RegExp): Promise<string>;
}

/** Starts the built command in a process of its own, in the project's folder unless another one is given. */
export function startCommand(
  args: readonly string[],
  stdin = '',
  environment: Readonly<Record<string, string>> = {},
  cwd = PROJECT,
): Running {
  return startNode([join(PROJECT, 'dist/cli/index.mjs'), ...args], environment, stdin, cwd);
}

/** Starts Node, in the project's folder by default. The environment is only what is given, and PATH. */
export function startNode(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  stdin = '',
  cwd = PROJECT,
): Running {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // It may end before it has read this, as with --help.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const outcome = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return {
    process: child,
    outcome,
    seen: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(stdout);
          if (match) resolve(match[0]);
        };
        child.stdout.on('data', look);
        look();
        outcome.then(() => reject(new Error(`the command ended: ${stdout}${stderr}`)), reject);
      }),
  };
}

export async function runCommand(args: readonly string[], stdin?: string): Promise<Outcome> {
  return await startCommand(args, stdin).outcome;
}

/** An empty folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
