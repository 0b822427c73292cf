import { describe, expect, it } from 'vitest';
import { allocateBody, type BodyParts, gatherBody } from '../../../shared/http/body-memory.ts';

const memoryFor = (jsonLength: string | undefined) =>
  allocateBody(
    100,
    new Headers(jsonLength === undefined ? {} : { 'Inference-Header-Content-Length': jsonLength }),
  );

describe('allocateBody', () => {
  it.each([1, 4, 7, 8, 9, 63, 64, 100])(
    'aligns tensors after %s bytes of JSON for numbers of any size',
    (length) => {
      const body = memoryFor(String(length));
      expect(body).toHaveLength(100);
      expect((body.byteOffset + length) % 8).toBe(0);
    },
  );

  it.each([undefined, '', '0', '-3', '1.5', 'x', '1e300'])('ignores a length of %s', (length) => {
    expect([memoryFor(length).byteOffset % 8, memoryFor(length).length]).toEqual([0, 100]);
  });
});

describe('gatherBody', () => {
  const MEGABYTE = 1024 ** 2;
  const bytes = (length: number, start: number) => Uint8Array.from({ length }, (_, i) => (start + i) % 251);
  const fill = (parts: BodyParts, total: number, step: number) => {
    for (let at = 0; at < total; at += step) {
      expect(parts.add(bytes(Math.min(step, total - at), at))).toBe(true);
    }
  };

  it.each([
    [0, 10],
    [7, 10],
    [100_000, 1],
    [MEGABYTE + 1000, 77],
    [100, 10],
    [MEGABYTE, 65_536],
    [MEGABYTE + 1, 65_536],
    [MEGABYTE + 1, MEGABYTE + 1],
    [3 * MEGABYTE, 500_000],
  ])('joins %i bytes in pieces of %i', (total, step) => {
    const parts = gatherBody(new Headers(), 3 * MEGABYTE);
    fill(parts, total, step);
    expect(Buffer.compare(parts.join(), bytes(total, 0))).toBe(0);
  });

  it.each([100, 2 * MEGABYTE])('cuts off bytes beyond a limit of %i, and says so', (limit) => {
    const parts = gatherBody(new Headers(), limit);
    expect(parts.add(bytes(limit - 1, 0))).toBe(true);
    expect(parts.add(bytes(5, limit - 1))).toBe(false);
    expect(parts.add(bytes(5, 0))).toBe(false);
    expect(Buffer.compare(parts.join(), bytes(limit, 0))).toBe(0);
  });

  it('leaves the only piece where it is', () => {
    const piece = bytes(1000, 0);
    const parts = gatherBody(new Headers(), 2000);
    parts.add(piece);
    expect(parts.join().buffer).toBe(piece.buffer);
  });

  it('copies small pieces at once, and others only when the last one has come', () => {
    const parts = gatherBody(new Headers(), MEGABYTE);
    const pieces = [1, 65_536, 10, 20_000, 3, 4, 8_000].map((length) => new Uint8Array(length).fill(1));
    for (const piece of pieces) parts.add(piece);
    // Shows which of them are still read.
    for (const piece of pieces) piece.fill(2);
    const joined = parts.join();
    const found = pieces.map(({ length }, index) => {
      const at = pieces.slice(0, index).reduce((sum, piece) => sum + piece.length, 0);
      return new Set(joined.subarray(at, at + length));
    });
    expect(found.map((each) => [...each].join())).toEqual(['2', '2', '1', '2', '1', '1', '1']);
    expect(parts.add(new Uint8Array(0))).toBe(true);
    expect(parts.add(Uint8Array.of(3))).toBe(true);
    expect([parts.join().length, parts.join().at(-1)]).toEqual([joined.length + 1, 3]);
  });

  it('has a large body in memory only once: its first part is not moved', () => {
    const parts = gatherBody(new Headers(), 3 * MEGABYTE);
    fill(parts, 2 * MEGABYTE, 65_536);
    const begun = parts.join();
    fill(parts, MEGABYTE, 65_536);
    expect(parts.join().buffer).toBe(begun.buffer);
  });

  it.each([50, 3 * MEGABYTE])(
    'aligns tensors after JSON for numbers of any size, in a body of %i bytes',
    (total) => {
      const parts = gatherBody(new Headers({ 'Inference-Header-Content-Length': '113' }), total);
      fill(parts, total, Math.ceil(total / 4));
      expect((parts.join().byteOffset + 113) % 8).toBe(0);
    },
  );
});
