import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createRandom } from './proof.ts';

/** Clients on a thread of their own, so that they come at any moment of the server. */
export interface ClientsTask {
  readonly url: string;
  readonly seed: number;
  readonly count: number;
  readonly keepsConnections: boolean;
  /** Longest pause between an answer and the next request, in ms; 0 for none. */
  readonly mostPauseMs: number;
  /** The longest time after the signal until a client stops; those that never stop send requests until they are refused. */
  readonly mostLearningMs: number;
}

/** What became of their requests. */
export interface ClientsOutcome {
  readonly answered: number;
  readonly lost: readonly string[];
  /** When a connection was refused first, as `Date.now()` says it. */
  readonly refusedAtMs: number;
}

/** The most lost requests that are reported. */
const MOST_LOST = 100;

const task: ClientsTask = workerData;
const random = createRandom(task.seed);
const lost: string[] = [];
let answered = 0;
let refusedAtMs = Number.POSITIVE_INFINITY;
let signalMs = Number.POSITIVE_INFINITY;

parentPort?.once('message', () => {
  signalMs = performance.now();
});
await Promise.all(Array.from({ length: task.count }, askOnAndOn));
parentPort?.postMessage({ answered, lost, refusedAtMs } satisfies ClientsOutcome);

/** One request after the other: each answer is waited for. */
async function askOnAndOn(): Promise<void> {
  const learningMs = random.next() * task.mostLearningMs;
  const agent = new Agent({ keepAlive: task.keepsConnections, maxSockets: 1 });
  while (performance.now() < signalMs + learningMs && lost.length < MOST_LOST) {
    const outcome = await ask(agent);
    if (outcome === 'refused') {
      refusedAtMs = Math.min(refusedAtMs, Date.now());
      break;
    }
    if (outcome === 'answered') answered++;
    else lost.push(outcome);
    if (task.mostPauseMs > 0) await wait(random.next() * task.mostPauseMs);
  }
  agent.destroy();
}

/** What became of a request. A refused connection is not a loss: every client knows how to handle it. */
function ask(agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(task.url, { agent }, (incoming) => {
      incoming.on('end', () => resolve('answered')).on('error', (error) => resolve(`cut: ${error.message}`));
      incoming.resume();
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : describeLoss(error, sent.reusedSocket)),
    );
    sent.end();
  });
}

function describeLoss(error: Error, wasKept: boolean): string {
  return `lost on a ${wasKept ? 'kept' : 'new'} connection: ${error.message}`;
}
