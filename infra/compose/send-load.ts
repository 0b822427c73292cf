// Sends requests to the example models until a signal ends it: node infra/compose/send-load.ts <url> [<per second>]
// Most of them are the first requests of their reference.json; one in twenty has a mistake, for the charts of errors.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import * as z from 'zod';

const MODELS = join(import.meta.dirname, '../../models');
/** Requests of each model that are sent in turns. */
const CASES = 20;
const MISTAKE_EVERY = 20;
/** Text instead of a row, and a row of the flower model with a value out of its range and without another. */
const MISTAKES = ['{"features": "none"}', '{"features": [5.1, 350, 1.4, null]}'];
const REPORT_EVERY_MS = 10_000;
const TIMEOUT_MS = 10_000;

const referenceSchema = z.object({ cases: z.array(z.object({ request: z.unknown() })) });

const [url, rate = '20'] = process.argv.slice(2);
if (url === undefined) throw new Error('usage: node infra/compose/send-load.ts <url> [<per second>]');

const requests = globSync('*/*/reference.json', { cwd: MODELS }).flatMap((file) => {
  const [model, version] = file.split(/[/\\]/);
  const { cases } = referenceSchema.parse(JSON.parse(readFileSync(join(MODELS, file), 'utf8')));
  const path = `/models/${model}/versions/${version}/predict`;
  return cases.slice(0, CASES).map(({ request }) => ({ path, body: JSON.stringify(request) }));
});

/** How many requests got each status since the last report; `none` is a request without an answer. */
const counts = new Map<string, number>();
let sent = 0;
let reportedMs = performance.now();

for (const signal of ['SIGINT', 'SIGTERM']) {
  // A signal to a group of processes can arrive twice, and the second one would kill a process without a listener.
  process.on(signal, () => {
    report();
    process.exit();
  });
}
for await (const _ of setInterval(1000 / Number(rate))) {
  void send(sent++);
  if (performance.now() - reportedMs < REPORT_EVERY_MS) continue;
  reportedMs = performance.now();
  report();
}

function report(): void {
  console.log([...counts].map(([status, count]) => `${status}: ${count}`).join(', '));
  counts.clear();
}

async function send(index: number): Promise<void> {
  const request = requests[index % requests.length];
  if (request === undefined) return;
  const isMistake = index % MISTAKE_EVERY === 0;
  const mistake = isMistake ? MISTAKES[(index / MISTAKE_EVERY) % MISTAKES.length] : undefined;
  const body = mistake ?? request.body;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const status = await fetch(`${url}${request.path}`, { method: 'POST', body, signal }).then(
    async (response) => {
      await response.arrayBuffer();
      return String(response.status);
    },
    () => 'none',
  );
  counts.set(status, (counts.get(status) ?? 0) + 1);
}
