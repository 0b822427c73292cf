import { describe, expect, it } from 'vitest';
import { allocateBody } from '../../../shared/http/body-memory.ts';

const memoryFor = (jsonLength: string | undefined) =>
  allocateBody(
    100,
    new Headers(jsonLength === undefined ? {} : { 'Inference-Header-Content-Length': jsonLength }),
  );

describe('allocateBody', () => {
  it.each([1, 4, 7, 8, 9, 63, 64, 100])(
    'lets tensors behind %s bytes of JSON begin where any number may',
    (length) => {
      const body = memoryFor(String(length));
      expect(body).toHaveLength(100);
      expect((body.byteOffset + length) % 8).toBe(0);
    },
  );

  it.each([undefined, '', '0', '-3', '1.5', 'x', '1e300'])('takes a length of %s for none', (length) => {
    expect([memoryFor(length).byteOffset % 8, memoryFor(length).length]).toEqual([0, 100]);
  });
});
