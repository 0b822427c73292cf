import { type Report, resourceOf } from './collector-client.ts';
import type { Exporter } from './exporter.ts';
import { createGlobalTracer, findGlobalApi } from './global-tracer.ts';
import { describeHost } from './resource.ts';
import { readMetricSettings, readResource, readSampler, readSignal, wants } from './settings.ts';

export interface ExporterOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Identifies the process. */
  readonly instance: string;
  /** Whether the process may be frozen after an answer: all is then sent with each request. */
  readonly isFrozen: boolean;
  /** Gets what keeps spans and metrics from a collector, each at most once a minute. */
  readonly onProblem: Report;
}

const QUIET_MS = 60_000;

/**
 * Opens what the variables of OpenTelemetry ask for, and what gives spans to the tracer that a program has registered.
 *
 * @throws ConfigError for variables that cannot be used
 */
export async function openExporter({
  environment,
  instance,
  isFrozen,
  onProblem,
}: ExporterOptions): Promise<Exporter | undefined> {
  const resource = () =>
    resourceOf({
      'service.instance.id': instance,
      ...describeHost(environment, instance),
      ...readResource(environment),
    });
  const exporters: Exporter[] = [];
  const api = findGlobalApi();
  if (api) exporters.push(createGlobalTracer(api, isFrozen));
  // A program that has a tracer sends its spans itself.
  if (exporters.length === 0 && wants(environment, 'traces')) {
    const { createSpanExporter } = await import('./span-exporter.ts');
    exporters.push(
      createSpanExporter({
        settings: readSignal(environment, 'traces'),
        sampler: readSampler(environment),
        resource: resource(),
        isFrozen,
        report: createReport(onProblem),
      }),
    );
  }
  if (wants(environment, 'metrics')) {
    const { createMetricExporter } = await import('./metric-exporter.ts');
    exporters.push(
      createMetricExporter({
        settings: readSignal(environment, 'metrics'),
        ...readMetricSettings(environment),
        resource: resource(),
        isFrozen,
        report: createReport(onProblem),
      }),
    );
  }
  return exporters.length > 0 ? join(exporters) : undefined;
}

/** Says the same once a minute. */
function createReport(onProblem: Report): Report {
  let quietUntilMs = 0;
  return (what, error) => {
    const nowMs = performance.now();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + QUIET_MS;
    onProblem(what, error);
  };
}

function join(exporters: readonly Exporter[]): Exporter {
  return {
    trace: exporters.find(({ trace }) => trace)?.trace,
    request: (record, context) => {
      for (const each of exporters) each.request(record, context);
    },
    load: (load) => {
      for (const each of exporters) each.load?.(load);
    },
    shadow: (run) => {
      for (const each of exporters) each.shadow?.(run);
    },
    ready: () => {
      for (const each of exporters) each.ready?.();
    },
    close: async () => {
      await Promise.all(exporters.map((each) => each.close()));
    },
  };
}
