import { expect, it } from 'vitest';
import { METRICS_NAMES } from '../../../../shared/config.ts';
import { createCollector } from '../../../../shared/monitoring/metrics/collector.ts';
import { DURATION_BOUNDS } from '../../../../shared/monitoring/metrics/series.ts';
import { writeOpenMetrics, writePrometheus } from '../../../../shared/monitoring/metrics/write-text.ts';
import { bucketsOf, makeRecord, RECORDS } from '../../../support/metric-records.ts';
import { parseOpenMetrics, parsePrometheus } from '../../../support/metrics-text.ts';

async function collectAll() {
  const collector = await createCollector(METRICS_NAMES);
  for (const record of RECORDS) collector.request({ ...record, trace: { ...record.trace, isSampled: true } });
  collector.request(
    makeRecord({
      model: 'iris',
      version: '1',
      route: 'with "quotes" and \\',
      counts: new Map([['unsure', 2]]),
      observations: new Map([['score', { count: 2, sum: 1, least: 0.25, largest: 0.75 }]]),
    }),
  );
  collector.load({ reference: { name: 'iris', version: '1' }, durationMs: 200, succeeded: true });
  const sessions = { count: 1, bytes: 1000 };
  const state = { collector, inProgress: 1, sessions, waiting: 0, version: '1.2.3' };
  return collector.names.flatMap((names) => names.families(state));
}

it('writes the names of all servers as valid Prometheus text', async () => {
  const parsed = parsePrometheus(writePrometheus(await collectAll()));
  expect(parsed.length).toBeGreaterThan(80);
  const [first] = parsed.filter(({ name }) => name === 'ternion_own_counts_total');
  expect(first?.samples).toEqual([
    {
      name: 'ternion_own_counts_total',
      labels: { name: 'unsure', model: 'iris', version: '1' },
      value: 2,
    },
  ]);
});

it('writes them as valid OpenMetrics, with exemplars', async () => {
  const text = writeOpenMetrics(await collectAll());
  expect(parseOpenMetrics(text).length).toBeGreaterThan(80);
  expect(text).toMatch(
    /_bucket\{.*\} \d+ # \{trace_id="4bf92f3577b34da6a3ce929d0e0e4736"\} 0\.\d+ \d+\.\d{3}\n/,
  );
});

it('gives each server its own buckets of the same numbers', async () => {
  const families = await collectAll();
  const own = bucketsOf(families, 'ternion_request_duration_seconds').slice(0, DURATION_BOUNDS.length + 1);
  expect(own.map(([end]) => Number(end.replace('+Inf', 'Infinity')))).toEqual([...DURATION_BOUNDS, Infinity]);
  expect(bucketsOf(families, 'request_predict_seconds').slice(0, 15)).toHaveLength(15);
});

it.each([
  ['a_total 1\n', 'A sample of another family than undefined: a_total 1'],
  ['# HELP a x\n# TYPE a counter\n', 'The family a has no samples.'],
  ['# HELP a x\n# TYPE a counter\na{b="1",b="2"} 1\n', 'A label comes twice: {b="1",b="2"}'],
  ['# HELP a x\n# TYPE a counter\na 1\na 2\n', 'Two samples of a have the same labels.'],
  ['# HELP a x\n# TYPE a counter\na{b="\n"} 1\n', 'No sample: a{b="'],
  [
    '# HELP a x\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    'The histogram a is wrong for {}.',
  ],
])('does not take %j for valid', (text, message) => {
  expect(() => parsePrometheus(text)).toThrow(message);
});
