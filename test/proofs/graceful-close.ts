import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { HttpFunction } from '../../functions/http-function.ts';
import { startServer } from '../../functions/server.ts';
import { createTestHost } from '../support/hosts/in-process.ts';
import type { Proof } from './proof.ts';

const CLIENTS = 24;
const GRACE_MS = 150;
/** A client that uses its connection more rarely than this may find it closed, as with any server. */
const MOST_PAUSE_MS = 40;
const MOST_WORK_MS = 60;

/** After the signal clients learn of it at different times, as load balancers do, and come no more. */
const MOST_LEARNING_MS = GRACE_MS + 1000;

/**
 * Clients ask all the time, on connections that they keep, while the server is told to end. Those that never stop coming
 * cannot all be answered: what the system takes while the server closes it resets.
 */
export const gracefulClose: Proof = {
  name: 'graceful-close',
  guarantee:
    'A server that gets the signal to end answers every request of clients that stop coming within five seconds after the grace: 0 are lost.',
  control: 'connections are cut at once',
  run: async (random, isBroken) => {
    const host = createTestHost();
    const answer: HttpFunction = async (incoming, outgoing) => {
      incoming.resume();
      await wait(random.below(MOST_WORK_MS));
      outgoing.end('done');
    };
    const sockets = new Set<{ destroy(): void }>();
    const handle: HttpFunction = (incoming, outgoing) => {
      sockets.add(incoming.socket);
      return answer(incoming, outgoing);
    };
    const server = await startServer(host, { port: 0, hostname: '127.0.0.1', handle });
    const lost: string[] = [];
    let answered = 0;
    let signalMs = Number.POSITIVE_INFINITY;
    const clients = Array.from({ length: CLIENTS }, async () => {
      const learningMs = random.below(MOST_LEARNING_MS);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (performance.now() < signalMs + learningMs) {
        const outcome = await ask(server.url, agent);
        if (outcome === 'answered') answered++;
        else if (outcome === 'refused') break;
        else lost.push(outcome);
        if (lost.length > CLIENTS) break;
        await wait(random.below(MOST_PAUSE_MS));
      }
      agent.destroy();
    });
    await wait(50 + random.below(200));
    signalMs = performance.now();
    if (isBroken) for (const socket of sockets) socket.destroy();
    await server.close(GRACE_MS);
    await Promise.all(clients);
    await host.app.close();
    return { tried: answered + lost.length, violations: lost };
  },
};

/** What became of a request: no connection to a server that has ended is what every client knows how to go on from. */
function ask(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const sent = request(url, { agent }, (incoming) => {
      incoming.on('end', () => resolve('answered')).on('error', (error) => resolve(`cut: ${error.message}`));
      incoming.resume();
    });
    sent.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : `lost: ${error.message}`),
    );
    sent.end();
  });
}
