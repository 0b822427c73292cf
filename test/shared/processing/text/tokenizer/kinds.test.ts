import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTextEncoder } from '../../../../../shared/processing/text/tokenizer/text-encoder.ts';
import { createTokenizer } from '../../../../../shared/processing/text/tokenizer/tokenizer.ts';
import { PROJECT } from '../../../../support/project.ts';

interface Kind {
  readonly tokenizer: Readonly<Record<string, unknown>>;
  readonly ids: readonly (readonly number[])[];
  readonly typeIds: readonly (readonly number[])[] | null;
}

const golden: { readonly texts: readonly string[]; readonly kinds: Readonly<Record<string, Kind>> } =
  JSON.parse(readFileSync(join(PROJECT, 'test/fixtures/tokenizers/kinds.json'), 'utf8'));
const kindOf = (name: string): Kind => {
  const kind = golden.kinds[name];
  if (kind) return kind;
  throw new Error(`no kind ${name}`);
};

describe.each(Object.keys(golden.kinds))('a tokenizer of the kind "%s"', (name) => {
  it('gives the ids that tokenizers gives', async () => {
    const { tokenizer, ids, typeIds } = kindOf(name);
    const { tokenize, frame, specialTokens } = await createTokenizer(tokenizer, {});
    expect(golden.texts.length).toBeGreaterThan(30);
    for (const [index, text] of golden.texts.entries()) {
      const row = tokenize(text, 10_000);
      const batch = frame([row], row.length + specialTokens);
      expect([...batch.ids], JSON.stringify(text)).toEqual(ids[index]);
      if (typeIds) expect([...batch.typeIds], JSON.stringify(text)).toEqual(typeIds[index]);
    }
  });
});

const BAD_VOCABULARY = 'its tokenizer.json has a vocabulary that cannot be used';

describe('a text encoder', () => {
  it('gives tokens one by one, so that only the needed part of a long text is read', async () => {
    const { tokenizer } = kindOf('words');
    const { tokenize } = await createTokenizer(tokenizer, {});
    const read: number[] = [];
    const { encode } = createTextEncoder(tokenizer);
    for (const id of encode('the dog '.repeat(100_000))) {
      if (id !== undefined) read.push(id);
      if (read.length === 3) break;
    }
    expect(tokenize('the dog '.repeat(100_000), 3)).toEqual(read);
  });

  it('takes at most n log n time for a word of a million characters', async () => {
    const { encode } = createTextEncoder(kindOf('llama').tokenizer);
    const ids = [...encode(' a'.repeat(500_000))].filter((id) => id !== undefined);
    const [first] = encode(' a');
    expect(ids.length).toBeLessThan(1_000_000);
    expect(ids).toContain(first);
  });

  it.each([
    [
      'a model of chance',
      'roberta',
      { dropout: 0.1 },
      'its tokenizer.json has a "dropout", which makes its tokens random',
    ],
    [
      'merges of nothing',
      'roberta',
      { merges: [['a', 'no such token']] },
      'its tokenizer.json has "merges" that cannot be used',
    ],
    ['a vocabulary that is a text', 'words', { vocab: 'the' }, BAD_VOCABULARY],
    ['ids that are not numbers', 'words', { vocab: { the: -1 } }, BAD_VOCABULARY],
    [
      'no token for unknown words',
      'words',
      { unk_token: 'none' },
      'its tokenizer.json has a vocabulary without its token for unknown words',
    ],
    ['scores that are texts', 'unigram', { vocab: [['a', 'b']] }, BAD_VOCABULARY],
    [
      'no unknown token',
      'unigram',
      { unk_id: null },
      'its tokenizer.json has a Unigram whose "unk_id" cannot be used',
    ],
    [
      'an unknown model',
      'words',
      { type: 'Oracle' },
      'its tokenizer.json has the model "Oracle"; expected one of BPE, Unigram, WordLevel, WordPiece',
    ],
  ])('is not made of %s', async (_, name, options, message) => {
    const { tokenizer } = kindOf(name);
    const model = { ...Object(tokenizer.model), ...options };
    expect(() => createTextEncoder({ ...tokenizer, model })).toThrow(message);
  });

  it.each([
    [
      'pre_tokenizer',
      { type: 'UnicodeScripts' },
      'its tokenizer.json has the pre-tokenizer "UnicodeScripts"; expected one of ',
    ],
    ['pre_tokenizer', { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' }, 'the pattern "(", '],
    [
      'pre_tokenizer',
      { type: 'Split', pattern: { Regex: 'a' }, behavior: 'Torn' },
      'its tokenizer.json has a Split whose "behavior" cannot be used',
    ],
    [
      'normalizer',
      { type: 'Sequence', normalizers: 7 },
      'its tokenizer.json has a Sequence whose "normalizers" cannot be used',
    ],
    ['normalizer', { type: 'Prepend' }, 'its tokenizer.json has a Prepend whose "prepend" cannot be used'],
    ['normalizer', 'NFC', 'its tokenizer.json does not describe a tokenizer ("normalizer")'],
    [
      'post_processor',
      { type: 'TemplateProcessing', single: [], special_tokens: {} },
      'its tokenizer.json has a template that does not contain the text exactly once',
    ],
    [
      'post_processor',
      {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: 'x', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
        special_tokens: {},
      },
      'its tokenizer.json has a template whose tokens have no ids',
    ],
    [
      'added_tokens',
      [{ content: 'a' }],
      'its tokenizer.json does not describe a tokenizer ("added_tokens.0.id")',
    ],
  ])('is not made of a broken %s', async (member, part, message) => {
    const broken = { ...kindOf('words').tokenizer, [member]: part };
    expect(() => createTextEncoder(broken)).toThrow(message);
  });

  it('is not made of parts that are nested too deep', async () => {
    let normalizer: object = { type: 'Lowercase' };
    for (let depth = 0; depth < 100_000; depth++)
      normalizer = { type: 'Sequence', normalizers: [normalizer] };
    await expect(createTokenizer({ ...kindOf('words').tokenizer, normalizer }, {})).rejects.toThrow(
      '100 parts in its normalizer',
    );
  });
});
