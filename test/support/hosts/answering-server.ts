import { createServer, type Server, type ServerResponse } from 'node:http';
import { readRequest, type TestRequest, type TestResponse } from './test-host.ts';

/**
 * A server in front of something that answers whole requests.
 *
 * @param fail ends the answer to a request that could not be answered
 */
export function createAnsweringServer(
  answer: (request: TestRequest) => Promise<TestResponse>,
  fail: (error: unknown, outgoing: ServerResponse) => void,
): Server {
  return createServer((incoming, outgoing) => {
    readRequest(incoming)
      .then(answer)
      .then(
        ({ status, headers, body }) => outgoing.writeHead(status, { ...headers }).end(body),
        (error: unknown) => fail(error, outgoing),
      );
  });
}
