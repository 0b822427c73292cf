import { ConfigError } from '../../config.ts';

/** Where spans go, and which. */
export interface OtlpSettings {
  readonly tracesUrl: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes of the process: `service.name` and those that its operator adds. */
  readonly resource: Readonly<Record<string, string>>;
  /** The share of traces that are recorded if their caller has not decided, from 0 to 1. */
  readonly share: number;
  /** Whether the decision of a caller counts. */
  readonly followsParent: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Samplers by their share of traces; undefined: that of `OTEL_TRACES_SAMPLER_ARG`. */
const SAMPLERS: ReadonlyMap<string, number | undefined> = new Map([
  ['always_on', 1],
  ['always_off', 0],
  ['traceidratio', undefined],
]);

const PARENT = 'parentbased_';

/** Whether variables ask for spans, without a look at whether they are right. */
export function wantsSpans(environment: Environment): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: all, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: traces } = environment;
  const isOff =
    environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' ||
    environment.OTEL_TRACES_EXPORTER?.trim() === 'none';
  return !isOff && Boolean(all?.trim() || traces?.trim());
}

/**
 * Reads the variables of OpenTelemetry. Source: OpenTelemetry specification, environment variables and OTLP exporter.
 *
 * @throws ConfigError naming the variable, what it holds and what is expected
 */
export function readOtlpSettings(environment: Environment): OtlpSettings {
  const read = (name: string) => environment[name]?.trim() || undefined;
  const signal = (name: string) =>
    read(`OTEL_EXPORTER_OTLP_TRACES_${name}`) ?? read(`OTEL_EXPORTER_OTLP_${name}`);
  const protocol = signal('PROTOCOL');
  if (protocol !== undefined && !protocol.startsWith('http/')) {
    throw new ConfigError(
      `OTEL_EXPORTER_OTLP_PROTOCOL=${JSON.stringify(protocol)} is not supported; expected http/json or http/protobuf, for which JSON is sent.`,
    );
  }
  const sampler = read('OTEL_TRACES_SAMPLER') ?? `${PARENT}always_on`;
  const root = sampler.replace(PARENT, '');
  if (!SAMPLERS.has(root)) {
    const names = [...SAMPLERS.keys()].flatMap((name) => [name, PARENT + name]);
    throw new ConfigError(
      `OTEL_TRACES_SAMPLER=${JSON.stringify(sampler)} must be one of ${names.join(', ')}.`,
    );
  }
  return {
    tracesUrl: readUrl(read),
    headers: readPairs('OTEL_EXPORTER_OTLP_HEADERS', signal('HEADERS')),
    resource: {
      'service.name': 'ternion',
      ...readPairs('OTEL_RESOURCE_ATTRIBUTES', read('OTEL_RESOURCE_ATTRIBUTES')),
      ...(read('OTEL_SERVICE_NAME') !== undefined && { 'service.name': read('OTEL_SERVICE_NAME') ?? '' }),
    },
    share: SAMPLERS.get(root) ?? readShare(read('OTEL_TRACES_SAMPLER_ARG')),
    followsParent: sampler.startsWith(PARENT),
  };
}

/** The path of the signal is added to the common endpoint alone. */
function readUrl(read: (name: string) => string | undefined): URL {
  const own = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const common = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const text = own ?? `${common?.replace(/\/$/, '')}/v1/traces`;
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return url;
  const name = own === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';
  throw new ConfigError(
    `${name}=${JSON.stringify(own ?? common)} must be a URL that begins with http:// or https://.`,
  );
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

function readShare(text: string | undefined): number {
  const share = Number(text ?? 1);
  if (share >= 0 && share <= 1) return share;
  throw new ConfigError(`OTEL_TRACES_SAMPLER_ARG=${JSON.stringify(text)} must be a number from 0 to 1.`);
}
