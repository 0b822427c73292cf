import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { InvokeError, type LambdaOptions, openLambdaEnvironment } from '../lambda-environment.ts';
import { portOf } from '../port-of.ts';
import { PROJECT } from '../project.ts';
import { createAnsweringServer } from './answering-server.ts';
import type { ChildHost, Prepare } from './child-process.ts';
import { TEST_ENVIRONMENT } from './environment.ts';
import { type EventSource, fromResult, toEvent } from './lambda-events.ts';
import type { TestRequest } from './test-host.ts';

/** Our own client of the runtime API, on the Node that runs the tests. */
export const OWN_RUNTIME = [process.execPath, join(PROJECT, 'test/support/lambda-client.ts')] as const;

/** A copy of a built target in an empty folder outside of the project. */
export async function copyBundle(target: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-bundle-'));
  await cp(resolve(PROJECT, 'dist', target), folder, { recursive: true });
  return folder;
}

/** A built target on Lambda; a server turns requests into events, as one kind of event source does. */
export async function openLambdaBundle(
  target: string,
  source: EventSource,
  environment: NonNullable<LambdaOptions['environment']> = {},
  prepare?: Prepare,
): Promise<ChildHost> {
  const folder = await copyBundle(target);
  await prepare?.(folder);
  const lambda = await openLambdaEnvironment({
    folder,
    runtime: OWN_RUNTIME,
    environment: { NODE_ENV: 'production', ...TEST_ENVIRONMENT, ...environment },
  });
  // One environment has one event at a time; Lambda would start others.
  let last: Promise<unknown> = lambda.frozen();
  const send = (request: TestRequest) => {
    const answer = last.then(async () => {
      const { isError, payload } = await lambda.invoke(toEvent(source, request));
      await lambda.frozen();
      if (isError) throw new Error(`the function failed: ${payload}${lambda.output()}`);
      return fromResult(source, request.method, JSON.parse(payload.toString()));
    });
    last = answer.catch(() => undefined);
    return answer;
  };
  const server = createAnsweringServer(send, (error, outgoing) =>
    outgoing.writeHead(error instanceof InvokeError ? error.status : 502).end(String(error)),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    process: lambda.process,
    output: lambda.output,
    send,
    close: async () => {
      await lambda.shutdown();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
