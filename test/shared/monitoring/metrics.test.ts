import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { createCollector } from '../../../shared/monitoring/metrics/collector.ts';
import { counter, gauge, histogram } from '../../../shared/monitoring/metrics/family.ts';
import {
  addValue,
  bucketsOf,
  createHistogram,
  mergeHistograms,
} from '../../../shared/monitoring/metrics/histogram.ts';
import type { Collector } from '../../../shared/monitoring/metrics/series.ts';
import { writeOpenMetrics, writePrometheus } from '../../../shared/monitoring/metrics/write-text.ts';
import { makeRecord } from '../../support/make-record.ts';

describe('a histogram', () => {
  it('counts a value at the end of a bucket in it, as Prometheus does', () => {
    const values = createHistogram([1, 2, 5]);
    for (const value of [0, 1, 1.5, 2, 2.000_1, 5, 6, 100]) addValue(values, value);
    expect(bucketsOf(values, [1, 2, 5]).map(({ bound, count }) => [bound, count])).toEqual([
      [1, 2],
      [2, 4],
      [5, 6],
      [Number.POSITIVE_INFINITY, 8],
    ]);
    expect(values.sum).toBeCloseTo(117.5001, 6);
  });

  it('has the same counts below each bound, whichever other bounds it has', () => {
    const [few, many] = [createHistogram([1, 4]), createHistogram([0.5, 1, 2, 3, 4, 9])];
    for (let value = 0; value < 10; value += 0.37) {
      addValue(few, value);
      addValue(many, value);
    }
    const counts = (each: typeof few) => bucketsOf(each, [1, 4]).map(({ count }) => count);
    expect(counts(many)).toEqual(counts(few));
  });

  it('is the sum of others, with the latest exemplars', () => {
    const [one, two] = [createHistogram([1]), createHistogram([1])];
    addValue(one, 0.5);
    addValue(two, 3);
    addValue(two, 0.25);
    one.exemplars[0] = { traceId: 'a', value: 0.5, atMs: 1 };
    two.exemplars[0] = { traceId: 'b', value: 0.25, atMs: 2 };
    const merged = mergeHistograms([one, two]);
    expect(merged).toMatchObject({ counts: [2, 1], sum: 3.75 });
    expect(merged?.exemplars[0]?.traceId).toBe('b');
    expect(one.counts).toEqual([1, 0]);
    expect(mergeHistograms([])).toBeUndefined();
  });
});

describe('the text of metrics', () => {
  const values = createHistogram([0.001, 1]);
  addValue(values, 0.5);
  values.exemplars[1] = { traceId: 'abc', value: 0.5, atMs: 1_700_000_000_123 };
  const families = [
    counter('a', 'A "quoted"\nhelp \\ text.', [[{ path: 'a\\b"c\nd' }, 3]]),
    gauge('b', 'B.', [[{}, Number.NaN]]),
    gauge('unused', 'No numbers.', []),
    histogram('c_ms', 'C.', [[{ model: 'iris' }, values]], [0.001, 1], 1000),
  ];

  it('is that of Prometheus', () => {
    expect(writePrometheus(families)).toBe(
      [
        '# HELP a_total A "quoted"\\nhelp \\\\ text.',
        '# TYPE a_total counter',
        'a_total{path="a\\\\b\\"c\\nd"} 3',
        '# HELP b B.',
        '# TYPE b gauge',
        'b NaN',
        '# HELP c_ms C.',
        '# TYPE c_ms histogram',
        'c_ms_bucket{model="iris",le="1"} 0',
        'c_ms_bucket{model="iris",le="1000"} 1',
        'c_ms_bucket{model="iris",le="+Inf"} 1',
        'c_ms_sum{model="iris"} 500',
        'c_ms_count{model="iris"} 1',
        '',
      ].join('\n'),
    );
  });

  it('is that of OpenMetrics, with exemplars', () => {
    const lines = writeOpenMetrics(families).split('\n');
    expect(lines.slice(1, 3)).toEqual(['# TYPE a counter', 'a_total{path="a\\\\b\\"c\\nd"} 3']);
    expect(lines).toContain('c_ms_bucket{model="iris",le="1000"} 1 # {trace_id="abc"} 500 1700000000.123');
    expect(lines.slice(-2)).toEqual(['# EOF', '']);
  });
});

