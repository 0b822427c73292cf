import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ENVIRONMENT, nodeCommand } from '../servers.ts';

/**
 * Runs a script of this folder alone in a process, and returns the JSON that it prints: its objects and compiled code
 * are then not those of other scenarios.
 *
 * @throws Error with its output if it fails
 */
export async function runProcess<T>(
  script: string,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<T> {
  const [program, ...rest] = nodeCommand(join(import.meta.dirname, script), ...args);
  const child = spawn(program, rest, {
    env: { ...process.env, ...ENVIRONMENT, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  if (code !== 0) throw new Error(`${script} ended with ${code}:\n${output}${errors}`);
  return JSON.parse(output);
}
