import { execFileSync } from 'node:child_process';
import type { Latencies } from '../statistics.ts';
import { loadWithAutocannon } from './autocannon.ts';
import { loadWithWrk } from './wrk.ts';

/** A request of the load, always to 127.0.0.1. */
export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface LoadOptions {
  readonly port: number;
  /** Connections send them in turns, each the next one. */
  readonly requests: readonly LoadRequest[];
  /** Each has one request at a time: nothing is pipelined. */
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult extends Latencies {
  readonly requestsPerSecond: number;
  readonly requests: number;
  /** Requests without an answer, and answers with a status other than 2xx or 3xx. */
  readonly errors: number;
  /** What the program that makes the load has used itself. */
  readonly cpuSeconds: number;
}

export interface LoadGenerator {
  /** Name and version. */
  readonly name: string;
  readonly run: (options: LoadOptions) => Promise<LoadResult>;
}

/** wrk if it is installed, as it takes the least CPU time from the server; otherwise autocannon. */
export function findLoadGenerator(): LoadGenerator {
  const version = versionOfWrk();
  return version === undefined
    ? { name: 'autocannon 9.0.0', run: loadWithAutocannon }
    : { name: `wrk ${version}`, run: loadWithWrk };
}

function versionOfWrk(): string | undefined {
  try {
    // It prints its version and its options, and then fails.
    execFileSync('wrk', ['-v'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error)) return undefined;
    return /^wrk (?:\w+\/)?(\d[\w.]*)/.exec(String(error.stdout))?.[1];
  }
}
