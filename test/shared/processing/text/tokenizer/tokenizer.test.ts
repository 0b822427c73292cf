import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TokenizerError } from '../../../../../shared/processing/text/tokenizer/parts.ts';
import {
  createTokenizer,
  type TextTokenizer,
} from '../../../../../shared/processing/text/tokenizer/tokenizer.ts';
import { PROJECT } from '../../../../support/project.ts';

interface Golden {
  readonly texts: readonly string[];
  readonly maxTokens: number;
  readonly ids: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[];
  readonly typeIds: readonly (readonly number[])[];
}

const read = (name: string, file: string) =>
  JSON.parse(readFileSync(join(PROJECT, 'test/fixtures/tokenizers', name, file), 'utf8'));
const open = (name: string) =>
  createTokenizer(read(name, 'tokenizer.json'), read(name, 'tokenizer_config.json'));

function encode(tokenizer: TextTokenizer, texts: readonly string[], maxTokens: number, fixed?: number) {
  const rows = texts.map((text) => tokenizer.tokenize(text, maxTokens));
  const length = fixed ?? Math.max(...rows.map((row) => row.length)) + tokenizer.specialTokens;
  const batch = tokenizer.frame(rows, length);
  const toRows = (values: Int32Array) =>
    Array.from({ length: batch.rows }, (_, row) => [...values.subarray(row * length, (row + 1) * length)]);
  return { ids: toRows(batch.ids), mask: toRows(batch.mask), typeIds: toRows(batch.typeIds) };
}

describe.each(['wordpiece', 'bpe', 'unigram', 'charsmap', 'left-bpe'])('the tokenizer %s', (name) => {
  it('gives the ids, masks and types that transformers gives, padded and cut as there', async () => {
    const tokenizer = await open(name);
    const golden: Golden[] = read(name, 'golden.json');
    expect(golden.flatMap(({ texts }) => texts).length).toBeGreaterThan(30);
    for (const { texts, maxTokens, ids, mask, typeIds } of golden) {
      const got = encode(tokenizer, texts, maxTokens);
      for (const [index, text] of texts.entries()) expect(got.ids[index], text).toEqual(ids[index]);
      expect(got.mask).toEqual(mask);
      expect(got.typeIds).toEqual(typeIds);
    }
  });
});

describe('createTokenizer', () => {
  it('says how long texts may be and how many special tokens there are', async () => {
    const facts = await Promise.all(
      ['wordpiece', 'bpe', 'unigram', 'left-bpe'].map(async (name) => {
        const { maxTokens, specialTokens, canPad } = await open(name);
        return [name, maxTokens, specialTokens, canPad];
      }),
    );
    expect(facts).toEqual([
      ['wordpiece', 64, 2, true],
      ['bpe', undefined, 2, true],
      ['unigram', 32, 1, true],
      ['left-bpe', 128, 0, true],
    ]);
  });

  it('pads to a length at the side the config says', async () => {
    const right = encode(await open('wordpiece'), ['the'], 8, 8);
    expect(right.mask).toEqual([[1, 1, 1, 0, 0, 0, 0, 0]]);
    const left = encode(await open('left-bpe'), ['the'], 8, 8);
    expect(left.mask[0]?.at(-1)).toBe(1);
    expect(left.mask[0]?.[0]).toBe(0);
  });

  it('pads as transformers does for XLNet, which its file does not say', async () => {
    const tokenizer = await createTokenizer(read('bpe', 'tokenizer.json'), {
      tokenizer_class: 'XLNetTokenizer',
      pad_token: '<pad>',
    });
    const batch = tokenizer.frame([tokenizer.tokenize('a', 9)], 5);
    expect([...batch.mask]).toEqual([0, 0, 1, 1, 1]);
    expect([...batch.typeIds]).toEqual([3, 3, 0, 0, 0]);
  });

  it('works without a config', async () => {
    const tokenizer = await createTokenizer(read('wordpiece', 'tokenizer.json'), undefined);
    expect(tokenizer.maxTokens).toBeUndefined();
    expect(tokenizer.canPad).toBe(false);
    expect(encode(tokenizer, ['The fox'], 64).ids).toEqual(
      encode(await open('wordpiece'), ['The fox'], 64).ids,
    );
  });

  it('leaves out words outside a vocabulary that has no unknown token', async () => {
    const json = read('bpe', 'tokenizer.json');
    const { model, ...rest } = json;
    const plain = {
      ...rest,
      model: { ...model, vocab: { a: 0, b: 1 }, merges: [] },
      added_tokens: [],
      pre_tokenizer: null,
      post_processor: null,
    };
    const tokenizer = await createTokenizer(plain, {});
    expect(encode(tokenizer, ['abcab'], 10).ids).toEqual([[0, 1, 0, 1]]);
  });

  it.each([
    ['a list', []],
    ['nothing of a tokenizer', { a: 1 }],
    ['no model', { added_tokens: [] }],
  ])('refuses %s', async (_, json) => {
    await expect(createTokenizer(json, {})).rejects.toThrow(TokenizerError);
  });

  it('names a part it does not know', async () => {
    const json = { ...read('bpe', 'tokenizer.json'), pre_tokenizer: { type: 'Telepathy' } };
    await expect(createTokenizer(json, {})).rejects.toThrow(
      'the pre-tokenizer "Telepathy"; expected one of BertPreTokenizer, ByteLevel, ',
    );
  });

  it('refuses a config whose values are of other types', async () => {
    await expect(createTokenizer(read('bpe', 'tokenizer.json'), { padding_side: 'middle' })).rejects.toThrow(
      'its tokenizer_config.json is not valid',
    );
  });
});

describe('one word of 360,000 characters', () => {
  const word = 'thequickbrownfoxé中'.repeat(20_000);

  // The ids of the code that looked at the whole word at once.
  it.each([
    ['bpe', 280_000, '3bc9fcd5b48df7dc'],
    ['unigram', 300_000, '990c0b2636c184b5'],
    ['charsmap', 300_000, '2d817b8fc7afe5cb'],
  ])('pauses often before its first token and gives the same ids: %s', async (name, count, hash) => {
    const { tokenize, tokenizeInSteps, specialTokens } = await open(name);
    const ids = tokenize(word, 1e9);
    const digest = createHash('sha256').update(Int32Array.from(ids)).digest('hex');
    expect([ids.length, digest.slice(0, 16)]).toEqual([count, hash]);
    const steps = tokenizeInSteps(word, 3 + specialTokens);
    let rests = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) rests++;
    expect(step.value).toEqual(ids.slice(0, 3));
    expect(rests).toBeGreaterThan(50);
  });
});
