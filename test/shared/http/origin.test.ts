import { describe, expect, it } from 'vitest';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { originOf } from '../../../shared/http/origin.ts';

const originFor = (headers: Readonly<Record<string, string>>, path = '/a', basePath = '') =>
  originOf(
    new BytesRequest(
      `http://localhost${path}`,
      { method: 'GET', headers: new Headers(headers) },
      Buffer.alloc(0),
    ),
    basePath,
  );

describe('the address that a client has called', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['its own', { host: 'localhost:8080' }, 'http://localhost:8080'],
    ['an address of IPv6', { host: '[::1]:8080' }, 'http://[::1]:8080'],
    [
      'the one of a gateway',
      { host: '10.0.0.7:9000', 'x-forwarded-host': 'models.example.org', 'x-forwarded-proto': 'https' },
      'https://models.example.org',
    ],
    [
      'the first of several proxies',
      { host: 'a', 'x-forwarded-host': 'models.example.org, inner', 'x-forwarded-proto': 'HTTPS, http' },
      'https://models.example.org',
    ],
    ['without a host', {}, 'http://localhost'],
    ['with a host that is not valid', { host: 'evil.example.org/path?' }, 'http://localhost'],
    ['with another proto', { host: 'a', 'x-forwarded-proto': 'javascript' }, 'http://a'],
  ])('%s', (_, headers, origin) => {
    expect(originFor(headers)).toBe(origin);
  });

  it('has the prefix of the deployment where the request had it', () => {
    expect(originFor({ host: 'a' }, '/prod/api', '/prod')).toBe('http://a/prod');
    expect(originFor({ host: 'a' }, '/prod', '/prod')).toBe('http://a/prod');
    expect(originFor({ host: 'a' }, '/production/api', '/prod')).toBe('http://a');
    expect(originFor({ host: 'a' }, '/api', '/prod')).toBe('http://a');
  });
});
