import { unavailable } from '../../processors/processor.ts';
import {
  ConnectionLostError,
  createConnection,
  type RedisAddress,
  type RedisConnection,
} from './connection.ts';
import { MalformedReplyError, type Reply, ReplyError } from './replies.ts';

export interface RedisClient {
  /**
   * Sends commands that read. If the connection is from before and is lost, they are sent once more on a new one.
   *
   * @returns their replies, of which each can be an error
   */
  ask(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly (Reply | Error)[]>;
}

/** A client with one connection, which is made with the first commands. */
export function createRedisClient(address: RedisAddress): RedisClient {
  let current: RedisConnection | undefined;
  const send = (commands: readonly (readonly string[])[], signal: AbortSignal) => {
    signal.throwIfAborted();
    if (!current?.isUsable) {
      current?.retire();
      current = connect(address);
    }
    return current.send(commands, signal);
  };
  const sendTwice = async (commands: readonly (readonly string[])[], signal: AbortSignal) => {
    const isOld = current?.isUsable === true;
    try {
      return await send(commands, signal);
    } catch (error) {
      if (!isOld || !(error instanceof ConnectionLostError)) throw error;
      return await send(commands, signal);
    }
  };
  return {
    ask: async (commands, signal) => {
      try {
        const replies = await sendTwice(commands, signal);
        return replies.map((reply) =>
          reply instanceof ReplyError ? explainReply(address.title, reply) : reply,
        );
      } catch (error) {
        throw explain(address.title, error);
      }
    },
  };
}

/** The modules are loaded with the first look-up, and not with the code of a project. */
function connect(address: RedisAddress): RedisConnection {
  const { host, port, isEncrypted } = address;
  const { connect: connectTcp, isIP } = process.getBuiltinModule('node:net');
  if (!isEncrypted) return createConnection(address, connectTcp({ host, port }).setNoDelay(true));
  const { connect: connectTls } = process.getBuiltinModule('node:tls');
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return createConnection(address, connectTls({ host, port, ...servername }).setNoDelay(true));
}

/** Errors that are over after a while. Source: the documentation of Redis and of its cluster. */
const TEMPORARY = /^(?:LOADING|BUSY|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|ERR max number of clients)/;

function explain(title: string, error: unknown): unknown {
  if (error instanceof ConnectionLostError) {
    return unavailable(`${title} cannot be reached: ${error.message}`, { cause: error.cause });
  }
  if (error instanceof MalformedReplyError) {
    return new Error(`${title} does not speak the protocol of Redis: ${error.message}`);
  }
  return error instanceof ReplyError ? explainReply(title, error) : error;
}

function explainReply(title: string, error: ReplyError): Error {
  if (TEMPORARY.test(error.message)) return unavailable(`${title} replied ${codeOf(error)}`);
  const hint = /^(?:MOVED|ASK) /.test(error.message)
    ? ': it is a node of a cluster, which this step cannot follow; expected an address of all keys'
    : '';
  return new Error(`${title} replied ${codeOf(error)}${hint}`);
}

/** The first word: the rest can have keys, which clients choose. */
function codeOf({ message }: ReplyError): string {
  const [code = ''] = message.split(' ');
  return /^[A-Z]{2,20}$/.test(code) ? code : 'an error';
}
