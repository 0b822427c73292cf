import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { HttpFunction } from '../../functions/http-function.ts';
import { type RunningServer, startServer } from '../../functions/server.ts';
import { createTestHost } from '../support/hosts/in-process.ts';
import { portOf } from '../support/port-of.ts';
import type { ClientsOutcome, ClientsTask } from './graceful-close-clients.ts';
import type { Proof } from './proof.ts';

const GRACE_MS = 150;
const MOST_WORK_MS = 60;
/** Requests before the signal: all clients are there. */
const FIRST_REQUESTS = 200;

type Kind = Omit<ClientsTask, 'url' | 'seed'>;

/** They learn of the end at different times, as load balancers do, and then stop. */
const STOPPING: Kind = {
  count: 24,
  keepsConnections: true,
  // A client that uses its connection more rarely than this may find it closed, as with any server.
  mostPauseMs: 40,
  mostLearningMs: GRACE_MS + 1000,
};
const NEVER_STOPPING: Kind = {
  count: 64,
  keepsConnections: false,
  mostPauseMs: 0,
  mostLearningMs: Number.POSITIVE_INFINITY,
};
const KINDS: readonly Kind[] = [STOPPING, NEVER_STOPPING, { ...NEVER_STOPPING, keepsConnections: true }];

/**
 * Clients send requests all the time while the server gets the signal to end, and some of them after that. A request is
 * lost if its connection is reset or closed before the whole answer, or if it is refused while the server still has to
 * answer.
 */
export const gracefulClose: Proof = {
  name: 'graceful-close',
  guarantee:
    'A server that is asked to stop loses no request of a client that waits for each answer before it sends the next request, even if the client never stops sending.',
  control: 'the server stops listening while answers are being sent',
  run: async (random, isBroken) => {
    const host = createTestHost();
    const kind = KINDS[random.below(KINDS.length)] ?? STOPPING;
    const mostWorkMs = random.below(MOST_WORK_MS);
    let asked = 0;
    const answer: HttpFunction = async (incoming, outgoing) => {
      asked++;
      incoming.resume();
      if (mostWorkMs > 0) await wait(random.below(mostWorkMs));
      outgoing.end('done');
    };
    const server = isBroken
      ? await startUsualServer(answer)
      : await startServer(host, { port: 0, hostname: '127.0.0.1', handle: answer });
    const clients = startClients({ ...kind, url: server.url, seed: random.below(2 ** 31) });
    while (asked < FIRST_REQUESTS) await wait(1);
    await wait(random.below(100));
    const openUntilMs = Date.now() + GRACE_MS;
    clients.tellOfSignal();
    await server.close(GRACE_MS);
    const { answered, lost, refusedAtMs } = await clients.outcome;
    await host.app.close();
    const early = refusedAtMs < openUntilMs ? ['refused within the grace'] : [];
    return { tried: answered + lost.length, violations: [...lost, ...early] };
  },
};

function startClients(workerData: ClientsTask): { outcome: Promise<ClientsOutcome>; tellOfSignal(): void } {
  const worker = new Worker(new URL('graceful-close-clients.ts', import.meta.url), { workerData });
  return {
    outcome: once(worker, 'message').then(([outcome]) => outcome),
    tellOfSignal: () => worker.postMessage('signal'),
  };
}

/** Ends as servers usually do: after the grace it takes no new connections, and finishes the requests in progress. */
async function startUsualServer(answer: HttpFunction): Promise<RunningServer> {
  let isClosing = false;
  const server = createServer((incoming, outgoing) => {
    if (isClosing) outgoing.shouldKeepAlive = false;
    void answer(incoming, outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    close: async (graceMs) => {
      isClosing = true;
      await wait(graceMs);
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
