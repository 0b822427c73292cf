import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';

/** Lets an invocation go on after its answer. */
export interface Extension {
  /**
   * Says that the handler is done with an invocation. Lambda freezes the process once the runtime and all extensions
   * have asked for their next event: this one asks when `work` is over.
   *
   * @param work begins when the answer has left, and must not reject
   * @returns whether the work will be done so; otherwise it is for the caller to do
   */
  finish(requestId: string, work: () => Promise<void>): boolean;
}

/** Where nothing holds an invocation open. */
export const NO_EXTENSION: Extension = { finish: () => false };

/** So long the client of the runtime has to send an answer before work after it begins. */
const SENDING_MS = 10;

const NAME = 'ternion';

/**
 * Registers an internal extension, one that runs within the process of the runtime, for the events of invocations. To be
 * called in the init phase: later ones are refused.
 * Source: AWS Lambda developer guide, "Using the Lambda Extensions API to create extensions".
 *
 * @param api `AWS_LAMBDA_RUNTIME_API`
 * @param onError gets what kept it from registering, or from going on
 */
export async function registerExtension(api: string, onError: (error: unknown) => void): Promise<Extension> {
  try {
    const registered = await send(api, 'POST', 'register', { 'lambda-extension-name': NAME }, EVENTS);
    registered.resume();
    const id = registered.headers['lambda-extension-identifier'];
    if (registered.statusCode !== 200 || typeof id !== 'string') {
      throw new Error(`the extension was not registered: status ${registered.statusCode}`);
    }
    return follow(api, id, onError);
  } catch (error) {
    onError(error);
    return NO_EXTENSION;
  }
}

const EVENTS = Buffer.from(JSON.stringify({ events: ['INVOKE'] }));

/** What is known of an invocation: the event and the end of its handler come in either order. */
interface Followed {
  readonly ended: Promise<void>;
  readonly end: (work: Promise<void>) => void;
}

function follow(api: string, id: string, onError: (error: unknown) => void): Extension {
  const followed = new Map<string, Followed>();
  let isFollowing = true;

  function find(requestId: string): Followed {
    const known = followed.get(requestId);
    if (known) return known;
    const { promise, resolve } = Promise.withResolvers<void>();
    const made: Followed = { ended: promise, end: resolve };
    followed.set(requestId, made);
    return made;
  }

  async function loop(): Promise<never> {
    for (;;) {
      const incoming = await send(api, 'GET', 'event/next', { 'lambda-extension-identifier': id });
      const requestId = requestIdOf(await json(incoming));
      if (requestId === undefined) {
        throw new Error(`the extension got no event: status ${incoming.statusCode}`);
      }
      await find(requestId).ended;
      followed.delete(requestId);
    }
  }

  loop().catch((error: unknown) => {
    isFollowing = false;
    onError(error);
  });
  return {
    finish: (requestId, work) => {
      if (!isFollowing) return false;
      find(requestId).end(wait(SENDING_MS).then(work));
      return true;
    },
  };
}

function requestIdOf(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !('requestId' in event)) return undefined;
  return typeof event.requestId === 'string' ? event.requestId : undefined;
}

function send(
  api: string,
  method: 'GET' | 'POST',
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: Buffer,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sized = body ? { ...headers, 'content-length': body.length } : headers;
  request(`http://${api}/2020-01-01/extension/${path}`, { method, headers: sized }, resolve)
    .on('error', reject)
    .end(body);
  return promise;
}
