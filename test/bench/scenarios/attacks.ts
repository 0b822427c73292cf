import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { get, post, raw } from '../../contracts/exchanges.ts';
import { ATTACKS } from '../../support/hosts/attacks.ts';
import { type ChildHost, openFunctionsFramework } from '../../support/hosts/child-process.ts';
import type { TestRequest } from '../../support/hosts/test-host.ts';
import { NODE_FLAGS } from '../../support/node-flags.ts';
import { usageOf } from '../process-usage.ts';
import type { Bench, Scenario } from '../scenario.ts';

const AFTER = 'after the attacks';
const BEFORE = 'before the attacks';
/** Memory has levelled off when this many rounds of traffic together raise its peak by less than 2 %. */
const LEVEL_ROUNDS = 5;
const ENVIRONMENT = { MAX_BODY_BYTES: '33554432', NODE_OPTIONS: NODE_FLAGS.join(' ') };
const INFER = '/v2/models/iris/infer';

export const attacks: Scenario = {
  name: 'attacks',
  title: 'Hostile and broken clients',
  about:
    'Each attack is made several times on a server in the functions framework that has seen similar honest traffic until its ' +
    'memory levelled off. Memory is read after some seconds without requests, before and after the attacks. "Alive" is the ' +
    'longest time of a request right after an attack.',
  contenders: [
    { name: AFTER, role: 'ours' },
    { name: BEFORE, role: 'limit' },
  ],
  plot: 'settled',
  run: async (bench) => {
    for (const [name, attack] of Object.entries(ATTACKS).slice(0, bench.isQuick ? 3 : undefined)) {
      bench.progress(name);
      const host = await openFunctionsFramework('local', ENVIRONMENT);
      bench.defer(() => host.close());
      await levelOff(bench, host, async () => {
        for (let index = 0; index < 300; index++) await host.send(small);
        await TRAFFIC[name]?.(host);
      });
      bench.record(name, 'settled', BEFORE, await settle(bench, host));
      let slowestMs = 0;
      // Memory that is kept after one attack adds up.
      for (let index = 0; index < 3; index++) {
        await attack(host.port);
        const startMs = performance.now();
        await host.send(get('/v2/health/live'));
        slowestMs = Math.max(slowestMs, performance.now() - startMs);
      }
      bench.record(name, 'settled', AFTER, await settle(bench, host));
      bench.record(`alive after ${name}`, 'p99', AFTER, slowestMs);
    }
  },
};

const flower = { name: 'features', datatype: 'FP32', shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] };
const small = post(INFER, { inputs: [flower] });
/** What honest clients send that is like an attack; by default one request at a time, and this often. */
const large = post(INFER, tensorOf(12_500));
const compressed = compress(20_000_000);
const TRAFFIC: Readonly<Record<string, (host: ChildHost) => Promise<void>>> = {
  'a million nested brackets': async (host) => {
    for (let index = 0; index < 10; index++) await host.send(large);
  },
  '20 MB of zeros compressed': async (host) => {
    for (let index = 0; index < 3; index++) await host.send(compressed);
  },
  'a thousand connections at once': async (host) => {
    for (let index = 0; index < 5; index++)
      await Promise.all(Array.from({ length: 50 }, () => host.send(small)));
  },
};

/** Some seconds without requests, before the attacks as after them. */
async function settle({ isQuick }: Bench, host: ChildHost): Promise<number> {
  await sleep(isQuick ? 1_000 : 5_000);
  return residentOf(host);
}

async function levelOff({ isQuick }: Bench, host: ChildHost, traffic: () => Promise<void>): Promise<void> {
  const seen: number[] = [];
  const most = isQuick ? 1 : 60;
  while (seen.length < most) {
    await traffic();
    seen.push(residentOf(host));
    const latest = Math.max(...seen.slice(-LEVEL_ROUNDS));
    if (latest < Math.max(...seen.slice(0, -LEVEL_ROUNDS)) * 1.02) return;
  }
}

function residentOf({ process: { pid = 0 } }: ChildHost): number {
  return usageOf(pid).residentMegabytes;
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
