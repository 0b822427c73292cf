import * as z from 'zod/mini';
import { byteCharacters } from './byte-characters.ts';
import { CHARACTER } from './characters.ts';
import { createCharsMap } from './charsmap.ts';
import { GrowthError, TextBuilder } from './growth.ts';
import { type NormalForm, toNormalForm } from './normal-form.ts';
import { flattenParts, makePart, type Part, type PartMaker, readOptions } from './parts.ts';
import { patternSchema, readPattern } from './patterns.ts';
import type { Piece } from './split.ts';
import { isEndOfStep, type Steps } from './vocabulary.ts';

/**
 * Changes a text before it is split. Between the changes to a long text the work can pause.
 *
 * @param room most characters it may become
 */
export type Normalizer = (piece: Piece, room: number) => Steps<Piece>;

/**
 * Makes a normalizer from `tokenizer.json`, with the results of Hugging Face's tokenizers.
 *
 * @throws TokenizerError
 */
export function createNormalizer(part: Part | null | undefined): Normalizer {
  const steps = flattenParts('normalizer', part, 'normalizers');
  return inTurn(steps.map((step) => makePart('normalizer', MAKERS, step)));
}

type Change = (text: string, room: number) => string;

/** For a change that is made in one go. */
const atOnce = (change: (piece: Piece, room: number) => Piece): Normalizer =>
  // biome-ignore lint/correctness/useYield: a change of one step
  function* (piece, room) {
    return change(piece, room);
  };

const changing = (change: Change): Normalizer =>
  atOnce(({ text, isFirst }, room) => ({ text: change(text, room), isFirst }));

/**
 * For changes that drop characters: a text without its first character no longer begins where the whole text begins.
 */
const dropping = (change: (text: string) => string): Normalizer =>
  atOnce(({ text, isFirst }) => ({
    text: change(text),
    isFirst: isFirst && change(String.fromCodePoint(text.codePointAt(0) ?? 0x78)) !== '',
  }));

const inTurn = (steps: readonly Normalizer[]): Normalizer =>
  function* (piece, room) {
    let changed = piece;
    for (const step of steps) {
      changed = yield* step(changed, room);
      if (changed.text.length > room) throw new GrowthError();
    }
    return changed;
  };

/** Most characters that a compatibility form makes of one. */
const LONGEST_FORM = 18;

const toForm = (form: NormalForm) => () =>
  changing((text, room) => {
    // The text may have grown already: its length is checked before it grows further.
    if (text.length * LONGEST_FORM > room && decomposedLength(text) > room) throw new GrowthError();
    return toNormalForm(text, form);
  });

function decomposedLength(text: string): number {
  const known = new Map<string, number>();
  let length = 0;
  for (const character of text) {
    const own = known.get(character) ?? character.normalize('NFKD').length;
    known.set(character, own);
    length += own;
  }
  return length;
}

const MAKERS: Readonly<Record<string, PartMaker<Normalizer>>> = {
  BertNormalizer: createBert,
  Replace: createReplace,
  Lowercase: () => changing(lowercase),
  NFC: toForm('NFC'),
  NFD: toForm('NFD'),
  NFKC: toForm('NFKC'),
  NFKD: toForm('NFKD'),
  Nmt: () => dropping((text) => text.replace(NMT_DROPPED, '').replace(NMT_SPACES, ' ')),
  ByteLevel: () => changing(byteCharacters),
  Precompiled: (part) => {
    const { precompiled_charsmap } = readOptions(part, precompiledSchema);
    if (!precompiled_charsmap) return changing((text) => text);
    const replaceAll = createCharsMap(precompiled_charsmap);
    return function* ({ text, isFirst }, room) {
      return { text: yield* replaceAll(text, room), isFirst };
    };
  },
  Prepend: (part) => {
    const { prepend } = readOptions(part, z.looseObject({ prepend: z.string() }));
    return changing((text) => (text === '' ? text : prepend + text));
  },
  Strip: (part) => {
    const { strip_left, strip_right } = readOptions(part, stripSchema);
    return atOnce(({ text, isFirst }) => {
      const start = strip_left ? firstVisible(text) : 0;
      const end = strip_right ? endOfVisible(text, start) : text.length;
      return { text: text.slice(start, end), isFirst: isFirst && start === 0 };
    });
  },
  StripAccents: () => dropping((text) => text.replace(CHARACTER.combiningMark, '')),
};

