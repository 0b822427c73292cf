import { describe, expect, it } from 'vitest';
import { isFromForeignPage } from '../../../shared/http/foreign-page.ts';

describe('isFromForeignPage', () => {
  it.each<[boolean, Readonly<Record<string, string>>]>([
    [false, {}],
    [false, { host: 'a.example' }],
    [false, { host: 'a.example', 'sec-fetch-site': 'same-origin', origin: 'http://a.example' }],
    // Behind a gateway that changes the name.
    [false, { host: 'internal:8080', 'sec-fetch-site': 'same-origin', origin: 'https://a.example' }],
    [false, { host: 'a.example', 'sec-fetch-site': 'none' }],
    [true, { host: 'a.example', 'sec-fetch-site': 'cross-site' }],
    [true, { host: 'localhost:8080', 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' }],
    [true, { host: 'a.example', 'sec-fetch-site': 'cross-site', origin: 'http://a.example' }],
    [true, { host: 'a.example', 'sec-fetch-site': 'something-new' }],
    [false, { host: '192.168.0.7:8080', origin: 'http://192.168.0.7:8080' }],
    [false, { host: 'LAN.example', origin: 'http://lan.example' }],
    [true, { host: '192.168.0.7:8080', origin: 'http://192.168.0.7' }],
    [true, { host: 'a.example', origin: 'http://b.example' }],
    [true, { host: 'a.example', origin: 'null' }],
    [true, { host: 'a.example', origin: '' }],
    [true, { origin: 'http://a.example' }],
  ])('is %s for %j', (expected, headers) => {
    expect(isFromForeignPage(new Headers(headers))).toBe(expected);
  });
});
