import { createLambdaHandler } from '../../../functions/aws/handler.ts';
import { createContext, createHost, type Host, requestUrl } from '../../../functions/host.ts';
import { SCRAPED } from '../../../functions/scraped-metrics.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { PAGES } from '../project.ts';
import { TEST_ENVIRONMENT } from './environment.ts';
import { type EventSource, fromResult, toEvent } from './lambda-events.ts';
import type { TestHost } from './test-host.ts';

export function createTestHost(environment: Readonly<Record<string, string>> = {}): Host {
  return createHost({
    environment: { ...TEST_ENVIRONMENT, ...environment },
    modelRepository: TEST_ENVIRONMENT.MODEL_REPOSITORY,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    metrics: SCRAPED,
    cpus: 1,
  });
}

/** The app itself, without any host around it: the answers of all hosts are compared with its answers. */
export function openApp(environment?: Readonly<Record<string, string>>): TestHost {
  const { app } = createTestHost(environment);
  return {
    send: async ({ method, path, headers, body }) => {
      const request = new BytesRequest(requestUrl(path), { method, headers: new Headers(headers) }, body);
      const response = await app.fetch(request, createContext(request.headers, 'host-id'));
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(response.body === null ? [] : await response.bytes()),
      };
    },
    close: () => app.close(),
  };
}

/** The Lambda handler, invoked with events of one kind of source. */
export function openLambda(source: EventSource): TestHost {
  const host = createTestHost();
  const handler = createLambdaHandler(host);
  return {
    send: async (request) => {
      const invocation = { awsRequestId: 'invoke-id', getRemainingTimeInMillis: () => 30_000 };
      const result = await handler(toEvent(source, request), invocation);
      return fromResult(source, request.method, result);
    },
    close: () => host.app.close(),
  };
}
