import { isAscii } from 'node:buffer';
import { TextBuilder } from './growth.ts';
import { isEndOfStep, type Steps } from './vocabulary.ts';

/** Longest cluster of characters, in bytes of UTF-8, that is looked up as a whole. */
const LONGEST_CLUSTER_BYTES = 5;
/**
 * Most clusters whose replacement is cached, and the longest of them: V8 copies slices this short; a longer slice would
 * keep the whole text in memory.
 */
const REMEMBERED = 10_000;
const LONGEST_REMEMBERED = 12;
/** The longest that Unicode has, that of U+FDFA, twice. */
const LONGEST_REPLACEMENT = 36;

/**
 * Makes a function that replaces characters as the `Precompiled` normalizer of Hugging Face's tokenizers does, with the
 * rules of a SentencePiece model: clusters of few bytes as a whole, others character by character.
 *
 * The rules are a double array, whose units lead from byte to byte of UTF-8 to the place of a replacement. Source:
 * SentencePiece (normalizer.cc, a 32-bit length, the units, the replacements with a NUL after each) and Darts-clone.
 *
 * The function throws a GrowthError when the text becomes longer than there is room for.
 *
 * @param charsmap base64, as `tokenizer.json` has it
 * @throws RangeError when the rules are cut off
 */
export function createCharsMap(charsmap: string): (text: string, room: number) => Steps<string> {
  const rules = readRules(Buffer.from(charsmap, 'base64'));
  const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
  const known = new Map<string, string>();

  const replaceCluster = (cluster: string): string => {
    const before = known.get(cluster);
    if (before !== undefined) return before;
    const bytes = Buffer.from(cluster, 'utf8');
    const whole = bytes.length <= LONGEST_CLUSTER_BYTES ? find(rules, bytes) : undefined;
    const replaced =
      whole ??
      Array.from(cluster, (character) => find(rules, Buffer.from(character, 'utf8')) ?? character).join('');
    if (cluster.length > LONGEST_REMEMBERED || replaced.length > LONGEST_REPLACEMENT) return replaced;
    if (known.size >= REMEMBERED) known.clear();
    known.set(cluster, replaced);
    return replaced;
  };

  return function* (text, room) {
    const replaced = new TextBuilder(room);
    let turn = 0;
    for (const cluster of clustersOf(text, segmenter)) {
      replaced.append(replaceCluster(cluster));
      if (isEndOfStep(turn++)) yield;
    }
    return replaced.build();
  };
}

interface Rules {
  readonly units: Uint32Array;
  readonly replacements: Buffer;
}

function readRules(bytes: Buffer): Rules {
  const size = bytes.readUInt32LE(0);
  if (size % 4 !== 0 || size + 4 > bytes.length) throw new RangeError('the rules of a charsmap are cut off');
  const units = Uint32Array.from({ length: size / 4 }, (_, index) => bytes.readUInt32LE(4 + index * 4));
  return { units, replacements: bytes.subarray(4 + size) };
}

/** In ASCII every character is a cluster of its own, except CR LF. */
function* clustersOf(text: string, segmenter: Intl.Segmenter): Generator<string> {
  if (isAscii(Buffer.from(text, 'utf8')) && !text.includes('\r')) yield* text;
  else for (const { segment } of segmenter.segment(text)) yield segment;
}

/** The replacement of the shortest rule that the bytes begin with; undefined if no rule fits. */
function find({ units, replacements }: Rules, bytes: Uint8Array): string | undefined {
  let place = offsetOf(units[0] ?? 0);
  for (const byte of bytes) {
    place ^= byte;
    const unit = units[place] ?? 0;
    // The label of a unit is its byte; a unit that is a value has its highest bit set and fits no byte.
    if (byte === 0 || (unit & 0x8000_00ff) !== byte) return undefined;
    place ^= offsetOf(unit);
    if (((unit >>> 8) & 1) === 1) {
      const start = (units[place] ?? 0) & 0x7fff_ffff;
      return replacements.toString('utf8', start, replacements.indexOf(0, start));
    }
  }
  return undefined;
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