describe('the metrics of a server', () => {
  async function open() {
    const collector = await createCollector(['ternion']);
    const state = {
      collector,
      inProgress: 2,
      waiting: 5,
      sessions: { count: 3, bytes: 4096 },
      version: '1.2.3',
    };
    return {
      collector,
      text: () => writePrometheus(collector.names.flatMap((each) => each.families(state))),
    };
  }

  /** The sum of all numbers of a metric with some labels. */
  function sumOf(text: string, name: string, labels = ''): number {
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => line.includes(labels))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  it('count each request once, by protocol, route, model and status', async () => {
    const { collector, text } = await open();
    const error = new InferenceError('BAD_REQUEST', 'no');
    for (let index = 0; index < 10; index++) collector.request(makeRecord());
    for (let index = 0; index < 4; index++) {
      collector.request(makeRecord({ status: 400, error, runs: 0, model: undefined, version: undefined }));
    }
    collector.request(makeRecord({ protocol: 'mlflow', route: '/invocations', coldStart: true }));
    const written = text();
    expect(sumOf(written, 'ternion_requests_total')).toBe(15);
    expect(sumOf(written, 'ternion_requests_total', 'status="400"')).toBe(4);
    expect(sumOf(written, 'ternion_requests_total', 'protocol="mlflow"')).toBe(1);
    expect(sumOf(written, 'ternion_errors_total', 'code="BAD_REQUEST"')).toBe(4);
    expect(sumOf(written, 'ternion_request_duration_seconds_count')).toBe(15);
    expect(sumOf(written, 'ternion_request_duration_seconds_sum')).toBeCloseTo(0.12, 9);
    expect(sumOf(written, 'ternion_step_duration_seconds_count', 'step="run"')).toBe(11);
    expect(sumOf(written, 'ternion_step_duration_seconds_sum', 'step="run"')).toBeCloseTo(0.033, 9);
    expect(sumOf(written, 'ternion_batch_size_sum')).toBe(33);
    expect(sumOf(written, 'ternion_request_bytes_total')).toBe(450);
    expect(sumOf(written, 'ternion_response_bytes_total')).toBe(3675);
    expect(sumOf(written, 'ternion_cold_starts_total')).toBe(1);
    expect(sumOf(written, 'ternion_requests_in_progress')).toBe(2);
    expect(sumOf(written, 'ternion_runs_waiting')).toBe(5);
    expect(sumOf(written, 'ternion_sessions')).toBe(3);
    expect(sumOf(written, 'ternion_session_bytes')).toBe(4096);
    expect(written).toContain('ternion_info{version="1.2.3"} 1\n');
  });

  it('have one series for all methods that are not methods of HTTP', async () => {
    const { collector, text } = await open();
    for (let index = 0; index < 1000; index++) collector.request(makeRecord({ method: `M${index}` }));
    expect(text()).toContain('method="other",route="/predict",model="iris",version="2",status="200"} 1000\n');
    expect(collector.requests).toHaveLength(1);
  });

  it('count loads, failed loads, and what own code counts and measures', async () => {
    const { collector, text } = await open();
    const reference = { name: 'iris', version: '2' };
    collector.load({ reference, durationMs: 20, succeeded: true });
    collector.load({ reference, durationMs: 5, succeeded: false });
    const measured = (least: number, largest: number) => ({ count: 2, sum: least + largest, least, largest });
    collector.request(
      makeRecord({ counts: new Map([['cut', 2]]), observations: new Map([['size', measured(1, 3)]]) }),
    );
    collector.request(
      makeRecord({ counts: new Map([['cut', 1]]), observations: new Map([['size', measured(2, 9)]]) }),
    );
    const written = text();
    expect(written).toContain(
      'ternion_model_load_duration_seconds_bucket{model="iris",version="2",le="0.025"} 1\n',
    );
    expect(written).toContain('ternion_model_load_failures_total{model="iris",version="2"} 1\n');
    expect(written).toContain('ternion_own_counts_total{name="cut",model="iris",version="2"} 3\n');
    expect(written).toContain('ternion_own_values_sum{name="size",model="iris",version="2"} 15\n');
    expect(written).toContain('ternion_own_values_count{name="size",model="iris",version="2"} 4\n');
  });

  it('have an exemplar for a trace that somebody records, and for no other', async () => {
    const { collector } = await open();
    const exemplars = (each: Collector) => each.requests[0]?.duration.exemplars.filter(Boolean) ?? [];
    collector.request(makeRecord());
    expect(exemplars(collector)).toEqual([]);
    collector.request(makeRecord({ trace: { ...makeRecord().trace, isSampled: true } }));
    expect(exemplars(collector)).toEqual([
      { traceId: makeRecord().trace.traceId, value: 0.008, atMs: 1_700_000_000_008 },
    ]);
  });
});
