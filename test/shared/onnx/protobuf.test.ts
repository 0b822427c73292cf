import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ByteSource,
  bytesSource,
  encodeField,
  encodeVarint,
  encodeVarintField,
  ProtobufError,
  readFields,
  readText,
  readVarints,
  withFileSource,
} from '../../../shared/onnx/protobuf.ts';
import { encodeInt64 } from '../../support/build-model.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const fieldNumber = fc.integer({ min: 1, max: 2 ** 29 - 1 });
const written = fc.oneof(
  fc.record({ number: fieldNumber, content: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ number: fieldNumber, content: fc.maxSafeNat() }),
);

interface Written {
  readonly number: number;
  readonly content: Uint8Array | number;
}

function encode({ number, content }: Written): Uint8Array {
  return typeof content === 'number' ? encodeVarintField(number, content) : encodeField(number, content);
}

function decode(source: ByteSource): Written[] {
  return [...readFields(source)].map(({ number, wireType, value, start, end }) => ({
    number,
    content: wireType === 0 ? value : Uint8Array.from(source.bytes(start, end)),
  }));
}

describe('readFields', () => {
  it('reads back what encodeField and encodeVarintField wrote', () => {
    fc.assert(
      fc.property(fc.array(written), (fields) => {
        expect(decode(bytesSource(Buffer.concat(fields.map(encode))))).toEqual(fields);
      }),
    );
  });

  it('gives each field from its tag to its end, without gaps', () => {
    fc.assert(
      fc.property(fc.array(written), (fields) => {
        const bytes = Buffer.concat(fields.map(encode));
        let at = 0;
        for (const field of readFields(bytesSource(bytes))) {
          expect(field.fieldStart).toBe(at);
          at = field.end;
        }
        expect(at).toBe(bytes.length);
      }),
    );
  });

  it('skips 32-bit and 64-bit fields', () => {
    const bytes = Uint8Array.of((3 << 3) | 5, 1, 2, 3, 4, (4 << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8, 5 << 3, 9);
    const fields = [...readFields(bytesSource(bytes))];
    expect(fields.map(({ number, end, start }) => [number, end - start])).toEqual([
      [3, 4],
      [4, 8],
      [5, 1],
    ]);
  });

  it('reads a nested message within its bounds alone', () => {
    const bytes = encodeField(1, encodeVarintField(2, 300));
    const source = bytesSource(bytes);
    const [outer] = readFields(source);
    const [inner] = outer ? readFields(source, outer.start, outer.end) : [];
    expect(inner).toMatchObject({ number: 2, value: 300, end: bytes.length });
  });

  it.each([
    ['field number 0', [0x02, 0x00], 'field number 0 at byte 0'],
    ['a group', [0x0b], 'wire type 3 at byte 0'],
    ['an unknown wire type', [0x0f], 'wire type 7 at byte 0'],
    ['a content that ends beyond the message', [0x0a, 0x05, 1], 'field at byte 0 ends beyond its message'],
    ['a tag that never ends', new Array<number>(11).fill(0xff), 'varint at byte 0 has no end'],
    ['a varint cut off', [0x08, 0x80], 'varint at byte 1 has no end'],
    ['a fixed field cut off', [0x0d, 1, 2], 'field at byte 0 ends beyond its message'],
  ])('refuses %s', (_, bytes, message) => {
    const read = () => [...readFields(bytesSource(Uint8Array.from(bytes)))];
    expect(read).toThrow(ProtobufError);
    expect(read).toThrow(message);
  });

  it('refuses a negative length, which would lead back to the start forever', () => {
    const before = encodeField(1, new Uint8Array(2034));
    const loop = Buffer.concat([before, Uint8Array.of(0x0a), encodeInt64(-2048n), new Uint8Array(9)]);
    const fields = readFields(bytesSource(loop));
    expect(fields.next().value).toMatchObject({ number: 1, end: 2037 });
    expect(() => fields.next()).toThrow('field at byte 2037 ends beyond its message');
  });

  it('ends on any bytes, with fields or a ProtobufError', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // Mostly continuation bytes: long varints, negative lengths.
      fc.array(fc.constantFrom(0xff, 0x80, 0x81, 0x0a, 0x01, 0x00, 0x7f), { maxLength: 60 }),
    );
    fc.assert(
      fc.property(anyBytes, (bytes) => expectFieldsOrError(Uint8Array.from(bytes))),
      { numRuns: 5_000 },
    );
  });

  it('ends on messages with changed bytes, with fields or a ProtobufError', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(written, { minLength: 1 }), fc.array(change), (fields, changes) => {
        const bytes = Buffer.concat(fields.map(encode));
        for (const { at, byte } of changes) bytes[at % bytes.length] = byte;
        expectFieldsOrError(bytes);
      }),
      { numRuns: 2_000 },
    );
  });
});

