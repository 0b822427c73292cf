import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';

/** Lets an invocation continue after its answer. */
export interface Extension {
  /**
   * Marks an invocation as answered. Lambda freezes the process once the runtime and all extensions have asked for
   * their next event; this extension asks when `work` is done.
   *
   * @param work starts when the answer has been sent, and must not reject
   * @returns whether the extension will do the work; otherwise the caller has to do it
   */
  finish(requestId: string, work: () => Promise<void>): boolean;
}

/** For environments in which nothing keeps an invocation open. */
export const NO_EXTENSION: Extension = { finish: () => false };

/** How long the runtime's client has to send an answer before work after it starts. */
const SENDING_MS = 10;

const NAME = 'ternion';

/**
 * Registers an internal extension (one that runs in the process of the runtime) for the events of invocations. Call it
 * in the init phase: Lambda refuses later registrations.
 * Source: AWS Lambda developer guide, "Using the Lambda Extensions API to create extensions".
 *
 * @param api `AWS_LAMBDA_RUNTIME_API`
 * @param onError gets the error that kept it from registering or stopped it later
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

/** The state of an invocation: its event and the end of its handler can come in either order. */
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
    let end: Followed['end'] = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const made: Followed = { ended, end };
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
  const sized = body ? { ...headers, 'content-length': body.length } : headers;
  return new Promise((resolve, reject) => {
    request(`http://${api}/2020-01-01/extension/${path}`, { method, headers: sized }, resolve)
      .on('error', reject)
      .end(body);
  });
}
