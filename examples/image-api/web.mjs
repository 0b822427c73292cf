// Serves page.html and passes its pictures on to a model server: node web.mjs <server>
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';

const [server] = process.argv.slice(2);
const port = Number(process.env.PORT ?? 3000);
const page = await readFile(new URL('page.html', import.meta.url));

createServer(async (request, response) => {
  if (request.method === 'GET' && request.url === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  } else if (request.method === 'POST' && request.url === '/predict') {
    const { status, text } = await predict(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  } else {
    response.writeHead(404).end();
  }
}).listen(port, '127.0.0.1', () => console.log(`http://localhost:${port}`));

/** Passes the form on unchanged; Ternion limits its size and reads it. */
async function predict(request) {
  try {
    const answer = await fetch(`${server}/models/signs/predict`, {
      method: 'POST',
      headers: { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' },
      body: Readable.toWeb(request),
      duplex: 'half',
    });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return { status: 502, text: JSON.stringify({ error: 'The model server does not answer.' }) };
  }
}
