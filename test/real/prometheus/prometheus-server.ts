import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart, programOf } from './counterpart.ts';

export interface Prometheus {
  readonly url: string;
  /** @param seconds when, since the epoch */
  query(expression: string, seconds: number): Promise<readonly QueryResult[]>;
  /** The values of a query at the times of a range, in seconds since the epoch. */
  queryRange(expression: string, range: Range): Promise<readonly RangeResult[]>;
  /** Waits until each target was read completely after a moment, and gives a moment up to which no reading is still to come. */
  readAfter(seconds: number): Promise<number>;
  /** Waits until all rules were evaluated after a moment. */
  evaluatedAfter(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** One series of an answer. */
export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** One series of an answer, at several times. */
export interface RangeResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: number])[];
}

const RANGE_ANSWER = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({
        metric: z.record(z.string(), z.string()),
        values: z.array(z.tuple([z.number(), z.string()])),
      }),
    ),
  }),
});

const ANSWER = z.object({
  status: z.literal('success'),
  data: z.object({
    result: z.array(
      z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
    ),
  }),
});

const RULES = z.object({
  data: z.object({ groups: z.array(z.object({ lastEvaluation: z.string() })) }),
});

const TARGETS = z.object({ data: z.object({ activeTargets: z.array(z.unknown()) }) });

const MOST_WAIT_MS = 30_000;

/** Starts Prometheus with a configuration in YAML. */
export async function startPrometheus(configuration: string): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-prometheus-'));
  const file = join(folder, 'prometheus.yml');
  await writeFile(file, configuration);
  const server: RunningServer = await startServer({
    ...counterpart,
    start: (installed, port) => [
      programOf(installed, 'prometheus'),
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage,promql-negative-offset',
    ],
  });

  async function ask(path: string, query: string, times: Readonly<Record<string, number>>): Promise<unknown> {
    const body = new URLSearchParams({ query });
    for (const [name, value] of Object.entries(times)) body.set(name, String(value));
    const response = await fetch(`${server.url}/api/v1/${path}`, { method: 'POST', body });
    const json: unknown = await response.json();
    if (!response.ok) throw new Error(`Prometheus refuses ${query}: ${JSON.stringify(json)}`);
    return json;
  }

  async function query(expression: string, seconds: number): Promise<readonly QueryResult[]> {
    const { data } = ANSWER.parse(await ask('query', expression, { time: seconds }));
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value: toNumber(value) }));
  }

  return {
    url: server.url,
    query,
    queryRange: async (expression, range) => {
      const { data } = RANGE_ANSWER.parse(await ask('query_range', expression, { ...range }));
      return data.result.map(({ metric, values }) => ({
        metric,
        values: values.map(([seconds, value]) => [seconds, toNumber(value)] as const),
      }));
    },
    readAfter: async (seconds) => {
      const lastMs = performance.now() + MOST_WAIT_MS;
      let readSeconds: number | undefined;
      for (;;) {
        const response = await fetch(`${server.url}/api/v1/targets?state=active`);
        const { activeTargets } = TARGETS.parse(await response.json()).data;
        const read = await query('timestamp(up) * up', Date.now() / 1000);
        const times = read.map(({ value }) => value);
        const earliest = Math.min(...times);
        // A reading is there when it has ended, and has the time of its beginning: one that begins earlier can come later.
        if (readSeconds !== undefined && earliest > readSeconds) return readSeconds;
        // A target has no time before its first reading.
        const areAll = times.length > 0 && times.length === activeTargets.length;
        if (areAll && earliest > seconds) readSeconds ??= Math.max(...times);
        if (performance.now() > lastMs) throw new Error(`Prometheus did not read: ${JSON.stringify(read)}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    evaluatedAfter: async (seconds) => {
      const lastMs = performance.now() + MOST_WAIT_MS;
      for (;;) {
        const { data } = RULES.parse(await (await fetch(`${server.url}/api/v1/rules`)).json());
        const times = data.groups.map(({ lastEvaluation }) => Date.parse(lastEvaluation) / 1000);
        if (times.length > 0 && Math.min(...times) > seconds) return;
        if (performance.now() > lastMs) throw new Error(`Prometheus did not evaluate: ${times}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function toNumber(text: string): number {
  return Number(text.replace('Inf', 'Infinity'));
}
