// Sends requests in the network of a container, one after the other, and prints the answers: node ask.ts <JSON>
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';

const requests = z
  .array(z.object({ url: z.string(), type: z.string().optional(), body: z.string().optional() }))
  .parse(JSON.parse(process.argv[2] ?? ''));

/** Longest time for the server to start. */
const endMs = performance.now() + 30_000;

async function ask(url: string, init: RequestInit): Promise<Response> {
  for (;;) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await wait(50);
    }
  }
}

const answers = [];
for (const { url, type = 'application/json', body } of requests) {
  const init = body === undefined ? {} : { method: 'POST', headers: { 'content-type': type }, body };
  const response = await ask(url, init);
  answers.push({ status: response.status, text: await response.text() });
}
console.log(JSON.stringify(answers));
