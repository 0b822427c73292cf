import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createCharsMap } from '../../../../../shared/processing/text/tokenizer/charsmap.ts';
import { createTextEncoder } from '../../../../../shared/processing/text/tokenizer/text-encoder.ts';
import { finishSteps } from '../../../../../shared/processing/text/tokenizer/vocabulary.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

/** A text of its own, of a million characters. */
const longText = (begin: string, rest: string) =>
  Buffer.from(begin + rest.repeat(1_000_000 / rest.length)).toString();

describe('what tokenizers remember', () => {
  it.each<[string, () => (index: number) => void]>([
    [
      'a word of each text',
      () => {
        const vocab = Object.fromEntries(
          Array.from('▁abcdefghijklmnopqrstuvwxyz0123456789', (character, id) => [character, id]),
        );
        const { encode } = createTextEncoder({
          pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
          model: { type: 'BPE', vocab, merges: [] },
        });
        return (index) => {
          encode(longText(`word${String(index).padStart(20, '0')} `, 'a '))
            [Symbol.iterator]()
            .next();
        };
      },
    ],
    [
      'a cluster of characters that is the whole text',
      () => {
        const noRules = Buffer.alloc(9);
        noRules.writeUInt32LE(4, 0);
        const replace = createCharsMap(noRules.toString('base64'));
        return (index) => finishSteps(replace(longText(`a${index}`, '\u0301'), 2e6));
      },
    ],
  ])('is not the text around it: %s', (_, open) => {
    const read = open();
    read(0);
    const before = heapBytes();
    for (let index = 1; index <= 8; index++) read(index);
    expect(heapBytes() - before).toBeLessThan(6e6);
  });
});
