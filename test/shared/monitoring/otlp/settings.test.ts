import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../../shared/config.ts';
import { readOtlpSettings, wantsSpans } from '../../../../shared/monitoring/otlp/settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('the variables of OpenTelemetry', () => {
  it.each([
    [ENDPOINT, 'http://collector:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example/otlp/' }, 'https://c.example/otlp/v1/traces'],
    [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://t:1/x' }, 'http://t:1/x'],
  ])('%j send spans to %s', (environment, url) => {
    expect(wantsSpans(environment)).toBe(true);
    expect(readOtlpSettings(environment).tracesUrl.href).toBe(url);
  });

  it.each([
    {},
    { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
    { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' },
    { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
  ])('%j send none', (environment) => {
    expect(wantsSpans(environment)).toBe(false);
  });

  it('name the process and what the collector must be given', () => {
    const environment = {
      ...ENDPOINT,
      OTEL_SERVICE_NAME: 'flowers',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other, deployment.environment.name=a%2Cb,x=%zz',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=all',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=k%20ey==',
    };
    expect(readOtlpSettings(environment)).toMatchObject({
      headers: { 'api-key': 'k ey==' },
      resource: { 'service.name': 'flowers', 'deployment.environment.name': 'a,b', x: '%zz' },
    });
    expect(readOtlpSettings(ENDPOINT)).toMatchObject({
      headers: {},
      resource: { 'service.name': 'ternion' },
    });
  });

  it.each([
    [undefined, undefined, 1, true],
    ['always_off', undefined, 0, false],
    ['traceidratio', '0.25', 0.25, false],
    ['traceidratio', undefined, 1, false],
    ['parentbased_traceidratio', '0', 0, true],
  ])('sample with %s and %s', (sampler, argument, share, followsParent) => {
    const environment = { ...ENDPOINT, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: argument };
    expect(readOtlpSettings(environment)).toMatchObject({ share, followsParent });
  });

  it.each([
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
      'OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318" must be a URL',
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
  ])('%j are refused in words', (environment, message) => {
    expect(() => readOtlpSettings(environment)).toThrow(ConfigError);
    expect(() => readOtlpSettings(environment)).toThrow(message);
  });

  it('are refused without the values of headers', () => {
    const read = () => readOtlpSettings({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'secret' });
    expect(read).toThrow('OTEL_EXPORTER_OTLP_HEADERS must be pairs with "="');
    expect(read).not.toThrow(/secret/);
  });
});
