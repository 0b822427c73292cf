import { describe, expect, it } from 'vitest';
import { createCharsMap } from '../../../../../shared/processing/text/tokenizer/charsmap.ts';
import { GrowthError } from '../../../../../shared/processing/text/tokenizer/growth.ts';
import { createTextEncoder } from '../../../../../shared/processing/text/tokenizer/text-encoder.ts';
import { finishSteps } from '../../../../../shared/processing/text/tokenizer/vocabulary.ts';
import { cpuSeconds } from '../../../../support/cpu-seconds.ts';

const times = <T>(count: number, part: T): T[] => new Array<T>(count).fill(part);
const normalizers = (parts: readonly object[]) => ({
  normalizer: { type: 'Sequence', normalizers: parts },
});
const preTokenizers = (parts: readonly object[]) => ({
  pre_tokenizer: { type: 'Sequence', pretokenizers: parts },
});
const model = { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' };
const encoderOf = (parts: object) => createTextEncoder({ model, ...parts });
const countIds = (parts: object, text: string) => [...encoderOf(parts).encode(text)].length;

const replace = (from: string, content: string) => ({ type: 'Replace', pattern: { String: from }, content });
const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
const characters = { type: 'Split', pattern: { Regex: '[^\\n]' }, behavior: 'Isolated' };

/** Rules that make one text of the letter "a", as a SentencePiece model has them. */
function charsmapOf(content: string): string {
  const units = new Uint32Array(512);
  const base = 256;
  units[0] = base << 10;
  // The unit of the byte has its label and says that its value follows at once, where that of NUL would be.
  units[base ^ 0x61] = 0x61 | (1 << 8) | (0x61 << 10);
  units[base] = 0x8000_0000;
  const size = Buffer.alloc(4);
  size.writeUInt32LE(units.byteLength);
  return Buffer.concat([size, Buffer.from(units.buffer), Buffer.from(`${content}\0`)]).toString('base64');
}

describe('the output of a tokenizer', () => {
  it.each<[string, object, string]>([
    ['a Replace forty times', normalizers(times(40, replace('q', 'qq'))), 'q'],
    [
      'a Replace of nothing, which is everywhere',
      normalizers(times(40, { ...replace('', 'q'), pattern: { Regex: '' } })),
      'q',
    ],
    ['one Replace with a megabyte', normalizers([replace('q', 'x'.repeat(1_000_000))]), 'q'.repeat(10_000)],
    [
      'a Prepend again and again',
      normalizers(times(40, { type: 'Prepend', prepend: 'x'.repeat(1000) })),
      'q',
    ],
    [
      'rules with a megabyte',
      { normalizer: { type: 'Precompiled', precompiled_charsmap: charsmapOf('x'.repeat(1_000_000)) } },
      'a',
    ],
    ['bytes of bytes', normalizers(times(40, { type: 'ByteLevel' })), '\u00e9'],
    [
      'compatibility forms of what has grown',
      normalizers([...times(9, replace('q', 'qq')), replace('q', '\ufdfa'), { type: 'NFKD' }]),
      'q'.repeat(200),
    ],
    ['bytes of the bytes of pieces', preTokenizers(times(40, bytes)), '\u00e9'],
    [
      'pieces that are dropped in the end',
      preTokenizers([...times(40, bytes), { type: 'Split', pattern: { Regex: '.' }, behavior: 'Removed' }]),
      '\u00e9',
    ],
    [
      'prefixes of prefixes',
      preTokenizers(
        times(20, [
          { type: 'Metaspace', replacement: '_' },
          { type: 'Metaspace', replacement: '=' },
          characters,
        ]).flat(),
      ),
      'q',
    ],
  ])('is bounded: %s', (_, parts, text) => {
    const encoder = encoderOf(parts);
    const encode = () => {
      expect(() => [...encoder.encode(text)]).toThrow(GrowthError);
    };
    expect(cpuSeconds(encode)).toBeLessThan(2);
  });

  it('is bounded for a whole text, not for each part between added tokens', () => {
    const added_tokens = [{ id: 1, content: '|', normalized: false, special: true }];
    const parts = { added_tokens, ...normalizers([replace('q', 'x'.repeat(5000))]) };
    expect(countIds(parts, 'q')).toBe(1);
    expect(() => countIds(parts, 'q|'.repeat(5000))).toThrow(GrowthError);
  });

  it('is bounded for its own added tokens', () => {
    const added_tokens = [{ id: 1, content: 'q', normalized: true }];
    expect(() => encoderOf({ added_tokens, ...normalizers(times(40, replace('q', 'qq'))) })).toThrow(
      'its tokenizer turns a text into more than 32 times its characters plus 10000',
    );
  });

  it('may be as much as Unicode allows, also for bytes', () => {
    const parts = { ...normalizers([{ type: 'NFKD' }]), ...preTokenizers([characters, bytes]) };
    expect(countIds(parts, '\ufdfa'.repeat(100_000))).toBe(1_800_000);
  });

  it('comes from rules that are remembered for short replacements only', () => {
    const replaceAll = createCharsMap(charsmapOf('xyz'));
    expect(finishSteps(replaceAll('banana', 100))).toBe('bxyznxyznxyz');
    expect(() => finishSteps(replaceAll('banana', 11))).toThrow(GrowthError);
  });
});

describe('a tokenizer that would take too much of each text', () => {
  it.each<[string, object, string]>([
    [
      'normalizers',
      normalizers(times(100, { type: 'NFC' })),
      'its tokenizer.json has more than 100 parts in its normalizer',
    ],
    [
      'pre-tokenizers',
      preTokenizers(times(100, { type: 'Whitespace' })),
      'its tokenizer.json has more than 100 parts in its pre-tokenizer',
    ],
    [
      'post-processors',
      { post_processor: { type: 'Sequence', processors: times(100, { type: 'ByteLevel' }) } },
      'its tokenizer.json has more than 100 parts in its post-processor',
    ],
    [
      'tokens around a text',
      {
        post_processor: {
          type: 'TemplateProcessing',
          single: [
            ...times(101, { SpecialToken: { id: 's', type_id: 0 } }),
            { Sequence: { id: 'A', type_id: 0 } },
          ],
          special_tokens: { s: { ids: times(100, 1) } },
        },
      },
      'its tokenizer.json puts more than 10000 tokens around a text',
    ],
    [
      'an added token',
      { added_tokens: [{ id: 1, content: 'x'.repeat(513) }] },
      `its tokenizer.json has a token of 513 characters that begins with "${'x'.repeat(40)}"; the limit is 512`,
    ],
    [
      'a token of a Unigram',
      {
        model: {
          type: 'Unigram',
          unk_id: 0,
          vocab: [
            ['u', 0],
            ['y'.repeat(1_000_000), 0],
          ],
        },
      },
      `its tokenizer.json has a token of 1000000 characters that begins with "${'y'.repeat(40)}"; the limit is 512`,
    ],
    [
      'a Metaspace of two characters',
      { pre_tokenizer: { type: 'Metaspace', replacement: '  ' } },
      'its tokenizer.json has a Metaspace whose "replacement" cannot be used',
    ],
  ])('is refused: %s', (_, parts, message) => {
    expect(() => encoderOf(parts)).toThrow(message);
  });

  it('is not one with ninety-nine steps, or with a token of 512 characters', () => {
    const longest = 'x'.repeat(512);
    const parts = { ...normalizers(times(99, { type: 'NFC' })), added_tokens: [{ id: 7, content: longest }] };
    expect([...encoderOf(parts).encode(longest)]).toEqual([7]);
  });
});

describe('added tokens', () => {
  it('pause the work during the search of a text that almost has a long one everywhere', () => {
    const encoder = encoderOf({
      added_tokens: [{ id: 1, content: `${'a'.repeat(511)}b`, normalized: false, special: true }],
    });
    const steps = [...encoder.encode('a'.repeat(10_240))];
    expect(steps).toEqual([...times(10, undefined), 0]);
  });
});

describe('added tokens of white space', () => {
  it.each([
    ['lstrip', [1, 1, 1]],
    ['rstrip', [1, 1, 1]],
  ])('are found in steps, not in the square of their number: %s', (option, ids) => {
    const encoder = encoderOf({
      added_tokens: [{ id: 1, content: ' ', normalized: false, special: true, [option]: true }],
    });
    expect([...encoder.encode('   ')]).toEqual(ids);
    const text = ' '.repeat(20_000);
    expect(cpuSeconds(() => [...encoder.encode(text)])).toBeLessThan(2);
  });
});
