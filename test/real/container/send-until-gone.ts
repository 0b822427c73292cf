import { Agent, request } from 'node:http';
import { systemCodeOf } from '../../../shared/errors.ts';

/** Clients that send one request after the other. */
const CLIENTS = 16;

interface Count {
  readonly answered: number;
  readonly afterSignal: number;
  /** What went wrong with requests for which the server had taken a connection. */
  readonly lost: readonly string[];
}

/**
 * Sends predictions until nobody listens any more. Clients keep their connections, except for those that the server
 * closes with an answer.
 *
 * @param signalAt after how many answers the server is asked to end
 * @param signal asks it
 */
export async function sendUntilGone(
  port: number,
  body: string,
  signalAt: number,
  signal: () => Promise<void>,
): Promise<Count> {
  const lost: string[] = [];
  let answered = 0;
  let atSignal = 0;
  let signalled: Promise<void> | undefined;
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (;;) {
      const outcome = await send(port, body, agent);
      if (outcome === 'gone') break;
      if (outcome === 200) answered++;
      else lost.push(String(outcome));
      if (answered < signalAt || signalled !== undefined) continue;
      atSignal = answered;
      signalled = signal();
    }
    agent.destroy();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  await signalled;
  return { answered, afterSignal: answered - atSignal, lost };
}

/** The status, `gone` if nobody listens, or what happened to the connection. */
function send(port: number, body: string, agent: Agent): Promise<number | string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, path: '/predict', method: 'POST', agent });
    outgoing.on('error', (error) =>
      resolve(systemCodeOf(error) === 'ECONNREFUSED' ? 'gone' : String(systemCodeOf(error))),
    );
    outgoing.on('response', (incoming) => {
      incoming.on('error', (error) => resolve(error.message));
      incoming.on('end', () => resolve(incoming.statusCode ?? 0));
      incoming.resume();
    });
    outgoing.end(body);
  });
}
