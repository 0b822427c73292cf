import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Containers are made of mounts and namespaces. Without root, the commands run with `sudo`, which must not ask. */
export const AS_ROOT: readonly string[] = process.getuid?.() === 0 ? [] : ['sudo', '-n', '-E'];

/** @throws Error with the output of a command that fails */
export async function run(
  [command = '', ...words]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const child = spawn(command, words, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = await once(child, 'close');
  if (code === 0) return { stdout, stderr };
  throw new Error(`${[command, ...words].join(' ')} ended with ${code}:\n${stdout}\n${stderr}`);
}
