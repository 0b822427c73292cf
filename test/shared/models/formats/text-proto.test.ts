import { describe, expect, it } from 'vitest';
import {
  readTextProto,
  TextProtoError,
  type TextProtoMessage,
} from '../../../../shared/models/formats/text-proto.ts';

/** The message with plain objects for messages and text for names. */
function plain({ fields }: TextProtoMessage): unknown {
  return Object.fromEntries(
    [...fields].map(([name, values]) => [
      name,
      values.map((value) =>
        typeof value !== 'object' ? value : 'fields' in value ? plain(value) : `<${value.name}>`,
      ),
    ]),
  );
}

describe('readTextProto', () => {
  it.each<[string, string, unknown]>([
    ['nothing', '# a comment\n', {}],
    [
      'scalars',
      'a: 1 b: -2.5e3 c: true\nd: "x" e: TYPE_FP32',
      { a: [1], b: [-2500], c: [true], d: ['x'], e: ['<TYPE_FP32>'] },
    ],
    ['repeated fields', 'a: 1 a: 2, a: 3; a: [4, 5]', { a: [1, 2, 3, 4, 5] }],
    [
      'messages in all brackets',
      'a { b: 1 } a: { b: 2 } a < b: 3 >',
      { a: [{ b: [1] }, { b: [2] }, { b: [3] }] },
    ],
    ['a list of messages', 'a [ { b: 1 }, { b: 2 } ]', { a: [{ b: [1] }, { b: [2] }] }],
    ['an empty list and an empty message', 'a: [] b {}', { a: [], b: [{}] }],
    ['strings side by side', `a: "x" 'y'\n  "\\n\\"z"`, { a: ['xy\n"z'] }],
    ['hexadecimal and float literals', 'a: 0x1F a: -0x1f b: 1.5f', { a: [31, -31], b: [1.5] }],
  ])('reads %s', (_, text, value) => {
    expect(plain(readTextProto(text))).toEqual(value);
  });

  it.each([
    ['a value without a name', '1', 'line 1 has "1"'],
    ['a name without a value', 'a\nb', 'line 2 has "b"'],
    ['an end too many', 'a: 1\n}', 'line 2 has "}"'],
    ['a message that is not closed', 'a {\n b: 1', 'it ends too early'],
    ['a message that is closed otherwise', 'a { b: 1 >', 'line 1 has ">"'],
    ['an open string', 'a: "x', 'line 1 has "\\"x"'],
    ['a list without commas', 'a: [1 2]', 'line 1 has "2"'],
    ['an extension', '[a.b]: 1', 'line 1 has "["'],
    ['a sign of no meaning', 'a: $', 'line 1 has "$"'],
    ['an escape of another kind', 'a: "\\q"', 'line 1 has an unsupported escape'],
  ])('refuses %s', (_, text, message) => {
    expect(() => readTextProto(text)).toThrow(new TextProtoError(message));
  });

  it('reads long lists', () => {
    const { fields } = readTextProto(`a: [${'1,'.repeat(200_000)}1]`);
    expect(fields.get('a')).toHaveLength(200_001);
  });

  it('refuses messages that are nested without end', () => {
    expect(() => readTextProto('a {'.repeat(10_000))).toThrow('messages are nested too deep');
  });
});
