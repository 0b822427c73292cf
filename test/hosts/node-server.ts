import { createServer } from 'node:http';
import type { TestRequest, TestResponse } from './test-host.ts';

/** Serves HTTP in front of something that answers whole requests, as a cloud's front end does. */
export function serve(port: number, answer: (request: TestRequest) => Promise<TestResponse>): void {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const headers = Object.fromEntries(
        Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
      );
      answer({
        method: incoming.method ?? 'GET',
        path: incoming.url ?? '/',
        headers,
        body: Buffer.concat(chunks),
      }).then(
        (response) => {
          outgoing.writeHead(response.status, { ...response.headers });
          outgoing.end(response.body);
        },
        (error: unknown) => {
          console.error(error);
          outgoing.writeHead(502).end(String(error));
        },
      );
    });
  });
  server.listen(port, '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
}
