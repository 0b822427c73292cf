import { ConfigError } from '../../shared/config.ts';
import { type LogFields, roundMs } from '../../shared/monitoring/logger.ts';
import type { RequestRecord } from '../../shared/monitoring/request-record.ts';
import { addMeasured, type Measured } from '../../shared/usage.ts';

/** What CloudWatch can make of the line of a request: the unit and the value of each metric. */
const METRICS = {
  Requests: ['Count', () => 1],
  /** Failures of the server, and not mistakes of clients. */
  Errors: ['Count', ({ status }) => (status >= 500 ? 1 : 0)],
  Duration: ['Milliseconds', ({ totalMs }) => roundMs(totalMs)],
  BatchSize: ['Count', ({ runs, instances }) => (runs > 0 ? instances : undefined)],
  ColdStarts: ['Count', ({ coldStart }) => (coldStart ? 1 : 0)],
  ClientErrors: ['Count', ({ status }) => (status >= 400 && status < 500 ? 1 : 0)],
  LoadTime: ['Milliseconds', ({ runs, steps }) => (runs > 0 ? roundMs(steps.resolve) : undefined)],
  RunTime: ['Milliseconds', ({ runs, steps }) => (runs > 0 ? roundMs(steps.run) : undefined)],
  BytesIn: ['Bytes', ({ bytesIn }) => bytesIn],
  BytesOut: ['Bytes', ({ bytesOut }) => bytesOut],
} as const satisfies Record<
  string,
  readonly [unit: string, measure: (record: RequestRecord) => number | undefined]
>;

type OneName = keyof typeof METRICS;

/** What steps of own code count and measure: a metric for each of their names. */
const OWN = 'Own';

type MetricName = OneName | typeof OWN;

const ONES = Object.keys(METRICS).filter((name): name is OneName => name in METRICS);
const NAMES: readonly MetricName[] = [...ONES, OWN];

/** Each costs as much as any other metric of one's own, in each of its sets of dimensions. */
const USUAL: readonly MetricName[] = ['Requests', 'Errors', 'Duration', 'BatchSize', 'ColdStarts', OWN];

/** Longest value of a dimension. Source: CloudWatch API, Dimension. */
const LONGEST_VALUE = 1024;

/** The metrics that `EMF_METRICS` names; none of them with `none`. */
export function readEmbeddedMetrics({
  EMF_METRICS: text,
}: Readonly<Record<string, string | undefined>>): readonly MetricName[] {
  const words = text?.split(',').map((word) => word.trim()) ?? [];
  if (!text?.trim()) return USUAL;
  if (words.length === 1 && words[0] === 'none') return [];
  const unknown = words.filter((word) => !NAMES.some((name) => name === word));
  if (unknown.length > 0) {
    throw new ConfigError(
      `EMF_METRICS=${JSON.stringify(text)} must be names from ${NAMES.join(', ')}, or none.`,
    );
  }
  return NAMES.filter((name) => words.includes(name));
}

/**
 * Makes the members by which CloudWatch counts the line of a request: for the function, for each model, and for each
 * version of one. Source: CloudWatch, embedded metric format specification.
 */
export function createEmbeddedMetrics(
  chosen: readonly MetricName[],
): ((record: RequestRecord) => LogFields | undefined) | undefined {
  if (chosen.length === 0) return undefined;
  const ones = ONES.filter((name) => chosen.includes(name));
  return (record) => {
    const values = ones.flatMap((name) => {
      const [unit, measure] = METRICS[name];
      const value = measure(record);
      return value === undefined ? [] : [{ name, unit, value }];
    });
    const own = chosen.includes(OWN) ? ownValues(record) : [];
    if (values.length === 0 && own.length === 0) return undefined;
    const { model, version, variant } = record;
    const dimensions = model === undefined ? [[]] : [[], ['model'], ['model', 'version', 'variant']];
    const cut = (text: string | undefined) => text?.slice(0, LONGEST_VALUE);
    return {
      _aws: {
        Timestamp: Math.round(record.startedMs),
        CloudWatchMetrics: [
          ...(values.length > 0 ? [directive(dimensions, values)] : []),
          ...(own.length > 0 ? [directive([['model']], own)] : []),
        ],
      },
      ...(model !== undefined && { model: cut(model), version: cut(version), variant }),
      ...Object.fromEntries([...values, ...own].map(({ name, value }) => [name, value])),
    };
  };
}

interface MetricValue {
  readonly name: string;
  readonly unit: string;
  readonly value: number | Statistics;
}

/** Several values of a metric. Source: AWS's exporters of OpenTelemetry to the embedded metric format. */
interface Statistics {
  readonly Count: number;
  readonly Sum: number;
  readonly Min: number;
  readonly Max: number;
}

function directive(dimensions: readonly (readonly string[])[], values: readonly MetricValue[]): object {
  return {
    Namespace: 'Ternion',
    Dimensions: dimensions,
    Metrics: values.map(({ name, unit }) => ({ Name: name, Unit: unit })),
  };
}

/** The rest of what writes and reads keys is loaded with own code alone. */
function nameOf(key: string): string {
  return key.replace(/\{.*/, '');
}

/**
 * What steps counted and measured, each name once: a value of a label would be a metric of its own, with its price. A
 * request has at most 32 names of each kind, and CloudWatch takes 100.
 */
function ownValues({ counts, observations }: RequestRecord): readonly MetricValue[] {
  const sums = new Map<string, number>();
  for (const [key, count] of counts ?? []) {
    const name = nameOf(key);
    sums.set(name, (sums.get(name) ?? 0) + count);
  }
  const all = new Map<string, Measured>();
  for (const [key, measured] of observations ?? []) {
    const name = nameOf(key);
    const known = all.get(name);
    all.set(name, known ? addMeasured(known, measured) : measured);
  }
  return [
    ...[...sums].map(([name, value]) => ({ name: `count_${name}`, unit: 'Count', value })),
    ...[...all].map(([name, { count, sum, least, largest }]) => ({
      name: `value_${name}`,
      unit: 'None',
      value: count === 1 ? sum : { Count: count, Sum: sum, Min: least, Max: largest },
    })),
  ];
}
