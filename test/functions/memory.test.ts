import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ChildHost, openLocalServer } from '../support/hosts/child-process.ts';
import { NODE_FLAGS } from '../support/node-flags.ts';
import { MODELS, PROJECT } from '../support/project.ts';
import { startNode } from '../support/run-command.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const MEGABYTE = 1e6;
/** Copies of a forest of 73 kB, each of which takes half a megabyte as a session. */
const COPIES = 150;
const CACHE_MEGABYTES = 16;

function residentMegabytes(pid: number | undefined): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kilobytes === undefined) throw new Error('the process has ended');
  return (Number(kilobytes) * 1024) / MEGABYTE;
}

async function makeCopies(): Promise<string> {
  const [model, config] = await Promise.all(
    ['model.onnx', 'model.json'].map((file) => readFile(join(MODELS, 'iris/1', file))),
  );
  if (!model || !config) throw new Error('the example models have changed');
  const names = Array.from({ length: COPIES }, (_, index) => `copy${index}/1`);
  return await makeFolder(
    Object.fromEntries(
      names.flatMap((name) => [
        [`${name}/model.onnx`, model],
        [`${name}/model.json`, config],
      ]),
    ),
  );
}

const ROW = [5.1, 3.5, 1.4, 0.2];

async function predict(server: Pick<ChildHost, 'port'>, model: string, rows: number): Promise<number> {
  const response = await fetch(`http://localhost:${server.port}/models/${model}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ instances: Array.from({ length: rows }, () => ROW) }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** `ternion serve` with the flags that its first line has. */
async function startServe(args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  const command = join(PROJECT, 'dist/cli/index.mjs');
  const running = startNode([...NODE_FLAGS, command, 'serve', '--port', '0', ...args], environment);
  onTestFinished(() => {
    running.process.kill('SIGKILL');
  });
  const url = await running.seen(/http:\/\/localhost:\d+/);
  return { process: running.process, port: Number(new URL(url).port) };
}

// The sizes of processes are read from /proc.
describe.runIf(process.platform === 'linux')('the memory of a server', () => {
  it('holds as many models as SESSION_CACHE_BYTES has room for, not as their files have', async () => {
    const server = await startServe(['--repository', await makeCopies()], {
      SESSION_CACHE_BYTES: String(CACHE_MEGABYTES * MEGABYTE),
    });
    const health = await fetch(`http://localhost:${server.port}/health`);
    expect(health.status).toBe(200);
    const before = residentMegabytes(server.process.pid);
    let most = 0;
    for (let copy = 0; copy < COPIES; copy++) {
      expect(await predict(server, `copy${copy}`, 1)).toBe(200);
      most = Math.max(most, residentMegabytes(server.process.pid) - before);
    }
    // All of them together take 80 MB; their files have 11 MB.
    expect(most).toBeLessThan(CACHE_MEGABYTES * 1.1 + 32);
  });

  it.each([
    ['ternion serve', () => startServe()],
    [
      'npm start',
      async () => {
        const server = await openLocalServer({ MAX_BATCH_SIZE: '1024' });
        onTestFinished(() => server.close());
        return server;
      },
    ],
  ])('comes back when %s has nothing to do', async (_, open) => {
    const server = await open();
    expect(await predict(server, 'iris', 1)).toBe(200);
    const loaded = residentMegabytes(server.process.pid);
    let most = 0;
    for (let round = 0; round < 100 && most < 1.4 * loaded; round++) {
      const statuses = await Promise.all(Array.from({ length: 50 }, () => predict(server, 'iris', 1024)));
      expect(new Set(statuses)).toEqual(new Set([200]));
      most = Math.max(most, residentMegabytes(server.process.pid));
    }
    expect(most).toBeGreaterThan(1.4 * loaded);
    while (residentMegabytes(server.process.pid) > 1.2 * loaded) await wait(100);
  });
});
