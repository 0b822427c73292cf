import { ConfigError } from '../../shared/config.ts';
import { type LogFields, roundMs } from '../../shared/monitoring/logger.ts';
import type { RequestRecord } from '../../shared/monitoring/request-record.ts';

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

type MetricName = keyof typeof METRICS;

const NAMES = Object.keys(METRICS).filter((name): name is MetricName => name in METRICS);

/** Each costs as much as any other metric of one's own, in each of its sets of dimensions. */
const USUAL: readonly MetricName[] = ['Requests', 'Errors', 'Duration', 'BatchSize', 'ColdStarts'];

/** Longest value of a dimension. Source: CloudWatch API, Dimension. */
const LONGEST_VALUE = 1024;

/** The variant of a version that takes all requests. */
const LIVE = 'live';

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
): ((record: RequestRecord) => LogFields) | undefined {
  if (chosen.length === 0) return undefined;
  return (record) => {
    const values = chosen.flatMap((name) => {
      const [unit, measure] = METRICS[name];
      const value = measure(record);
      return value === undefined ? [] : [{ name, unit, value }];
    });
    const { model, version } = record;
    const dimensions = model === undefined ? [[]] : [[], ['model'], ['model', 'version', 'variant']];
    const cut = (text: string | undefined) => text?.slice(0, LONGEST_VALUE);
    return {
      _aws: {
        Timestamp: Math.round(record.startedMs),
        CloudWatchMetrics: [
          {
            Namespace: 'Ternion',
            Dimensions: dimensions,
            Metrics: values.map(({ name, unit }) => ({ Name: name, Unit: unit })),
          },
        ],
      },
      ...(model !== undefined && { model: cut(model), version: cut(version), variant: LIVE }),
      ...Object.fromEntries(values.map(({ name, value }) => [name, value])),
    };
  };
}
