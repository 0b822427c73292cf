import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { cp, realpath } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type Consumer, install, type Packed, PLATFORM } from '../../bundles/npm/installed.ts';
import { readBlocks } from '../../support/documented-commands.ts';
import { findFreePort } from '../../support/hosts/child-process.ts';
import {
  readResponse,
  sendOverHttp,
  type TestHost,
  type TestRequest,
  type TestResponse,
} from '../../support/hosts/test-host.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { writeFiles } from '../../support/temporary-folder.ts';
import { folderOf } from '../installation.ts';
import { counterpart } from './counterpart.ts';

/** The prefix in the snippets of the page. */
export const PREFIX = '/ml';

const SNIPPETS = readBlocks(readFileSync(join(PROJECT, 'docs/library.md'), 'utf8'), 'ts');

/** The snippet of the page that has a text. */
export function snippetWith(text: string): string {
  const found = SNIPPETS.filter((snippet) => snippet.includes(text));
  if (found.length !== 1) throw new Error(`docs/library.md has ${found.length} snippets with ${text}`);
  return found.join();
}

/**
 * A project of somebody with the packed package and a framework, in the folder of the installation: so the packages of
 * the frameworks are where Node and Next look for them.
 */
export async function makeProject(
  { packages }: Packed,
  files: Readonly<Record<string, string>>,
): Promise<Consumer> {
  const needed = ['ternion', `@ternion/runtime-${PLATFORM}`].map((name) => {
    const file = packages.get(name)?.file;
    if (file === undefined) throw new Error(`there is no package ${name}`);
    return [name, file] as const;
  });
  const consumer = await install(new Map(needed), await realpath(folderOf(counterpart)));
  await cp(MODELS, join(consumer.folder, 'models'), { recursive: true });
  await writeFiles(consumer.folder, files);
  return consumer;
}

/** A running server of a project. Requests to it are sent below the prefix. */
export interface MountedHost extends TestHost {
  readonly url: string;
  readonly port: number;
  /** Sends a request to the path as it is. */
  sendOutside(request: TestRequest): ReturnType<TestHost['send']>;
  /** Sends a body below the prefix, with its length or in chunks. */
  sendLarge(
    path: string,
    headers: TestRequest['headers'],
    body: Buffer,
    isSized: boolean,
  ): ReturnType<TestHost['send']>;
  readonly output: () => string;
}

/** The command that starts a project, for a port. */
export type Start = (port: number) => readonly string[];

/** A host whose answers have no names in `vary` that its framework adds to each of them. */
export function withoutVary(host: MountedHost, names: readonly string[]): MountedHost {
  return {
    ...host,
    send: async (sent) => {
      const { headers, ...response } = await host.send(sent);
      const { vary, ...rest } = headers;
      const kept = (vary ?? '').split(', ').filter((name) => name !== '' && !names.includes(name));
      return { ...response, headers: kept.length === 0 ? rest : { ...rest, vary: kept.join(', ') } };
    },
  };
}

const MOST_START_MS = 60_000;

/** Starts the server of a project, and waits until it answers. */
export async function startProject(
  folder: string,
  start: Start,
  environment: Readonly<Record<string, string>>,
): Promise<MountedHost> {
  const port = await findFreePort();
  const child = spawn(process.execPath, start(port), {
    cwd: folder,
    env: {
      PORT: String(port),
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      NEXT_TELEMETRY_DISABLED: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const lastMs = performance.now() + MOST_START_MS;
  const url = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(`${url}/hello`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || performance.now() > lastMs) {
      child.kill('SIGKILL');
      throw new Error(`the server does not answer: ${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url,
    port,
    output: () => output,
    send: (request) => sendOverHttp(port, { ...request, path: PREFIX + request.path }),
    sendOutside: (request) => sendOverHttp(port, request),
    sendLarge: (path, headers, body, isSized) => sendLarge(`${url}${PREFIX}${path}`, headers, body, isSized),
    close: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function sendLarge(
  url: string,
  headers: TestRequest['headers'],
  body: Buffer,
  isSized: boolean,
): Promise<TestResponse> {
  const length = isSized ? { 'content-length': body.length } : { 'transfer-encoding': 'chunked' };
  // A server that may close the connection after its answer would do so while the rest of a body that it refuses comes.
  const agent = new Agent({ keepAlive: true });
  const outgoing = request(url, { method: 'POST', headers: { ...headers, ...length }, agent });
  const answered = once(outgoing, 'response');
  outgoing.on('error', () => undefined);
  Readable.from(pieces(body)).pipe(outgoing);
  const [incoming]: IncomingMessage[] = await answered;
  if (incoming === undefined) throw new Error('a response has a message');
  const response = await readResponse(incoming);
  agent.destroy();
  return response;
}

function* pieces(body: Buffer) {
  for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
}
