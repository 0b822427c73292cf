import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { readNpy, writeNpy } from '../../../shared/tensor/npy.ts';
import { isZip, readNpz, writeNpz } from '../../../shared/tensor/npz.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import { rejectionOf } from '../error-of.ts';
import { GOLDEN } from './numpy-arrays.ts';

const OPTIONS = { field: 'body', elementLimit: 2_000_000, byteLimit: 100_000 };
const decode = (base64: string) => Buffer.from(base64, 'base64');
const X = createTensor('FP32', [2, 3], [0, 1, 2, 3, 4, 5]);
const LABELS = { datatype: 'BYTES', shape: [2], data: ['a', 'b'] };

/** All arrays of an archive, read. */
async function readAll(bytes: Uint8Array): Promise<Map<string, Tensor>> {
  return new Map([...(await readNpz(bytes, OPTIONS))].map(([name, array]) => [name, array.read()]));
}

describe('an archive of arrays', () => {
  it.each(['stored', 'packed'] as const)('that NumPy wrote, %s, is read by name', async (kind) => {
    const bytes = decode(GOLDEN.archives[kind]);
    expect(isZip(bytes)).toBe(true);
    expect([...(await readAll(bytes))]).toEqual([
      ['x', X],
      ['labels', LABELS],
    ]);
  });

  it('survives being written and read, the same bytes each time', async () => {
    const tensors = new Map([['x', X]]);
    const written = await writeNpz(tensors);
    expect(await readAll(written)).toEqual(tensors);
    expect(await writeNpz(tensors)).toEqual(written);
  });

  it('that says it is larger than the limit is not unpacked', async () => {
    const error = await rejectionOf(readNpz(decode(GOLDEN.large), OPTIONS));
    expect(error).toMatchObject({ status: 413 });
    expect(error.message).toBe(
      'Field "body" unpacks to more than 100000 bytes, which is the limit (MAX_BODY_BYTES).',
    );
    const [[, x] = []] = await readNpz(decode(GOLDEN.large), { ...OPTIONS, byteLimit: 5_000_000 });
    expect(x?.shape).toEqual([1_000_000]);
  });

  it('that lies about its size is stopped', async () => {
    const bytes = zipSync({ 'x.npy': writeNpy(createTensor('UINT8', [500_000], new Uint8Array(500_000))) });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    expect(view.getUint32(22, true)).toBeGreaterThan(500_000);
    view.setUint32(22, 1, true);
    expect(await rejectionOf(readNpz(bytes, OPTIONS))).toMatchObject({ status: 413 });
  });

  it('of more arrays than any model has inputs is refused', async () => {
    const part = writeNpy(createTensor('UINT8', [1], [1]));
    const archive = (count: number) =>
      zipSync(Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}.npy`, part])), {
        level: 0,
      });
    const options = { ...OPTIONS, byteLimit: 1_000_000 };
    expect((await readNpz(archive(1000), options)).size).toBe(1000);
    expect(await rejectionOf(readNpz(archive(1001), options))).toMatchObject({
      status: 413,
      message: 'Field "body" holds more than 1000 arrays, which is the limit.',
    });
  });

  it('of many arrays is limited as a whole', async () => {
    const part = writeNpy(createTensor('UINT8', [40_000], new Uint8Array(40_000)));
    const two = zipSync({ 'a.npy': part, 'b.npy': part });
    expect([...(await readNpz(two, OPTIONS)).keys()]).toEqual(['a', 'b']);
    const three = zipSync({ 'a.npy': part, 'b.npy': part, 'c.npy': part });
    expect(await rejectionOf(readNpz(three, OPTIONS))).toMatchObject({ status: 413 });
  });

  it.each([
    ['nothing in it', zipSync({}), /holds no arrays; expected an archive of \.npy files/],
    [
      'another kind of file in it',
      zipSync({ 'a.txt': Buffer.from('hello') }),
      /"body\.a\.txt" is not in NumPy's/,
    ],
    ['its end cut off', decode(GOLDEN.archives.packed).subarray(0, 150), /is not a readable archive/],
    [
      'damage inside',
      damage(decode(GOLDEN.archives.packed)),
      /is not a readable archive|NumPy|bytes of elements/,
    ],
    [
      'Python objects in it',
      zipSync({ 'o.npy': decode(GOLDEN.refused.objects ?? '') }),
      /"body\.o" holds Python/,
    ],
  ])('with %s is refused', async (_, bytes, message) => {
    expect((await rejectionOf(readNpz(bytes, OPTIONS))).message).toMatch(message);
  });

  it('has entries that read alone', async () => {
    expect(readNpy(writeNpy(X), OPTIONS)).toEqual(X);
  });
});

function damage(archive: Buffer): Buffer {
  const damaged = Buffer.from(archive);
  damaged.fill(0xff, 60, 80);
  return damaged;
}
