import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { pointsIn, type SentPoint, type SentSpan, spansIn } from '../../support/otlp-collector.ts';
import { startServer } from '../start-server.ts';
import { counterpart, programOf } from './counterpart.ts';

/** What a real collector has taken. */
export interface Taken {
  readonly spans: () => readonly SentSpan[];
  readonly points: (name: string) => readonly SentPoint[];
}

/** Starts a collector that writes all that it takes to a file; it ends with the test. */
export async function startCollector(port: number): Promise<Taken> {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-collector-'));
  const file = join(folder, 'taken.jsonl');
  const pipeline = { receivers: ['otlp'], exporters: ['file'] };
  const settings = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { file: { path: file, flush_interval: '50ms' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: pipeline, metrics: pipeline },
    },
  };
  const server = await startServer(
    {
      ...counterpart,
      environment: { COLLECTOR_SETTINGS: JSON.stringify(settings) },
      start: (installed) => [programOf(installed), '--config=env:COLLECTOR_SETTINGS'],
    },
    port,
  );
  onTestFinished(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });
  /** What follows the last end of a line is not written completely. */
  const lines = () => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return {
    spans: () => lines().flatMap(spansIn),
    points: (name) =>
      lines()
        .flatMap(pointsIn)
        .filter((point) => point.name === name),
  };
}
