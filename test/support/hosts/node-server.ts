import { createAnsweringServer } from './answering-server.ts';
import type { TestRequest, TestResponse } from './test-host.ts';

/** Serves HTTP in front of something that answers whole requests, as a cloud's front end does. */
export function serve(port: number, answer: (request: TestRequest) => Promise<TestResponse>): void {
  const server = createAnsweringServer(answer, (error, outgoing) => {
    console.error(error);
    outgoing.writeHead(502).end(String(error));
  });
  server.listen(port, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
}
