import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../../shared/config.ts';
import {
  readMetricSettings,
  readResource,
  readSampler,
  readSignal,
  wants,
} from '../../../../shared/monitoring/otlp/settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('the variables of OpenTelemetry', () => {
  it.each([
    [ENDPOINT, 'traces', 'http://collector:4318/v1/traces'],
    [ENDPOINT, 'metrics', 'http://collector:4318/v1/metrics'],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example/otlp/' },
      'traces',
      'https://c.example/otlp/v1/traces',
    ],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1/x' }, 'traces', 'http://t:1/x'],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://m:1' }, 'metrics', 'http://m:1/'],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'console,otlp' }, 'metrics', 'http://collector:4318/v1/metrics'],
  ] as const)('%j send %s to %s', (environment, signal, url) => {
    expect(wants(environment, signal)).toBe(true);
    expect(readSignal(environment, signal).url.href).toBe(url);
  });

  it.each([
    [{}, 'traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, 'traces'],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, 'traces'],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, 'metrics'],
    [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, 'traces'],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'none' }, 'metrics'],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus' }, 'metrics'],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://m:1' }, 'traces'],
  ] as const)('%j send no %s', (environment, signal) => {
    expect(wants(environment, signal)).toBe(false);
  });

  it('name the process and what the collector must be given', () => {
    const environment = {
      ...ENDPOINT,
      OTEL_SERVICE_NAME: 'flowers',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other, deployment.environment.name=a%2Cb,x=%zz',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=all',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=k%20ey==',
    };
    expect(readSignal(environment, 'traces').headers).toEqual({ 'api-key': 'k ey==' });
    expect(readSignal(environment, 'metrics').headers).toEqual({ 'api-key': 'all' });
    expect(readSignal(ENDPOINT, 'traces').headers).toEqual({});
    expect(readResource(environment)).toEqual({
      'service.name': 'flowers',
      'deployment.environment.name': 'a,b',
      x: '%zz',
    });
    expect(readResource(ENDPOINT)).toEqual({ 'service.name': 'ternion' });
  });

  it('say how a signal is sent', () => {
    const environment = {
      ...ENDPOINT,
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: 'none',
      OTEL_EXPORTER_OTLP_TIMEOUT: '250',
    };
    expect(readSignal(environment, 'traces')).toMatchObject({ isCompressed: true, timeoutMs: 250 });
    expect(readSignal(environment, 'metrics')).toMatchObject({ isCompressed: false, timeoutMs: 250 });
    expect(readSignal(ENDPOINT, 'traces')).toMatchObject({ isCompressed: false, timeoutMs: 10_000 });
  });

  it.each([
    [undefined, undefined],
    ['cumulative', 'cumulative'],
    ['Delta', 'delta'],
    ['lowmemory', 'delta'],
  ])('make metrics of the preference %s that are %s', (preference, temporality) => {
    const environment = {
      OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference,
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
    };
    expect(readMetricSettings(environment)).toEqual({ temporality, intervalMs: 1000 });
  });

  it.each([
    [undefined, undefined, 1, true],
    ['always_off', undefined, 0, false],
    ['traceidratio', '0.25', 0.25, false],
    ['traceidratio', undefined, 1, false],
    ['parentbased_traceidratio', '0', 0, true],
  ])('sample with %s and %s', (sampler, argument, share, followsParent) => {
    const environment = { ...ENDPOINT, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument };
    expect(readSampler(environment)).toEqual({ share, followsParent });
  });

  it.each([
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
      'OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318" must be a URL',
    ],
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'user:secret@collector:4318' },
      'OTEL_EXPORTER_OTLP_ENDPOINT="...@collector:4318" must be a URL',
    ],
    [
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      'OTEL_EXPORTER_OTLP_PROTOCOL="grpc" is not supported',
    ],
    [
      { ...ENDPOINT, OTEL_TRACES_SAMPLER: 'jaeger_remote' },
      'OTEL_TRACES_SAMPLER="jaeger_remote" must be one of always_on',
    ],
    [
      { ...ENDPOINT, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' },
      'OTEL_TRACES_SAMPLER_ARG="2" must be a number from 0 to 1.',
    ],
    [
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd' },
      'OTEL_EXPORTER_OTLP_COMPRESSION="zstd" must be gzip or none.',
    ],
    [
      { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '0' },
      'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT="0" must be a number of milliseconds, at least 1.',
    ],
    [
      { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'some' },
      'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="some" must be one of cumulative, delta, lowmemory.',
    ],
    [
      { OTEL_METRIC_EXPORT_INTERVAL: '1s' },
      'OTEL_METRIC_EXPORT_INTERVAL="1s" must be a number of milliseconds, at least 1.',
    ],
  ])('%j are refused in words', (variables, message) => {
    const read = () => {
      const environment = { ...ENDPOINT, ...variables };
      readMetricSettings(environment);
      readSampler(environment);
      readSignal(environment, 'traces');
    };
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(message);
  });

  it('are refused without the values of headers', () => {
    const read = () => readSignal({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'secret' }, 'traces');
    expect(read).toThrow('OTEL_EXPORTER_OTLP_HEADERS must be pairs with "="');
    expect(read).not.toThrow(/secret/);
  });
});