function expectFieldsOrError(bytes: Uint8Array): void {
  try {
    let at = 0;
    for (const field of readFields(bytesSource(bytes))) {
      // Each field moves on, so there are no more fields than bytes.
      if (field.end <= at || field.end > bytes.length) expect.fail(`the field at ${at} ends at ${field.end}`);
      at = field.end;
    }
  } catch (error) {
    expect(error).toBeInstanceOf(ProtobufError);
  }
}

describe('readVarints', () => {
  const integers = fc.array(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -1000, max: 1000 })));

  it('reads packed integers, negative ones included', () => {
    fc.assert(
      fc.property(integers, (values) => {
        const content = Buffer.concat(values.map((value) => encodeInt64(BigInt(value))));
        const source = bytesSource(encodeField(8, content));
        expect([...readFields(source)].flatMap((field) => readVarints(source, field))).toEqual(values);
      }),
    );
  });

  it('reads integers in fields of their own', () => {
    fc.assert(
      fc.property(integers, (values) => {
        const source = bytesSource(
          Buffer.concat(values.flatMap((value) => [encodeVarint(8 * 8), encodeInt64(BigInt(value))])),
        );
        expect([...readFields(source)].flatMap((field) => readVarints(source, field))).toEqual(values);
      }),
    );
  });
});

describe('withFileSource', () => {
  it('reads the same as from memory, wherever the window cuts', async () => {
    const fields = Array.from({ length: 60 }, (_, index) => ({
      number: index + 1,
      // From nothing to more than two windows of 16 KiB.
      content: new Uint8Array(index * 701).fill(index),
    }));
    const bytes = Buffer.concat(fields.map(encode));
    const folder = await makeFolder({ message: bytes });
    withFileSource(join(folder, 'message'), (source) => {
      expect(source.length).toBe(bytes.length);
      expect(decode(source)).toEqual(fields);
    });
  });

  it('gives any part of the file, in any order', async () => {
    const bytes = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 31) % 251);
    const path = join(await makeFolder({ file: bytes }), 'file');
    const ranges = fc.array(fc.tuple(fc.nat(bytes.length), fc.nat(bytes.length)));
    fc.assert(
      fc.property(ranges, (pairs) => {
        withFileSource(path, (source) => {
          for (const [a, b] of pairs) {
            const [start, end] = [Math.min(a, b), Math.max(a, b)];
            expect(Buffer.compare(source.bytes(start, end), bytes.subarray(start, end))).toBe(0);
            if (start < bytes.length) expect(source.byteAt(start)).toBe(bytes[start]);
          }
        });
      }),
      { numRuns: 50 },
    );
  });

  it('reads texts', async () => {
    const folder = await makeFolder({ message: encodeField(3, Buffer.from('Größe')) });
    withFileSource(join(folder, 'message'), (source) => {
      expect([...readFields(source)].map((field) => readText(source, field))).toEqual(['Größe']);
    });
  });

  it('passes on what its user throws, and the error of a missing file', async () => {
    const folder = await makeFolder({ empty: '' });
    expect(() =>
      withFileSource(join(folder, 'empty'), () => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(() => withFileSource(join(folder, 'none'), () => 0)).toThrow('ENOENT');
    expect(withFileSource(join(folder, 'empty'), (source) => [...readFields(source)])).toEqual([]);
  });
});
