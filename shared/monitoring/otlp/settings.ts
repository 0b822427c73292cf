import { ConfigError } from '../../config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What goes to a collector on its own path, with its own variables. */
export type Signal = 'traces' | 'metrics';

/** How one signal goes to a collector. */
export interface SignalSettings {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Longest time for one request to the collector. */
  readonly timeoutMs: number;
  readonly isCompressed: boolean;
}

/** Which traces are recorded. */
export interface SamplerSettings {
  /** The share of traces that are recorded if their caller has not decided, from 0 to 1. */
  readonly share: number;
  /** Whether the decision of a caller counts. */
  readonly followsParent: boolean;
}

/** What a number that is sent says: what came since the last one, or all since the start of the process. */
export type Temporality = 'delta' | 'cumulative';

/** How metrics are made for a collector. */
export interface MetricSettings {
  /** Undefined: as the host needs it. */
  readonly temporality: Temporality | undefined;
  /** Time between two of them; undefined: as the host needs it. */
  readonly intervalMs: number | undefined;
}

/** Samplers by their share of traces; undefined: that of `OTEL_TRACES_SAMPLER_ARG`. */
const SAMPLERS: ReadonlyMap<string, number | undefined> = new Map([
  ['always_on', 1],
  ['always_off', 0],
  ['traceidratio', undefined],
]);

const PARENT = 'parentbased_';

/** All metrics here are counters and histograms, for which the last two are the same. */
const TEMPORALITIES: ReadonlyMap<string, Temporality> = new Map([
  ['cumulative', 'cumulative'],
  ['delta', 'delta'],
  ['lowmemory', 'delta'],
]);

/** Source: OpenTelemetry specification, OTLP exporter. */
const TIMEOUT_MS = 10_000;

/** Whether variables ask for a signal, without a look at whether they are right. */
export function wants(environment: Environment, signal: Signal): boolean {
  const name = signal.toUpperCase();
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all } = environment;
  const exporters = environment[`OTEL_${name}_EXPORTER`]?.trim() || 'otlp';
  const isOff = environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true';
  const own = environment[`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`];
  return !isOff && /\botlp\b/.test(exporters) && Boolean(all?.trim() || own?.trim());
}

/**
 * Reads how a signal goes to a collector. Source: OpenTelemetry specification, OTLP exporter.
 *
 * @throws ConfigError naming the variable, what it holds and what is expected
 */
export function readSignal(environment: Environment, signal: Signal): SignalSettings {
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_`;
  /** The variable of the signal goes before the common one. */
  const read = (name: string) => {
    const variable =
      textOf(environment, own + name) === undefined ? `OTEL_EXPORTER_OTLP_${name}` : own + name;
    return { variable, value: textOf(environment, variable) };
  };
  const protocol = read('PROTOCOL');
  if (protocol.value !== undefined && !protocol.value.startsWith('http/')) {
    throw new ConfigError(
      `${protocol.variable}=${JSON.stringify(protocol.value)} is not supported; expected http/json or http/protobuf, for which JSON is sent.`,
    );
  }
  const compression = read('COMPRESSION');
  if (!['gzip', 'none', undefined].includes(compression.value)) {
    throw new ConfigError(
      `${compression.variable}=${JSON.stringify(compression.value)} must be gzip or none.`,
    );
  }
  const headers = read('HEADERS');
  const timeout = read('TIMEOUT');
  return {
    url: readUrl(read('ENDPOINT'), signal),
    headers: readPairs(headers.variable, headers.value),
    timeoutMs: readMilliseconds(timeout.variable, timeout.value) ?? TIMEOUT_MS,
    isCompressed: compression.value === 'gzip',
  };
}

function textOf(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}

/** The path of the signal is added to the common endpoint alone. */
function readUrl(
  { variable, value }: { readonly variable: string; readonly value: string | undefined },
  signal: Signal,
): URL {
  const isCommon = variable === 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const url = URL.parse(isCommon ? `${value?.replace(/\/$/, '')}/v1/${signal}` : (value ?? ''));
  if (url && /^https?:$/.test(url.protocol)) return url;
  // The log must not have a password.
  const shown = JSON.stringify(value?.replace(/[^/]*@/, '...@'));
  throw new ConfigError(`${variable}=${shown} must be a URL that begins with http:// or https://.`);
}

/**
 * The attributes that an operator gives the process: `service.name` and others.
 *
 * @throws ConfigError
 */
export function readResource(environment: Environment): Readonly<Record<string, string>> {
  const name = textOf(environment, 'OTEL_SERVICE_NAME');
  return {
    'service.name': 'ternion',
    ...readPairs('OTEL_RESOURCE_ATTRIBUTES', textOf(environment, 'OTEL_RESOURCE_ATTRIBUTES')),
    ...(name !== undefined && { 'service.name': name }),
  };
}

/**
 * Which traces are recorded. Source: OpenTelemetry specification, environment variables.
 *
 * @throws ConfigError
 */
export function readSampler(environment: Environment): SamplerSettings {
  const sampler = textOf(environment, 'OTEL_TRACES_SAMPLER') ?? `${PARENT}always_on`;
  const root = sampler.replace(PARENT, '');
  if (!SAMPLERS.has(root)) {
    const names = [...SAMPLERS.keys()].flatMap((name) => [name, PARENT + name]);
    throw new ConfigError(
      `OTEL_TRACES_SAMPLER=${JSON.stringify(sampler)} must be one of ${names.join(', ')}.`,
    );
  }
  return {
    share: SAMPLERS.get(root) ?? readShare(textOf(environment, 'OTEL_TRACES_SAMPLER_ARG')),
    followsParent: sampler.startsWith(PARENT),
  };
}

function readShare(text: string | undefined): number {
  const share = Number(text ?? 1);
  if (share >= 0 && share <= 1) return share;
  throw new ConfigError(`OTEL_TRACES_SAMPLER_ARG=${JSON.stringify(text)} must be a number from 0 to 1.`);
}

/**
 * How metrics are made. Source: OpenTelemetry specification, environment variables and OTLP exporter of metrics.
 *
 * @throws ConfigError
 */
export function readMetricSettings(environment: Environment): MetricSettings {
  const preference = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
  const interval = 'OTEL_METRIC_EXPORT_INTERVAL';
  const text = textOf(environment, preference)?.toLowerCase();
  const temporality = text === undefined ? undefined : TEMPORALITIES.get(text);
  if (text !== undefined && temporality === undefined) {
    const names = [...TEMPORALITIES.keys()].join(', ');
    throw new ConfigError(`${preference}=${JSON.stringify(text)} must be one of ${names}.`);
  }
  return { temporality, intervalMs: readMilliseconds(interval, textOf(environment, interval)) };
}

function readMilliseconds(variable: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return Number(text);
  throw new ConfigError(`${variable}=${JSON.stringify(text)} must be a number of milliseconds, at least 1.`);
}

/** `a=1,b=two%20words`. The message does not repeat the values, which may be secret. */
function readPairs(name: string, text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  const pairs = text.split(',').filter((pair) => pair.trim() !== '');
  return Object.fromEntries(
    pairs.map((pair) => {
      const [, key, value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      if (key === undefined) {
        throw new ConfigError(`${name} must be pairs with "=", separated by commas, such as key=value.`);
      }
      return [key, decode(value)];
    }),
  );
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
