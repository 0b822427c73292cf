import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  createTokenizer,
  type TextTokenizer,
  type TokenRow,
} from '../../../../../shared/processing/text/tokenizer/tokenizer.ts';
import { finishSteps } from '../../../../../shared/processing/text/tokenizer/vocabulary.ts';
import { PROJECT } from '../../../../support/project.ts';

type Pair = readonly [string, string];
type Numbers = readonly (readonly number[])[];

interface Pairs {
  readonly specialTokens: number;
  readonly batches: readonly {
    readonly maxTokens: number;
    readonly ids: Numbers;
    readonly mask: Numbers;
    readonly typeIds: Numbers;
  }[];
}

interface Kind extends Pairs {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly single: { readonly ids: Numbers; readonly typeIds: Numbers };
}

const FOLDER = join(PROJECT, 'test/fixtures/tokenizers');
const read = (...path: string[]) => JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8'));
const golden: {
  readonly pairs: readonly Pair[];
  readonly tokenizers: Readonly<Record<string, Pairs>>;
  readonly tinyPairs: readonly Pair[];
  readonly kinds: Readonly<Record<string, Kind>>;
} = read('pairs.json');

function frame(tokenizer: TextTokenizer, rows: readonly TokenRow[]) {
  const length = Math.max(...rows.map((row) => tokenizer.lengthOf(row)));
  const batch = tokenizer.frame(rows, length);
  const toRows = (values: Int32Array) =>
    Array.from({ length: batch.rows }, (_, row) => [...values.subarray(row * length, (row + 1) * length)]);
  return { ids: toRows(batch.ids), mask: toRows(batch.mask), typeIds: toRows(batch.typeIds) };
}

function encode(tokenizer: TextTokenizer, pairs: readonly Pair[], maxTokens: number) {
  const rows = pairs.map(([first, second]) =>
    finishSteps(tokenizer.tokenizePairInSteps(first, second, maxTokens)),
  );
  return frame(tokenizer, rows);
}

describe.each(Object.entries(golden.tokenizers))('pairs of texts by the tokenizer %s', (name, expected) => {
  it('are the tensors that transformers makes of them, padded and cut as there', async () => {
    const tokenizer = await createTokenizer(
      read(name, 'tokenizer.json'),
      read(name, 'tokenizer_config.json'),
    );
    expect(tokenizer.pairSpecialTokens).toBe(expected.specialTokens);
    expect(expected.batches.length).toBeGreaterThan(5);
    for (const { maxTokens, ids, mask, typeIds } of expected.batches) {
      const got = encode(tokenizer, golden.pairs, maxTokens);
      for (const [index, pair] of golden.pairs.entries()) {
        expect(got.ids[index], `${maxTokens} ${JSON.stringify(pair)}`).toEqual(ids[index]);
      }
      expect(got.mask).toEqual(mask);
      expect(got.typeIds).toEqual(typeIds);
    }
  });
});

describe.each(Object.entries(golden.kinds))('with the post-processor "%s"', (_, kind) => {
  it('pairs and single texts have the tokens and types that tokenizers gives them', async () => {
    const tokenizer = await createTokenizer(kind.tokenizer, { pad_token: '</s>' });
    expect(tokenizer.pairSpecialTokens).toBe(kind.specialTokens);
    for (const { maxTokens, ids, mask, typeIds } of kind.batches) {
      expect(encode(tokenizer, golden.tinyPairs, maxTokens)).toEqual({ ids, mask, typeIds });
    }
    const rows = golden.tinyPairs.map(([first]) => tokenizer.tokenize(first, 64));
    expect(frame(tokenizer, rows)).toMatchObject(kind.single);
  });
});

describe('a tokenizer that makes no rows of two texts', () => {
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const text = (id: string) => ({ Sequence: { id, type_id: 0 } });
  const withTemplate = (pair: object) => {
    const { tokenizer } = golden.kinds.template ?? {};
    const template = {
      type: 'TemplateProcessing',
      single: [special('<s>'), text('A')],
      special_tokens: { '<s>': { id: '<s>', ids: [2], tokens: ['<s>'] } },
      ...pair,
    };
    return createTokenizer({ ...tokenizer, post_processor: template }, {});
  };

  it.each([
    ['no template for them', {}],
    ['a template that has the second text nowhere', { pair: [text('A'), special('<s>')] }],
    ['a template that has a text twice', { pair: [text('A'), text('B'), text('A')] }],
  ])('has %s, and takes single texts', async (_, pair) => {
    const tokenizer = await withTemplate(pair);
    expect(tokenizer.pairSpecialTokens).toBeUndefined();
    expect(frame(tokenizer, [tokenizer.tokenize('the dog', 9)]).ids).toEqual([[2, 3, 4]]);
  });

  it('cannot be read where templates follow each other, which tokenizers has no rows for either', async () => {
    const { tokenizer } = golden.kinds.template ?? {};
    const processors = [tokenizer?.post_processor, tokenizer?.post_processor];
    await expect(
      createTokenizer({ ...tokenizer, post_processor: { type: 'Sequence', processors } }, {}),
    ).rejects.toThrow('a template that does not contain the text exactly once');
  });
});
