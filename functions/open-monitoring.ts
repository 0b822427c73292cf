import type { Config } from '../shared/config.ts';
import { makeSpanId } from '../shared/http/trace-context.ts';
import type { Logger } from '../shared/monitoring/logger.ts';
import {
  createMonitoring,
  type Monitoring,
  type MonitoringOptions,
} from '../shared/monitoring/monitoring.ts';
import { createRequestLog, type RequestLogOptions } from '../shared/monitoring/request-log.ts';

/** What counts requests for those who ask an instance, or what to do where nobody can ask one. */
export type HostMetrics = Pick<MonitoringOptions, 'openCollector'> | { readonly advice: string };

interface HostFacts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The name of this instance. */
  readonly instance: string;
  readonly metrics?: HostMetrics | undefined;
  /** Whether the process may be frozen or ended after an answer. */
  readonly isFrozen?: boolean;
}

/**
 * What is made of the records of requests on a host: lines of its log, metrics and spans.
 *
 * @param log how lines of metrics are made and written
 */
export function openMonitoring(
  { environment, instance, metrics, isFrozen = true }: HostFacts,
  config: Config,
  logger: Logger,
  log: Pick<RequestLogOptions, 'metrics' | 'writeMetrics'>,
): Monitoring {
  const openExporter = async () => {
    const { openExporter } = await import('../shared/monitoring/otlp/open-exporter.ts');
    const onProblem = (what: string, error: unknown) => logger.log('warn', what, { error });
    return await openExporter({ environment, instance, isFrozen, onProblem });
  };
  // A program can have its own tracer. Further variables say how, and are read with what sends.
  const isWanted =
    Symbol.for('opentelemetry.js.api.1') in globalThis ||
    Object.keys(environment).some((name) => /^OTEL_.+ENDPOINT$/.test(name));
  return createMonitoring({
    log: createRequestLog({ logger, sample: config.logSample, slowMs: config.logSlowMs, instance, ...log }),
    metrics: config.metrics,
    ...metrics,
    openExporter: isWanted ? openExporter : undefined,
  });
}

/** What the platform calls an instance, or a random name for one. */
export function instanceOf({
  AWS_LAMBDA_LOG_STREAM_NAME,
  WEBSITE_INSTANCE_ID,
}: HostFacts['environment']): string {
  return AWS_LAMBDA_LOG_STREAM_NAME ?? WEBSITE_INSTANCE_ID?.slice(0, 16) ?? makeSpanId();
}
