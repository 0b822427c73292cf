import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { AS_ROOT, type Output, run } from './commands.ts';
import type { ImageConfig } from './images.ts';

export interface ContainerOptions {
  /** The arguments after the image. */
  readonly words?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Folders of this machine by their paths in the container, which cannot write to them. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** Whether it has a folder for temporary files. Nothing else can be written to. */
  readonly hasTmp?: boolean;
  /** Whether it has the network of this machine, instead of one with nothing but itself. */
  readonly isOnHost?: boolean;
  readonly sysctl?: Readonly<Record<string, string>>;
}

export interface Container {
  /** Of its first process, on this machine. */
  readonly pid: number;
  /** What it has written so far. */
  output(): string;
  /** Runs a command in it. */
  exec(words: readonly string[]): Promise<Output>;
  /** Runs a command of this machine in its network. */
  runInNetwork(words: readonly string[]): Promise<Output>;
  signal(name: 'TERM' | 'KILL'): Promise<void>;
  /** The exit code, when it has ended. */
  readonly ended: Promise<number | null>;
  close(): Promise<void>;
}

const stateSchema = z.object({ status: z.string(), pid: z.number() });

/** Longest time for runc to start the first process. */
const START_MS = 20_000;

/**
 * Runs an image as Docker does with `--read-only`, `--cap-drop=ALL` and `--security-opt=no-new-privileges`.
 *
 * @param installed the folder of the counterpart
 * @param files the folder with the files of the image
 */
export async function startContainer(
  installed: string,
  files: string,
  config: ImageConfig,
  options: ContainerOptions = {},
): Promise<Container> {
  const bundle = await mkdtemp(join(tmpdir(), 'ternion-container-'));
  await writeFile(join(bundle, 'config.json'), JSON.stringify(describe(files, config, options)));
  const id = basename(bundle);
  const runc = [...AS_ROOT, join(installed, 'tools/usr/sbin/runc'), '--root', join(bundle, 'state')];
  const [command = '', ...words] = [...runc, 'run', '--bundle', bundle, id];
  const child = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close').then(() => child.exitCode);
  const close = async () => {
    if (child.exitCode === null) await run([...runc, 'kill', id, 'KILL']).catch(() => child.kill('SIGKILL'));
    await ended;
    await run([...AS_ROOT, 'rm', '-rf', bundle]);
  };
  const endMs = performance.now() + START_MS;
  for (;;) {
    const state = await run([...runc, 'state', id]).then(
      ({ stdout }) => stateSchema.parse(JSON.parse(stdout)),
      () => undefined,
    );
    if (state?.status === 'running') {
      return {
        pid: state.pid,
        output: () => output,
        exec: (inside) => run([...runc, 'exec', id, ...inside]),
        runInNetwork: (outside) =>
          run([...AS_ROOT, 'nsenter', '--target', String(state.pid), '--net', ...outside]),
        signal: async (name) => void (await run([...runc, 'kill', id, name])),
        ended,
        close,
      };
    }
    if (child.exitCode !== null || performance.now() > endMs) {
      await close();
      throw new Error(`the container does not run: ${output}`);
    }
    await wait(50);
  }
}

/** What runc runs. Source: opencontainers/runtime-spec, config.md. */
function describe(files: string, config: ImageConfig, options: ContainerOptions): object {
  const { words = [], environment = {}, hasTmp = false, isOnHost = false, sysctl } = options;
  // Docker mounts such a file as well.
  const mounts = { ...(isOnHost && { '/etc/hosts': '/etc/hosts' }), ...options.mounts };
  const [uid, gid] = config.User.split(':').map(Number);
  const namespaces = ['pid', 'ipc', 'uts', 'mount', ...(isOnHost ? [] : ['network'])];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid, gid },
      args: [...config.Entrypoint, ...words],
      env: [...config.Env, ...Object.entries(environment).map((pair) => pair.join('='))],
      cwd: config.WorkingDir,
      noNewPrivileges: true,
      capabilities: { bounding: [], effective: [], permitted: [], ambient: [] },
    },
    root: { path: files, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      ...(hasTmp ? [{ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['mode=1777'] }] : []),
      ...Object.entries(mounts).map(([destination, source]) => ({
        destination,
        type: 'bind',
        source,
        options: ['rbind', 'ro'],
      })),
    ],
    linux: { namespaces: namespaces.map((type) => ({ type })), ...(sysctl && { sysctl }) },
  };
}
