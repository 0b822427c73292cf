// How soon a server answers after each attack, and what memory it keeps: node test/bench/reliability.ts
import { readFileSync } from 'node:fs';
import { get } from '../contracts/exchanges.ts';
import { ATTACKS } from '../hosts/attacks.ts';
import { openFunctionsFramework } from '../hosts/child-process.ts';

const ROUNDS = 4;
const host = await openFunctionsFramework('local', { MAX_BODY_BYTES: '33554432' });
const megabytes = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${host.process.pid}/status`, 'utf8'))?.[1]) / 1024;

for (const [name, attack] of Object.entries(ATTACKS)) {
  const kept: string[] = [];
  let slowestMs = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await attack(host.port);
    const startMs = performance.now();
    await host.send(get('/v2/health/live'));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
    kept.push(megabytes().toFixed(0));
  }
  console.log(`${name}: alive after ${slowestMs.toFixed(1)} ms at most; ${kept.join(', ')} MB`);
}
await host.close();
