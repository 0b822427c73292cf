import { describe, expect, it } from 'vitest';
import { joinEach } from '../../../shared/json/join-each.ts';
import { writeItems, writeJson } from '../../../shared/json/write-json.ts';
import { errorOf } from '../../support/error-of.ts';

describe('joinEach', () => {
  it.each([0, 1, 2, 1023, 1024, 1025, 5000])('writes %d texts with commas between', (count) => {
    const expected = Array.from({ length: count }, (_, index) => String(index + 3)).join(',');
    expect(joinEach(3, count + 3, String, expected.length)).toBe(expected);
    if (count > 0)
      expect(errorOf(() => joinEach(3, count + 3, String, expected.length - 1)).status).toBe(413);
  });

  it('stops soon after the limit', () => {
    let written = 0;
    const write = () => {
      written++;
      return '0';
    };
    expect(errorOf(() => joinEach(0, 1_000_000, write, 10_000)).message).toMatch(
      /^The answer has more than 10000 bytes.*\(MAX_ANSWER_BYTES\)/,
    );
    expect(written).toBeLessThan(7_000);
  });
});

describe('an answer in JSON', () => {
  it.each<[string, Parameters<typeof writeJson>[0]]>([
    ['an array', new Array(500).fill(1)],
    ['nested arrays', [new Array(300).fill([1])]],
    ['an object', Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`key${index}`, index]))],
    ['a map', { a: new Map(Array.from({ length: 200 }, (_, index) => [`key${index}`, index])) }],
  ])('is refused as soon as %s makes it longer than the limit', (_, value) => {
    const { length } = JSON.stringify(value, (_, each) =>
      each instanceof Map ? Object.fromEntries(each) : each,
    );
    expect(writeJson(value, length)).toHaveLength(length);
    expect(errorOf(() => writeJson(value, 500)).code).toBe('PAYLOAD_TOO_LARGE');
  });

  it('has each item written before the next is made', () => {
    const made: number[] = [];
    const encode = (item: number) => {
      made.push(item);
      return 'x'.repeat(100);
    };
    const items = Array.from({ length: 100_000 }, (_, index) => index);
    expect(errorOf(() => writeItems(items, encode, 50_000)).status).toBe(413);
    expect(made.length).toBeLessThan(2_000);
  });
});
