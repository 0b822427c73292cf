import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { serialize } from 'node:v8';
import type { NamedTensors } from '../../../shared/runtime/session.ts';

export interface ChildRequest {
  readonly model: Uint8Array;
  readonly feeds: NamedTensors;
  /** Whether the unchanged model is also run by the runtime alone. */
  readonly isCompared?: boolean;
}

/** The outcome of a request. Tensors are texts of their names, types, shapes and bits. */
export type Outcome =
  | { readonly kind: 'answered'; readonly tensors: readonly string[]; readonly bare?: readonly string[] }
  | {
      readonly kind: 'refused';
      readonly name: string;
      readonly message: string;
      readonly code?: string | undefined;
    }
  /** The process has ended by a signal, or had to be ended. */
  | { readonly kind: 'ended'; readonly signal: string };

/** The refusal of inputs that the model's graph cannot compute with. */
export const CANNOT_COMPUTE: Outcome = {
  kind: 'refused',
  name: 'InferenceError',
  message: 'The model cannot compute with these inputs: their values or sizes do not fit together.',
  code: 'INVALID_PARAMETER_VALUE',
};

/** A request that takes longer counts as endless. */
const LONGEST_MS = 60_000;

/** Loads models and runs them, all in one process. When it ends, a new one takes the rest. */
export async function requestInChild(requests: readonly ChildRequest[]): Promise<Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ternion-requests-'));
  const path = join(folder, 'requests');
  writeFileSync(path, serialize(requests));
  const outcomes: Outcome[] = [];
  while (outcomes.length < requests.length) {
    const before = outcomes.length;
    const signal = await runChild(path, before, (outcome) => outcomes.push(outcome));
    if (outcomes.length < requests.length) outcomes.push({ kind: 'ended', signal });
  }
  rmSync(folder, { recursive: true, force: true });
  return outcomes;
}

async function runChild(path: string, start: number, take: (outcome: Outcome) => void): Promise<string> {
  const script = join(import.meta.dirname, 'request-child.ts');
  const child = spawn(process.execPath, [script, path, `${start}`], {
    env: { PATH: process.env.PATH, ORT_DISABLE_TELEMETRY: '1' },
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  let timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const input = child.stdio[3];
  if (!(input instanceof Readable)) throw new Error('the process has no pipe for its lines');
  createInterface({ input }).on('line', (line) => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
    if (line.startsWith('{')) take(JSON.parse(line));
  });
  return await new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(signal ?? `exit ${code}`);
    });
  });
}
