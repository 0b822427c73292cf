import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { createEmbeddedMetrics, readEmbeddedMetrics } from '../../../functions/aws/embedded-metrics.ts';
import { createLambdaLog } from '../../../functions/aws/log.ts';
import { ConfigError } from '../../../shared/config.ts';
import { InferenceError } from '../../../shared/errors.ts';
import { createMeasurements } from '../../../shared/processors/measurements.ts';
import { makeRecord } from '../../support/make-record.ts';

/** Source: CloudWatch, embedded metric format specification. */
const SCHEMA = {
  type: 'object',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      additionalProperties: false,
      required: ['Timestamp', 'CloudWatchMetrics'],
      properties: {
        Timestamp: { type: 'integer', minimum: 1 },
        CloudWatchMetrics: {
          type: 'array',
          minItems: 1,
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['Namespace', 'Dimensions', 'Metrics'],
            properties: {
              Namespace: { type: 'string', pattern: '^[\\w.\\-/#:]{1,255}$' },
              Dimensions: {
                type: 'array',
                minItems: 1,
                items: {
                  type: 'array',
                  maxItems: 30,
                  items: { type: 'string', minLength: 1, maxLength: 250 },
                },
              },
              Metrics: {
                type: 'array',
                minItems: 1,
                maxItems: 100,
                items: {
                  type: 'object',
                  additionalProperties: false,
                  required: ['Name', 'Unit'],
                  properties: {
                    Name: { type: 'string', minLength: 1, maxLength: 255 },
                    Unit: { enum: ['Count', 'Milliseconds', 'Bytes', 'None'] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
};

const isValid = new Ajv({ allErrors: true }).compile(SCHEMA);

const NUMBER = { type: 'number' };

/** Source: the exporters of AWS's distribution of OpenTelemetry, which write histograms like this. */
const isStatistics = new Ajv().compile({
  type: 'object',
  additionalProperties: false,
  required: ['Count', 'Sum', 'Min', 'Max'],
  properties: { Count: { type: 'integer', minimum: 1 }, Sum: NUMBER, Min: NUMBER, Max: NUMBER },
});

const USUAL = ['Requests', 'Errors', 'Duration', 'BatchSize', 'ColdStarts'];
const ALL = [...USUAL, 'ClientErrors', 'LoadTime', 'RunTime', 'BytesIn', 'BytesOut'];

/**
 * What CloudWatch makes of a line: each metric with the values of each set of dimensions.
 *
 * @param index of the group of metrics that have the same dimensions
 */
function extract(line: Readonly<Record<string, unknown>>, index = 0) {
  expect(isValid(line), JSON.stringify(isValid.errors)).toBe(true);
  expect(JSON.stringify(line).length).toBeLessThan(1_000_000);
  const { _aws } = JSON.parse(JSON.stringify(line));
  const [{ Dimensions, Metrics }] = _aws.CloudWatchMetrics.slice(index);
  const sets = Dimensions.map((names: string[]) =>
    Object.fromEntries(
      names.map((name) => {
        // Without a value for it, CloudWatch drops the whole line.
        expect(line[name]).toEqual(expect.stringMatching(/^.{1,1024}$/));
        return [name, line[name]];
      }),
    ),
  );
  const values = Metrics.map(({ Name, Unit }: { Name: string; Unit: string }) => {
    if (typeof line[Name] === 'object') expect(isStatistics(line[Name]), Name).toBe(true);
    else expect(line[Name]).toEqual(expect.any(Number));
    return [Name, Unit, line[Name]];
  });
  return { sets, values, timestamp: _aws.Timestamp };
}

describe('the line of a request on Lambda', () => {
  const make = createEmbeddedMetrics(readEmbeddedMetrics({}));

  it('gives five metrics for the function, the model, and its version', () => {
    expect(extract(make?.(makeRecord({ coldStart: true })) ?? {})).toEqual({
      sets: [{}, { model: 'iris' }, { model: 'iris', version: '2', variant: 'live' }],
      values: [
        ['Requests', 'Count', 1],
        ['Errors', 'Count', 0],
        ['Duration', 'Milliseconds', 8],
        ['BatchSize', 'Count', 3],
        ['ColdStarts', 'Count', 1],
      ],
      timestamp: 1_700_000_000_000,
    });
  });

  it('gives what there is for a request that ran nothing', () => {
    const error = new InferenceError('MODEL_UNAVAILABLE', 'no');
    const line =
      make?.(makeRecord({ model: undefined, version: undefined, runs: 0, status: 503, error })) ?? {};
    const { sets, values } = extract(line);
    expect(sets).toEqual([{}]);
    expect(values.map(([name, , value]: unknown[]) => [name, value])).toEqual([
      ['Requests', 1],
      ['Errors', 1],
      ['Duration', 8],
      ['ColdStarts', 0],
    ]);
  });

  it('counts mistakes of clients apart from failures', () => {
    const all = createEmbeddedMetrics(readEmbeddedMetrics({ EMF_METRICS: ALL.join(',') }));
    for (const [status, errors, clientErrors] of [
      [200, 0, 0],
      [404, 0, 1],
      [499, 0, 1],
      [500, 1, 0],
      [504, 1, 0],
    ] as const) {
      const line = all?.(makeRecord({ status })) ?? {};
      expect([line.Errors, line.ClientErrors]).toEqual([errors, clientErrors]);
      expect(extract(line).values.map(([name]: unknown[]) => name)).toEqual(ALL);
    }
  });

  it('has what own code counts and measures, by its name and the model alone', () => {
    const line =
      make?.(
        makeRecord({
          counts: new Map([
            ['unsure{reason=blurred}', 2],
            ['unsure{reason=dark}', 1],
            ['model', 4],
          ]),
          observations: new Map([
            ['confidence', { count: 1, sum: 0.5, least: 0.5, largest: 0.5 }],
            ['age{group=a}', { count: 2, sum: 50, least: 20, largest: 30 }],
            ['age{group=b}', { count: 1, sum: 60, least: 60, largest: 60 }],
          ]),
        }),
      ) ?? {};
    expect(extract(line).values.map(([name]: unknown[]) => name)).toEqual(USUAL);
    expect(extract(line, 1)).toMatchObject({
      sets: [{ model: 'iris' }],
      values: [
        ['count_unsure', 'Count', 3],
        // The line has a member with this name already.
        ['count_model', 'Count', 4],
        ['value_confidence', 'None', 0.5],
        ['value_age', 'None', { Count: 3, Sum: 110, Min: 20, Max: 60 }],
      ],
    });
    expect(line.model).toBe('iris');
  });

  it('has at most as many metrics of own code as CloudWatch takes', () => {
    const { count, observe, counts, observations } = createMeasurements();
    const name = (index: number) => `${'n'.repeat(61)}_${index}`.slice(-64);
    for (let index = 0; index < 32; index++) {
      count(name(index));
      observe(name(index), index);
    }
    expect(() => count('one_more')).toThrow('at most 32');
    const line = make?.(makeRecord({ counts, observations })) ?? {};
    expect(extract(line, 1).values).toHaveLength(64);
    const chosen = createEmbeddedMetrics(readEmbeddedMetrics({ EMF_METRICS: 'Own' }));
    expect(extract(chosen?.(makeRecord({ counts, observations })) ?? {}).values).toHaveLength(64);
    const without = createEmbeddedMetrics(readEmbeddedMetrics({ EMF_METRICS: 'Requests' }));
    expect(JSON.stringify(without?.(makeRecord({ counts, observations })))).not.toContain('count_');
  });

  it('makes no metric of a request without own code if nothing else is chosen', () => {
    const chosen = createEmbeddedMetrics(readEmbeddedMetrics({ EMF_METRICS: 'Own' }));
    expect(chosen?.(makeRecord())).toBeUndefined();
  });

  it('has values that CloudWatch takes for any name of a model', () => {
    extract(make?.(makeRecord({ model: 'm'.repeat(5000) })) ?? {});
  });
});

describe('EMF_METRICS', () => {
  it.each<[string | undefined, readonly string[]]>([
    [undefined, [...USUAL, 'Own']],
    ['', [...USUAL, 'Own']],
    ['none', []],
    ['Duration, Requests', ['Requests', 'Duration']],
    ['RunTime', ['RunTime']],
  ])('%j chooses %j', (text, names) => {
    expect(readEmbeddedMetrics({ EMF_METRICS: text })).toEqual(names);
    expect(createEmbeddedMetrics(readEmbeddedMetrics({ EMF_METRICS: 'none' }))).toBeUndefined();
  });

  it.each(['latency', 'Requests,', 'none,Requests', 'toString'])('refuses %j', (text) => {
    const read = () => readEmbeddedMetrics({ EMF_METRICS: text });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(`EMF_METRICS=${JSON.stringify(text)} must be names from Requests, Errors, `);
  });
});

it('writes the id of a trace as X-Ray shows it', () => {
  const { describe: describeLine } = createLambdaLog({});
  expect(describeLine?.('info', { trace_id: '5759e988bd862e3fe1be46a994272793' })).toEqual({
    xray_trace_id: '1-5759e988-bd862e3fe1be46a994272793',
  });
  expect(describeLine?.('info', {})).toEqual({});
});
