import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../../support/project.ts';
import { findLoadGenerator } from '../load/load.ts';
import { FLOWER } from '../requests.ts';
import type { Machine } from '../results.ts';
import { benchCommand, startServer } from '../servers.ts';

/** Where and with what the values of this run are measured. */
export async function describeMachine(): Promise<Machine> {
  const [processor] = cpus();
  const status = git('status', '--porcelain', '--untracked-files=no');
  const { devDependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: git('rev-parse', '--short', 'HEAD') + (status === '' ? '' : ' with changes'),
    processor: processor?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()} ${process.arch}`,
    node: process.versions.node,
    runtime: devDependencies['onnxruntime-node'],
    load: await describeLoad(),
  };
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: PROJECT, encoding: 'utf8' }).trim();
}

/** The cost of the load matters because it shares the cores with the servers. */
async function describeLoad(): Promise<string> {
  const generator = findLoadGenerator();
  const server = await startServer({ command: benchCommand('bare-server.ts') }, FLOWER);
  try {
    const { port } = server;
    const result = await generator.run({ port, requests: [FLOWER], connections: 16, seconds: 1 });
    const microseconds = Math.round((result.cpuSeconds / result.requests) * 1e6);
    return `${generator.name} with one thread, which uses ${microseconds} µs of CPU time for a small request`;
  } finally {
    await server.stop();
  }
}