const stripSchema = z.looseObject({
  strip_left: z._default(z.boolean(), true),
  strip_right: z._default(z.boolean(), true),
});
const precompiledSchema = z.looseObject({ precompiled_charsmap: z.nullish(z.string()) });
const replaceSchema = z.looseObject({ pattern: patternSchema, content: z.string() });
const bertSchema = z.looseObject({
  clean_text: z._default(z.boolean(), true),
  handle_chinese_chars: z._default(z.boolean(), true),
  strip_accents: z.nullish(z.boolean()),
  lowercase: z._default(z.boolean(), true),
});

/**
 * The characters that the Nmt normalizer removes and those that it turns into a space, as in SentencePiece's rules
 * `nmt_nfkc`.
 */
const NMT_CONTROLS = '\\u0001-\\u0008\\u000b\\u000e-\\u001f\\u007f\\u008f\\u009f';
const NMT_DROPPED = new RegExp(`[${NMT_CONTROLS}]`, 'g');
const NMT_SPACES = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;
/** The ideographs of BERT; the sixth range starts at U+2B920 in Hugging Face's tokenizers too. */
const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/**
 * Character by character: a sigma at the end of a word becomes the usual small sigma, while JavaScript makes it a final
 * one.
 */
function lowercase(text: string): string {
  if (!text.includes('Σ')) return text.toLowerCase();
  return text
    .split('Σ')
    .map((part) => part.toLowerCase())
    .join('σ');
}

/** All white space lies in the first plane, so UTF-16 units can be used as characters. */
function isSpaceAt(text: string, place: number): boolean {
  return text.charAt(place).search(CHARACTER.whiteSpace) !== -1;
}

function firstVisible(text: string): number {
  let start = 0;
  while (start < text.length && isSpaceAt(text, start)) start++;
  return start;
}

function endOfVisible(text: string, start: number): number {
  let end = text.length;
  while (end > start && isSpaceAt(text, end - 1)) end--;
  return end;
}

function createReplace(part: Part): Normalizer {
  const { pattern, content } = readOptions(part, replaceSchema);
  const found = readPattern(pattern);
  return function* ({ text, isFirst }, room) {
    const replaced = new TextBuilder(room);
    let place = 0;
    let keepsStart = true;
    let turn = 0;
    for (const { start, end } of found(text)) {
      if (isEndOfStep(turn++)) yield;
      replaced.append(text.slice(place, start));
      replaced.append(content);
      if (start === 0 && content === '') keepsStart = false;
      place = end;
    }
    replaced.append(text.slice(place));
    return { text: replaced.build(), isFirst: isFirst && keepsStart };
  };
}

function createBert(part: Part): Normalizer {
  const options = readOptions(part, bertSchema);
  const steps: Normalizer[] = [];
  if (options.clean_text) {
    steps.push(
      dropping((text) => text.replace(CHARACTER.control, '').replaceAll('\ufffd', '')),
      changing((text) => text.replace(CHARACTER.whiteSpace, ' ')),
    );
  }
  if (options.handle_chinese_chars) steps.push(changing((text) => text.replace(IDEOGRAPH, ' $& ')));
  if (options.strip_accents ?? options.lowercase) {
    steps.push(dropping((text) => toNormalForm(text, 'NFD').replace(CHARACTER.nonspacingMark, '')));
  }
  if (options.lowercase) steps.push(changing(lowercase));
  return inTurn(steps);
}
