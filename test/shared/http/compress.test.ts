import { gunzipSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { chooseCoding, compressResponse } from '../../../shared/http/compress.ts';

const LARGE = 'tensor '.repeat(500);

describe('compressResponse', () => {
  const answer = async (accept: string | undefined, body: string) => {
    const headers = accept === undefined ? {} : { 'accept-encoding': accept };
    const given = new Response(body, { status: 201, headers: { vary: 'accept', 'x-a': 'b' } });
    const response = await compressResponse(new Request('http://localhost/', { headers }), given);
    return { response, bytes: Buffer.from(await response.bytes()) };
  };

  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ])('compresses by %s, and keeps status and headers', async (coding, decompress) => {
    const { response, bytes } = await answer(coding, LARGE);
    expect(response.status).toBe(201);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-encoding': coding,
      vary: 'accept, accept-encoding',
      'x-a': 'b',
    });
    expect(decompress(bytes).toString()).toBe(LARGE);
  });

  it.each([
    ['nothing is accepted', undefined, LARGE],
    ['only others are accepted', 'br, zstd', LARGE],
    ['it is small', 'gzip', 'small'],
  ])('gives any answer as it is where %s', async (_, accept, body) => {
    const { response, bytes } = await answer(accept, body);
    expect([response.status, response.headers.get('content-encoding')]).toEqual([201, null]);
    expect(bytes.toString()).toBe(body);
  });
});

describe('chooseCoding', () => {
  it.each([
    ['', undefined],
    ['gzip', 'gzip'],
    ['br, deflate', 'deflate'],
    ['gzip;q=0.5, deflate;q=0.8', 'deflate'],
    ['deflate, gzip', 'deflate'],
    ['gzip;q=0', undefined],
    ['identity, gzip;q=0.9', undefined],
    [' GZIP ; Q=0.3 ', 'gzip'],
  ])('chooses from %j %j', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });
});
