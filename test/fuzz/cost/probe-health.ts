// A thread that asks a server for its health every 20 ms, independently of the thread that sends the attack.
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { parentPort } from 'node:worker_threads';

const EVERY_MS = 20;

let agent = new Agent({ keepAlive: true, maxSockets: 1 });
let isProbing = false;
let longestMs = 0;
let pending: Promise<void> = Promise.resolve();

parentPort?.on('message', ({ start, port, pid }: { start: boolean; port: number; pid: number }) => {
  if (start) {
    agent.destroy();
    agent = new Agent({ keepAlive: true, maxSockets: 1 });
    longestMs = 0;
    isProbing = true;
    // The first makes the connection, and is not counted.
    pending = ask(port).then(() => {
      parentPort?.postMessage(0);
      return probe(port, pid);
    });
  } else {
    isProbing = false;
    void pending.then(() => parentPort?.postMessage(longestMs));
  }
});

async function probe(port: number, pid: number): Promise<void> {
  while (isProbing) {
    const startMs = performance.now();
    const waitedBefore = waitedMs(`/proc/${pid}`) + waitedMs('/proc/thread-self');
    await ask(port);
    const waited = waitedMs(`/proc/${pid}`) + waitedMs('/proc/thread-self') - waitedBefore;
    const tookMs = performance.now() - startMs;
    longestMs = Math.max(longestMs, tookMs - waited);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - tookMs)));
  }
}

function ask(port: number): Promise<void> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/health', agent }, (incoming) => {
      incoming.on('end', resolve).on('error', () => resolve());
      incoming.resume();
    }).on('error', () => resolve());
  });
}

/** How long a thread was ready to run but waited for the CPU. Source: the kernel's sched-stats.rst, /proc/pid/schedstat. */
function waitedMs(folder: string): number {
  try {
    return Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return 0;
  }
}
