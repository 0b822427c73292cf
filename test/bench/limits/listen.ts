import { createServer, type IncomingMessage } from 'node:http';

/** The least that answers requests: no checks, no routes. The port is the first argument of the script. */
export function listen(
  answer: (body: Buffer, request: IncomingMessage) => Promise<string | Uint8Array>,
): void {
  createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks);
      answer(body, request).then(
        (text) => response.end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }).listen(Number(process.argv[2]), '127.0.0.1');
}
