import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { openModelFile } from '../../shared/runtime/open-model-file.ts';
import type { Session } from '../../shared/runtime/session.ts';
import type { TrialReply, TrialRequest } from '../../shared/runtime/trial-protocol.ts';

/**
 * A process in which a model is tried: it can crash or hang without harm. The host that starts it sends requests, one
 * after the other, and ends it.
 */
let session: Session | undefined;

process.on('message', (message) => {
  if (isRequest(message)) answer(message).then(send, (error: unknown) => send(describe(error)));
});
process.on('disconnect', () => process.exit());

async function answer(request: TrialRequest): Promise<TrialReply> {
  if (request.kind === 'open') {
    await watchMemory(request.memoryBytes);
    session = await openModelFile(request.file, request.options);
    return { kind: 'opened', inputs: session.inputs, outputs: session.outputs };
  }
  await session?.run(request.feeds, request.fetches);
  return { kind: 'ran' };
}

/**
 * Ends this process when it uses too much memory, or when the process that started it has ended. A separate thread does
 * this, because the runtime keeps the main thread busy.
 */
async function watchMemory(memoryBytes: number): Promise<void> {
  const watch = `
    const { workerData } = require('node:worker_threads');
    const parent = process.ppid;
    setInterval(() => {
      const isTooMuch = process.memoryUsage.rss() > workerData.memoryBytes;
      if (isTooMuch || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
    }, 5);
  `;
  await once(new Worker(watch, { eval: true, workerData: { memoryBytes } }), 'online');
}

function send(reply: TrialReply): void {
  process.send?.(reply);
}

function describe(error: unknown): TrialReply {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'failed', name, message };
}

function isRequest(message: unknown): message is TrialRequest {
  return typeof message === 'object' && message !== null && 'kind' in message;
}
