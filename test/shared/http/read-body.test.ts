import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { readBody } from '../../../shared/http/read-body.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { testLimits } from '../../support/test-budget.ts';

function request(body: Uint8Array, headers: Record<string, string> = {}): Request {
  return new BytesRequest('http://localhost/', { method: 'POST', headers: new Headers(headers) }, body);
}

const text = Buffer.from('{"features": [1, 2, 3]}'.repeat(10));
const LIMIT = 1_000;
const LIMITS = testLimits({ bodyBytes: LIMIT });
const TOO_LARGE = 'The request body is larger than 1000 bytes, which is the limit (MAX_BODY_BYTES).';

const read = async (...given: Parameters<typeof readBody>) => await readBody(...given);

describe('readBody', () => {
  it('gives a plain body as the memory it is', async () => {
    const body = Uint8Array.of(1, 2, 3);
    expect((await readBody(request(body), LIMITS)).buffer).toBe(body.buffer);
    expect(await readBody(request(new Uint8Array(0)), LIMITS)).toHaveLength(0);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (bytes) => bytes],
    ['', (bytes) => bytes],
    [' gzip , br ', (bytes) => brotliCompressSync(gzipSync(bytes))],
    ['deflate, gzip, identity', (bytes) => gzipSync(deflateSync(bytes))],
  ])('reads the Content-Encoding %j', async (coding, compress) => {
    const bytes = await readBody(request(compress(text), { 'content-encoding': coding }), LIMITS);
    expect(Buffer.from(bytes).toString()).toBe(text.toString());
  });

  it('reads raw deflate data, which some clients send', async () => {
    const bytes = await readBody(request(deflateRawSync(text), { 'content-encoding': 'deflate' }), LIMITS);
    expect(Buffer.from(bytes).toString()).toBe(text.toString());
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('inflates %s to where tensors after JSON are used in place', async (coding, compress) => {
    const content = Uint8Array.from({ length: 2_000_000 }, (_, i) => (i * i) % 251);
    const headers = { 'content-encoding': coding, 'inference-header-content-length': '113' };
    const limits = testLimits({ compressionRatio: 1e6 });
    const body = await readBody(request(compress(content), headers), limits);
    expect(Buffer.compare(body, content)).toBe(0);
    expect((body.byteOffset + 113) % 8).toBe(0);
  });

  it('asks for room for the largest size of a large body, and returns the room that it did not need', async () => {
    const roomOf = async (sent: Uint8Array, coding: string, compressionRatio = 10_000) => {
      const asked: number[] = [];
      const limits = testLimits({ bodyBytes: 4_000_000, compressionRatio });
      await readBody(request(sent, { 'content-encoding': coding }), limits, {
        resize: async (bytes) => {
          asked.push(bytes);
        },
      });
      return asked;
    };
    const content = Buffer.alloc(2_000_000);
    const [once, twice] = [gzipSync(content), gzipSync(gzipSync(content))];
    const plain = { sent: content, small: content.subarray(0, 1024 ** 2) };
    expect(await roomOf(plain.sent, '')).toEqual([2_000_000]);
    expect(await roomOf(plain.small, '')).toEqual([]);
    expect(await roomOf(gzipSync(plain.small), 'gzip')).toEqual([]);
    expect(await roomOf(once, 'gzip')).toEqual([once.length + 4_000_000, once.length + 2_000_000]);
    expect(await roomOf(once, 'gzip', 1_100)).toEqual([once.length * 1_101, once.length + 2_000_000]);
    expect(await roomOf(twice, 'gzip, gzip', 1e6)).toEqual([
      twice.length + 8_000_000,
      twice.length + 2_000_000,
    ]);
  });

  it('returns any bytes unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (content) => {
        const bytes = await readBody(request(gzipSync(content), { 'content-encoding': 'gzip' }), LIMITS);
        expect([...bytes]).toEqual([...content]);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses more codings than two: each costs the time of a whole body', async () => {
    const thrice = gzipSync(gzipSync(gzipSync(text)));
    const error = await rejectionOf(
      read(request(thrice, { 'content-encoding': 'gzip, gzip, identity, gzip' }), LIMITS),
    );
    expect([error.status, error.message]).toEqual([
      415,
      'Content-Encoding names 3 codings; at most 2 are accepted.',
    ]);
  });

  it('refuses a coding it does not know and names those it does', async () => {
    for (const coding of ['zstd', 'gzip, compress', '*']) {
      const error = await rejectionOf(read(request(text, { 'content-encoding': coding }), LIMITS));
      expect(error.code).toBe('UNSUPPORTED_MEDIA_TYPE');
      expect(error.message).toMatch(/is not accepted; accepted codings are gzip, deflate, br\.$/);
      expect(error.headers).toEqual({ 'accept-encoding': 'gzip, deflate, br' });
    }
  });

  it.each(['gzip', 'deflate', 'br'])('refuses data that is not %s', async (coding) => {
    const error = await rejectionOf(read(request(text, { 'content-encoding': coding }), LIMITS));
    expect([error.code, error.message]).toEqual([
      'BAD_REQUEST',
      `The body is not valid ${coding} data, as its Content-Encoding says.`,
    ]);
  });

  it('refuses compressed data that is cut off', async () => {
    const cut = gzipSync(text).subarray(0, -5);
    const error = await rejectionOf(read(request(cut, { 'content-encoding': 'gzip' }), LIMITS));
    expect(error.code).toBe('BAD_REQUEST');
  });
});

