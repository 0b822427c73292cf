import { Agent } from 'node:http';
import type { LoadRequest } from './load/load.ts';
import type { ServerContender } from './measure-load.ts';
import { serverOf, startAll } from './measure-load.ts';
import { type Bench, inTurn } from './scenario.ts';
import { ask } from './servers.ts';
import { latenciesOf } from './statistics.ts';

export interface LatencyCondition {
  readonly name: string;
  /** By the name of the contender; others have no part in this condition. */
  readonly requests: Readonly<Record<string, LoadRequest>>;
  /** How many requests each contender gets in each round. */
  readonly count: number;
}

/**
 * For requests that take many milliseconds: the contenders get single requests in turns, one at a time, so that other
 * load on the machine affects all of them. Then reads their memory.
 *
 * @throws Error for an answer with another status than 200
 */
export async function measureLatency(
  bench: Bench,
  contenders: readonly ServerContender[],
  conditions: readonly LatencyCondition[],
): Promise<void> {
  const servers = await startAll(bench, contenders, []);
  const agent = new Agent({ keepAlive: true });
  bench.defer(() => agent.destroy());
  for (const { name, requests, count } of conditions) {
    const present = Object.entries(requests);
    const send = async (contender: string, request: LoadRequest) => {
      const { status, ms, body } = await ask(serverOf(servers, contender).port, request, agent);
      if (status === 200) return ms;
      throw new Error(`${contender} answered ${status} to ${name}: ${body.toString()}`);
    };
    for (const [contender, request] of present) await send(contender, request);
    for (let round = 0; round < bench.rounds; round++) {
      bench.progress(`${name}, round ${round + 1} of ${bench.rounds}`);
      const times = new Map(present.map(([contender]): [string, number[]] => [contender, []]));
      const cpu = new Map(present.map(([contender]): [string, number] => [contender, 0]));
      for (let index = 0; index < count; index++) {
        for (const [contender, request] of inTurn(present, index + round)) {
          const server = serverOf(servers, contender);
          const before = server.usage().cpuSeconds;
          times.get(contender)?.push(await send(contender, request));
          cpu.set(contender, (cpu.get(contender) ?? 0) + server.usage().cpuSeconds - before);
        }
      }
      for (const [contender] of present) {
        const { p50, p95, p99 } = latenciesOf(times.get(contender) ?? []);
        bench.record(name, 'p50', contender, p50);
        bench.record(name, 'p95', contender, p95);
        bench.record(name, 'p99', contender, p99);
        bench.record(name, 'cpu', contender, ((cpu.get(contender) ?? 0) / count) * 1000);
      }
    }
  }
  for (const { name } of contenders) {
    bench.record('at the end', 'pss', name, serverOf(servers, name).usage().pssMegabytes);
  }
}
