import * as z from 'zod/mini';
import { flattenParts, makePart, type Part, type PartMaker, readOptions, TokenizerError } from './parts.ts';

/** A place of a row: a special token, or all tokens of its first (0) or second text (1). */
type Place = { readonly id: number; readonly type: number } | { readonly text: 0 | 1; readonly type: number };

/** The parts of a row, in order. The special tokens stay when its texts are cut. */
export interface Frame {
  readonly places: readonly Place[];
  /** How many of the places are special tokens. */
  readonly specialTokens: number;
}

/** How rows of one text and rows of two are made. */
export interface Frames {
  readonly single: Frame;
  /** Undefined if the tokenizer cannot put two texts into one row. */
  readonly pair: Frame | undefined;
}

/**
 * Reads the special tokens that a post-processor of `tokenizer.json` puts around one text and around two texts.
 *
 * @throws TokenizerError
 */
export function createFrames(part: Part | null | undefined): Frames {
  const steps = flattenParts('post-processor', part, 'processors').map((step) =>
    makePart('post-processor', MAKERS, step),
  );
  const process = (texts: readonly Segment[]) =>
    steps.reduce<readonly Segment[] | undefined>((segments, step) => {
      const made = segments && step(segments);
      if (made && countSpecial(made.flat()) > MOST_AROUND) throw tooMany();
      return made;
    }, texts);
  const single = toFrame(process([[FIRST]]), 1);
  if (!single) {
    throw new TokenizerError('its tokenizer.json has a template that does not contain the text exactly once');
  }
  return { single, pair: toFrame(process([[FIRST], [SECOND]]), 2) };
}

const FIRST: Place = { text: 0, type: 0 };
const SECOND: Place = { text: 1, type: 1 };

/** More tokens would leave no room for the text. */
const MOST_AROUND = 10_000;

function tooMany(): TokenizerError {
  return new TokenizerError(`its tokenizer.json puts more than ${MOST_AROUND} tokens around a text`);
}

function countSpecial(places: readonly Place[]): number {
  return places.reduce((count, place) => count + ('id' in place ? 1 : 0), 0);
}

/** @returns undefined unless each of the texts has one place */
function toFrame(segments: readonly Segment[] | undefined, texts: 1 | 2): Frame | undefined {
  const places = segments?.flat() ?? [];
  const found = places.flatMap((place) => ('text' in place ? [place.text] : []));
  if (found.length !== texts || new Set(found).size !== texts) return undefined;
  return { places, specialTokens: places.length - texts };
}

/** A part of a row. A post-processor gets one for each text, and passes one or more to the next post-processor. */
type Segment = readonly Place[];

/** Puts special tokens around segments; undefined if it does not take this number of segments. */
type Wrapper = (segments: readonly Segment[]) => readonly Segment[] | undefined;

const id = z.int().check(z.minimum(0));
const namedToken = z.tuple([z.string(), id]);
const pairSchema = z.looseObject({ sep: namedToken, cls: namedToken });
const templateItems = z.array(
  z.union([
    z.object({ SpecialToken: z.object({ id: z.string(), type_id: id }) }),
    z.object({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: id }) }),
  ]),
);
const templateSchema = z.looseObject({
  single: templateItems,
  pair: z.optional(templateItems),
  special_tokens: z.record(z.string(), z.object({ ids: z.array(id) })),
});

const MAKERS: Readonly<Record<string, PartMaker<Wrapper>>> = {
  BertProcessing: createBert,
  ByteLevel: () => (segments) => segments,
  RobertaProcessing: createRoberta,
  TemplateProcessing: createTemplate,
};

function createBert(part: Part): Wrapper {
  const { sep, cls } = readOptions(part, pairSchema);
  return (segments) =>
    segments.map((segment, index) =>
      index === 0
        ? [{ id: cls[1], type: 0 }, ...segment, { id: sep[1], type: 0 }]
        : [...segment, { id: sep[1], type: 1 }],
    );
}

/** All tokens have the same type, and two separators stand between the texts. */
function createRoberta(part: Part): Wrapper {
  const { sep, cls } = readOptions(part, pairSchema);
  return (segments) =>
    segments.map((segment, index) => [
      { id: index === 0 ? cls[1] : sep[1], type: 0 },
      ...segment.map((place) => ({ ...place, type: 0 })),
      { id: sep[1], type: 0 },
    ]);
}

/** Each item of a template makes one segment. */
function createTemplate(part: Part): Wrapper {
  const { single, pair, special_tokens } = readOptions(part, templateSchema);
  const specialOf = (name: string, type: number): readonly Place[] => {
    const token = Object.hasOwn(special_tokens, name) ? special_tokens[name] : undefined;
    if (!token) throw new TokenizerError('its tokenizer.json has a template whose tokens have no ids');
    if (token.ids.length > MOST_AROUND) throw tooMany();
    return token.ids.map((tokenId) => ({ id: tokenId, type }));
  };
  const fill = (items: typeof single, segments: readonly Segment[]): readonly Segment[] => {
    let room = MOST_AROUND;
    return items.map((item) => {
      if ('Sequence' in item) {
        const { id: name, type_id: type } = item.Sequence;
        return (segments[name === 'A' ? 0 : 1] ?? []).map((place) => ({ ...place, type }));
      }
      const special = specialOf(item.SpecialToken.id, item.SpecialToken.type_id);
      room -= special.length;
      if (room < 0) throw tooMany();
      return special;
    });
  };
  return (segments) => {
    if (segments.length === 1) return fill(single, segments);
    return segments.length === 2 && pair ? fill(pair, segments) : undefined;
  };
}
