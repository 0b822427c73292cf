// How much memory each attack leaves in use, and how soon the server answers after it:
// node test/bench/reliability.ts [flags of Node, '' for none]
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { get, post, raw } from '../contracts/exchanges.ts';
import { ATTACKS } from '../support/hosts/attacks.ts';
import { type ChildHost, openFunctionsFramework } from '../support/hosts/child-process.ts';
import type { TestRequest } from '../support/hosts/test-host.ts';
import { NODE_FLAGS } from '../support/node-flags.ts';

/** How often each attack is made: memory that is kept after one adds up. */
const ATTACKS_MADE = 3;
const SETTLE_MS = 5_000;
/** Memory has levelled off when this many rounds of traffic together raise its peak by less than 2 %. */
const LEVEL_ROUNDS = 5;
const MOST_ROUNDS = 60;
const environment = { MAX_BODY_BYTES: '33554432', NODE_OPTIONS: process.argv[2] ?? NODE_FLAGS.join(' ') };
const INFER = '/v2/models/iris/infer';

const flower = { name: 'features', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] };
const small = post(INFER, { inputs: [flower] });
/** What honest clients send that is like an attack; by default one request at a time, and this often. */
const large = post(INFER, tensorOf(12_500));
const compressed = compress(20_000_000);
const TRAFFIC: Readonly<Record<string, (host: ChildHost) => Promise<void>>> = {
  'a million nested brackets': async (host) => {
    for (let i = 0; i < 10; i++) await host.send(large);
  },
  '20 MB of zeros compressed': async (host) => {
    for (let i = 0; i < 3; i++) await host.send(compressed);
  },
  'a thousand connections at once': async (host) => {
    for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 50 }, () => host.send(small)));
  },
};

console.log(
  'attack: alive after | MB under traffic, settled | after the attacks, settled | ratio of the settled',
);
for (const [name, attack] of Object.entries(ATTACKS)) {
  const host = await openFunctionsFramework('local', environment);
  const busy = await levelOff(host, async () => {
    await sendSmall(host);
    await TRAFFIC[name]?.(host);
  });
  const before = await settle(host);
  let slowestMs = 0;
  for (let i = 0; i < ATTACKS_MADE; i++) {
    await attack(host.port);
    const startMs = performance.now();
    await host.send(get('/v2/health/live'));
    slowestMs = Math.max(slowestMs, performance.now() - startMs);
  }
  const attacked = megabytesOf(host);
  const after = await settle(host);
  const [a, b, c, d] = [busy, before, attacked, after].map((value) => value.toFixed(0));
  console.log(
    `${name}: ${slowestMs.toFixed(1)} ms | ${a}, ${b} | ${c}, ${d} | ${(after / before).toFixed(2)}`,
  );
  await host.close();
}

/** A while without requests, before the attacks as after them. */
async function settle(host: ChildHost): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return megabytesOf(host);
}

async function levelOff(host: ChildHost, traffic: () => Promise<void>): Promise<number> {
  const seen: number[] = [];
  while (seen.length < MOST_ROUNDS) {
    await traffic();
    seen.push(megabytesOf(host));
    const latest = Math.max(...seen.slice(-LEVEL_ROUNDS));
    const earlier = Math.max(...seen.slice(0, -LEVEL_ROUNDS));
    if (latest < earlier * 1.02) break;
  }
  return seen.slice(-LEVEL_ROUNDS).sort((a, b) => a - b)[Math.floor(LEVEL_ROUNDS / 2)] ?? 0;
}

async function sendSmall(host: ChildHost): Promise<void> {
  for (let i = 0; i < 300; i++) await host.send(small);
}

function megabytesOf({ process: { pid } }: ChildHost): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

function tensorOf(rows: number): object {
  const data = Array.from({ length: rows }, () => flower.data).flat();
  return {
    inputs: [{ ...flower, shape: [rows, 4], data }],
    outputs: [{ name: 'logits', parameters: { binary_data: true } }],
  };
}

/** A tensor in bytes of this size, compressed. */
function compress(size: number): TestRequest {
  const tensor = { ...flower, shape: [size / 16, 4], data: undefined };
  const head = Buffer.from(JSON.stringify({ inputs: [tensor], parameters: { binary_data_output: true } }));
  const headers = { 'content-encoding': 'gzip', 'inference-header-content-length': String(head.length) };
  return raw(INFER, gzipSync(Buffer.concat([head, Buffer.alloc(size)])), headers);
}