describe('the limit of readBody', () => {
  it('is the last size that is taken', async () => {
    expect(await readBody(request(new Uint8Array(LIMIT)), LIMITS)).toHaveLength(LIMIT);
    const error = await rejectionOf(read(request(new Uint8Array(LIMIT + 1)), LIMITS));
    expect([error.code, error.message]).toEqual(['PAYLOAD_TOO_LARGE', TOO_LARGE]);
  });

  it('holds for the declared length, before the body is read', async () => {
    const unreadable = request(new Uint8Array(1), { 'content-length': String(LIMIT + 1) });
    expect((await rejectionOf(read(unreadable, LIMITS))).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
  ])('holds for decompressed %s to the byte', async (coding, compress) => {
    const send = (size: number) =>
      read(request(compress(new Uint8Array(size)), { 'content-encoding': coding }), LIMITS);
    expect(await send(LIMIT)).toHaveLength(LIMIT);
    const error = await rejectionOf(send(LIMIT + 1));
    expect([error.code, error.message]).toEqual(['PAYLOAD_TOO_LARGE', TOO_LARGE]);
  });

  it('stops a gzip bomb of a kilobyte and half a gigabyte, before its memory is taken', async () => {
    // gzip of gzip: 512 MiB of zeros, made 16 MiB at a time.
    const block = gzipSync(new Uint8Array(16 * 1024 ** 2), { level: 9 });
    const bomb = gzipSync(Buffer.concat(new Array<Buffer>(32).fill(block)), { level: 9 });
    expect(bomb.length).toBeLessThan(10_000);
    const before = process.memoryUsage().arrayBuffers;
    const limits = testLimits({ bodyBytes: 1024 ** 2, compressionRatio: 1e9 });
    const error = await rejectionOf(read(request(bomb, { 'content-encoding': 'gzip, gzip' }), limits));
    expect(error.code).toBe('PAYLOAD_TOO_LARGE');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 ** 2);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateRawSync],
  ])('accepts real tensors of zeros, however small %s makes them', async (coding, compress) => {
    const zeros = compress(new Uint8Array(8 * 1024 ** 2), { level: 9 });
    expect(zeros.length).toBeLessThan(9_000);
    const body = await readBody(request(zeros, { 'content-encoding': coding }), testLimits());
    expect(body).toHaveLength(8 * 1024 ** 2);
  });

  it.each<[string, Uint8Array]>([
    ['br', brotliCompressSync(new Uint8Array(4 * 1024 ** 2))],
    ['gzip, gzip', gzipSync(gzipSync(new Uint8Array(4 * 1024 ** 2)))],
  ])('refuses a body of %s that is thousands of times as large as it was sent', async (coding, body) => {
    expect(
      await rejectionOf(read(request(body, { 'content-encoding': coding }), testLimits())),
    ).toMatchObject({
      status: 413,
      message:
        'The request body is more than 1100 times as large as it was sent, which is the limit (MAX_COMPRESSION_RATIO).',
    });
  });

  it('allows a megabyte, however small it was sent', async () => {
    const body = brotliCompressSync(new Uint8Array(1024 ** 2));
    const read = await readBody(
      request(body, { 'content-encoding': 'br' }),
      testLimits({ compressionRatio: 1 }),
    );
    expect(read).toHaveLength(1024 ** 2);
  });
});
