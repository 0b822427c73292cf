// Sends many mutated requests: npm run fuzz -- [count] [seed]
import { openApp } from '../support/hosts/in-process.ts';
import { sendMutated } from './send-mutated.ts';

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const host = openApp({ MAX_JSON_DEPTH: '32' });
const startMs = performance.now();
const statuses = await sendMutated(host, count, seed);
const megabytes = Math.round(process.memoryUsage().rss / 2 ** 20);
console.log(
  `seed ${seed}: ${count} requests in ${Math.round(performance.now() - startMs)} ms, ${megabytes} MB`,
  Object.fromEntries(statuses),
);
await host.close();
