import { findLoadGenerator, type LoadRequest } from './load/load.ts';
import { type Bench, inTurn } from './scenario.ts';
import { type MeasuredServer, type ServerCommand, startServer } from './servers.ts';

/** A contender that listens. */
export interface ServerContender extends ServerCommand {
  readonly name: string;
  /** What it gets instead of the requests of the condition. */
  readonly requests?: readonly LoadRequest[];
}

export interface LoadCondition {
  readonly name: string;
  readonly requests: readonly LoadRequest[];
  readonly connections: number;
  /** How many of the requests have a mistake on purpose; none by default. */
  readonly mistakes?: number;
}

/**
 * Starts all servers, and puts each under load in every round and condition. Then reads their memory.
 *
 * @throws Error if a contender answers the first request with another status than 200
 */
export async function measureUnderLoad(
  bench: Bench,
  contenders: readonly ServerContender[],
  conditions: readonly LoadCondition[],
): Promise<void> {
  const generator = findLoadGenerator();
  const servers = await startAll(bench, contenders, conditions[0]?.requests ?? []);
  bench.progress('warms up');
  const busiest = conditions.toSorted((a, b) => b.connections - a.connections)[0];
  for (const { name, requests = busiest?.requests ?? [] } of contenders) {
    const { port } = serverOf(servers, name);
    const connections = busiest?.connections ?? 1;
    await generator.run({ port, requests, connections, seconds: bench.isQuick ? 2 : 4 });
  }
  for (const condition of conditions) {
    for (let round = 0; round < bench.rounds; round++) {
      bench.progress(`${condition.name}, round ${round + 1} of ${bench.rounds}`);
      for (const { name, requests = condition.requests } of inTurn(contenders, round)) {
        const server = serverOf(servers, name);
        const before = server.usage().cpuSeconds;
        const { port } = server;
        const { connections } = condition;
        const result = await generator.run({ port, requests, connections, seconds: bench.seconds });
        const used = server.usage().cpuSeconds - before;
        bench.record(condition.name, 'rate', name, result.requestsPerSecond);
        bench.record(condition.name, 'p50', name, result.p50);
        bench.record(condition.name, 'p95', name, result.p95);
        bench.record(condition.name, 'p99', name, result.p99);
        bench.record(condition.name, 'cpu', name, (used / result.requests) * 1000);
        const { mistakes = 0 } = condition;
        const expected = (result.requests * mistakes) / requests.length;
        // The turns of the requests are not complete at the end.
        const failed = mistakes === 0 ? result.errors : Math.max(0, result.errors - expected - connections);
        if (failed > 0) bench.note(`${name}, ${condition.name}: ${Math.ceil(failed)} requests failed.`);
      }
    }
  }
  for (const { name } of contenders) {
    bench.record('at the end', 'pss', name, serverOf(servers, name).usage().pssMegabytes);
  }
}

/** Starts each server once it is its turn, and stops all at the end of the scenario. */
export async function startAll(
  bench: Bench,
  contenders: readonly ServerContender[],
  first: readonly LoadRequest[],
): Promise<ReadonlyMap<string, MeasuredServer>> {
  const servers = new Map<string, MeasuredServer>();
  for (const { name, requests: [request] = first, ...command } of contenders) {
    if (request === undefined) throw new Error(`there is no request for ${name}`);
    bench.progress(`starts ${name}`);
    const server = await startServer(command, request);
    bench.defer(() => server.stop());
    servers.set(name, server);
  }
  return servers;
}

export function serverOf(servers: ReadonlyMap<string, MeasuredServer>, name: string): MeasuredServer {
  const server = servers.get(name);
  if (!server) throw new Error(`${name} was not started`);
  return server;
}
