import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { usageOf } from './process-usage.ts';

/** A process that keeps 50 MB and has worked for 0.3 s of CPU time. */
const WORKER = `
const kept = Buffer.alloc(50_000_000, 1);
while (process.cpuUsage().user < 300_000);
console.log(kept.length);
setInterval(() => {}, 1000);
`;

it('adds the children of a process to its own memory and CPU time', async () => {
  const before = usageOf(process.pid);
  const child = spawn(process.execPath, ['-e', WORKER], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const [together, alone] = [usageOf(process.pid), usageOf(child.pid ?? 0)];
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(alone.cpuSeconds).toBeGreaterThanOrEqual(0.29);
  expect(together.cpuSeconds).toBeGreaterThanOrEqual(before.cpuSeconds + 0.29);
  expect(alone.pssMegabytes).toBeGreaterThan(50);
  expect(together.pssMegabytes - before.pssMegabytes).toBeGreaterThan(50);
  expect(alone.residentMegabytes).toBeGreaterThanOrEqual(alone.pssMegabytes);
});

it('reports a process that is not there', () => {
  expect(() => usageOf(2 ** 30)).toThrow('ENOENT');
});
