import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { writeNpy } from '../../../shared/tensor/npy.ts';
import { isZip, readNpz, writeNpz } from '../../../shared/tensor/npz.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { readNpy } from '../../support/read-npy.ts';
import { GOLDEN } from './numpy-arrays.ts';

const OPTIONS = { field: 'body', elementLimit: 2_000_000, byteLimit: 100_000 };
const decode = (base64: string) => Buffer.from(base64, 'base64');
const X = createTensor('FP32', [2, 3], [0, 1, 2, 3, 4, 5]);
const LABELS: Tensor = { datatype: 'BYTES', shape: [2], data: ['a', 'b'] };

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

  it.each([
    ['smaller', 1],
    ['larger', 90_000],
  ])('that says it is %s than it is is refused', async (_, size) => {
    const bytes = zipSync({ 'x.npy': writeNpy(createTensor('UINT8', [80_000], new Uint8Array(80_000))) });
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const entry = Buffer.from(bytes).indexOf('PK\x01\x02', 0, 'latin1');
    expect(view.getUint32(entry + 24, true)).toBe(80_128);
    view.setUint32(entry + 24, size, true);
    const error = await rejectionOf(readNpz(bytes, OPTIONS));
    expect([error.status, error.message]).toEqual([
      400,
      'Field "body" is not a readable archive of NumPy arrays (.npz), or two of them have the same name.',
    ]);
  });

  it('whose sizes stand in the fields of ZIP64 is read', async () => {
    const written = Buffer.from(await writeNpz(new Map([['x', X]])));
    const entry = written.indexOf('PK\x01\x02', 0, 'latin1');
    const end = written.indexOf('PK\x05\x06', 0, 'latin1');
    const field = Buffer.alloc(4 + 24);
    field.writeUInt16LE(1, 0);
    field.writeUInt16LE(24, 2);
    for (const [index, from] of [24, 20, 42].entries()) {
      field.writeBigUInt64LE(BigInt(written.readUInt32LE(entry + from)), 4 + 8 * index);
      written.writeUInt32LE(0xffff_ffff, entry + from);
    }
    written.writeUInt16LE(field.length, entry + 30);
    expect(await readAll(Buffer.concat([written.subarray(0, end), field, written.subarray(end)]))).toEqual(
      new Map([['x', X]]),
    );
  });

  it('that another program wrote, with a comment at its end, is read', async () => {
    const bytes = await writeNpz(new Map([['x', X]]));
    const withComment = Buffer.concat([bytes, Buffer.from('a comment')]);
    withComment.writeUInt16LE(9, bytes.length - 2);
    expect(await readAll(withComment)).toEqual(new Map([['x', X]]));
  });

  it('that is unpacked is in memory only once: its elements stay where zlib wrote them', async () => {
    const bytes = zipSync({ 'x.npy': writeNpy(createTensor('FP32', [20_000], new Float32Array(20_000))) });
    const [[, x] = []] = await readNpz(bytes, OPTIONS);
    const { data } = x?.read() ?? X;
    expect([data.length, ArrayBuffer.isView(data) && data.byteOffset]).toEqual([20_000, 128]);
    expect(ArrayBuffer.isView(data) && data.buffer.byteLength).toBe(80_128 + 1);
  });

  it.each([
    ['encrypted', 8, 1],
    ['packed in another way', 10, 12],
  ])('that is %s is refused', async (_, at, value) => {
    const bytes = Buffer.from(zipSync({ 'x.npy': writeNpy(X) }));
    bytes.writeUInt16LE(value, bytes.indexOf('PK\x01\x02', 0, 'latin1') + at);
    expect((await rejectionOf(readNpz(bytes, OPTIONS))).message).toMatch(/is not a readable archive/);
  });

  it('with any byte changed is read or refused, and nothing else', async () => {
    const whole = Buffer.from(zipSync({ 'x.npy': writeNpy(X), 'labels.npy': writeNpy(LABELS) }));
    for (let at = 4; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = 255 - (bytes[at] ?? 0);
      const outcome = await readNpz(bytes, OPTIONS).catch((error: unknown) => error);
      expect(outcome instanceof Map || outcome instanceof InferenceError, `byte ${at}: ${outcome}`).toBe(
        true,
      );
    }
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

  it('has entries that can be read one at a time', async () => {
    expect(readNpy(writeNpy(X), OPTIONS)).toEqual(X);
  });
});

function damage(archive: Buffer): Buffer {
  const damaged = Buffer.from(archive);
  damaged.fill(0xff, 60, 80);
  return damaged;
}
