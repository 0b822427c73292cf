import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createReplyReader, type Reply } from '../../../shared/features/redis/replies.ts';

const CHUNK = 1024;

/** Reads bytes that come in small pieces. */
function readInPieces(bytes: Buffer, size = CHUNK): readonly Reply[] {
  const replies: Reply[] = [];
  const read = createReplyReader((reply) => replies.push(reply));
  for (let start = 0; start < bytes.length; start += size) read(bytes.subarray(start, start + size));
  return replies;
}

describe('replies of Redis', () => {
  it.each([1, 2, 3, 7, 1000])('are the same in pieces of %i bytes', (size) => {
    const text =
      '*4\r\n$2\r\n\r\n\r\n$-1\r\n*2\r\n:-7\r\n*0\r\n$3\r\nü!\r\n+OK\r\n*-1\r\n$0\r\n\r\n*1\r\n*1\r\n+a\r\n';
    expect(readInPieces(Buffer.from(text), size)).toEqual([
      ['\r\n', null, [-7, []], 'ü!'],
      'OK',
      null,
      '',
      [['a']],
    ]);
  });

  it('are copied only once, however large a text is', () => {
    const text = 'x'.repeat(4 * 1024 * 1024);
    const concat = vi.spyOn(Buffer, 'concat');
    onTestFinished(() => void vi.restoreAllMocks());
    expect(readInPieces(Buffer.from(`$${text.length}\r\n${text}\r\n`))).toEqual([text]);
    const copied = concat.mock.calls.flatMap(([parts]) => parts).reduce((sum, { length }) => sum + length, 0);
    expect(copied).toBeLessThan(text.length + CHUNK);
  });

  it('are read only once, however long a list is', () => {
    const count = 50_000;
    const bytes = Buffer.from(`*${count}\r\n${':1\r\n'.repeat(count)}`);
    const toText = vi.spyOn(Buffer.prototype, 'toString');
    const indexOf = vi.spyOn(Buffer.prototype, 'indexOf');
    onTestFinished(() => void vi.restoreAllMocks());
    expect(readInPieces(bytes)).toEqual([Array.from({ length: count }, () => 1)]);
    const pieces = bytes.length / CHUNK;
    expect(toText.mock.calls.length).toBeLessThanOrEqual(count + 1);
    expect(indexOf.mock.calls.length).toBeLessThan(count + 2 * pieces);
  });

  it.each([
    ['a text', `$${8 * 1024 * 1024 + 1}\r\n`, 'a reply has a wrong number or length'],
    [
      'texts',
      `*9\r\n${`$${1024 * 1024}\r\n${'x'.repeat(1024 * 1024)}\r\n`.repeat(9)}`,
      'a reply has more than 8388608 bytes',
    ],
    ['a line', `+${'x'.repeat(64 * 1024)}`, 'a line of a reply is too long'],
  ])('are refused if they are too long: %s', (_, text, problem) => {
    expect(() => readInPieces(Buffer.from(text))).toThrow(problem);
  });
});
