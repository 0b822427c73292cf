import { BEGIN, CHECK, CHOICE, JUMP, LOOK, type Program, SET, SPLIT } from './compile-pattern.ts';

/** The part of a text that a pattern matches. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds what `text.matchAll` of the same regular expression finds, with the flags `g` and `u`, in a number of steps
 * proportional to the length of the text.
 *
 * It tries what JavaScript tries, in the same order, and remembers which choices failed at which places: they are not
 * tried again, in this match or a later one. Source: Davis, Servant and Lee, "Using Selective Memoization to Defeat
 * Regular Expression Denial of Service", 2021.
 */
export function* runPattern(program: Program, text: string): Generator<Match> {
  const { run, failed } = createMachine(program, text);
  for (let start = 0; start <= text.length; ) {
    const end = run(start);
    if (end !== NOWHERE) {
      yield { start, end };
      // The choices of this match did not fail, so the next match may make them again.
      failed.clearRow(end);
    }
    start = end > start ? end : start + widthOf(text.codePointAt(start) ?? 0);
  }
}

const NOWHERE = -1;
const widthOf = (code: number) => (code > 0xffff ? 2 : 1);
const codeAfter = (text: string, place: number) => text.codePointAt(place) ?? NOWHERE;

function codeBefore(text: string, place: number): number {
  const isPair = place > 1 && (text.codePointAt(place - 2) ?? 0) > 0xffff;
  return text.codePointAt(isPair ? place - 2 : place - 1) ?? NOWHERE;
}

interface Machine {
  /** Gives the place where a match that starts at a place ends, or `NOWHERE`. */
  readonly run: (start: number) => number;
  /** Choices that failed or are being tried. */
  readonly failed: Marks;
  /** The choices that led to the end of the last run, as mark keys and places in turn. */
  readonly way: () => readonly number[];
}

/** A choice on the way: its step, place and flags, and whether the other step is tried already. */
const FRAME = 4;

/** @param held choices that are known to lead to some end */
function createMachine(program: Program, text: string, held?: Marks): Machine {
  const { kinds, firsts, seconds, splits, splitCount, sets, isBackward } = program;
  const failed = createMarks(program, text);
  const looks = program.looks.map(({ program: body, isNegative }) => {
    const holds = createLook(body, text);
    return (place: number) => holds(place) !== isNegative;
  });
  const codeAt = isBackward ? codeBefore : codeAfter;
  const frames: number[] = [];
  /** Goes back to the last choice whose other step is not tried yet. */
  const turnBack = (): boolean => {
    while (frames.length > 0 && frames.at(-1) === 1) frames.length -= FRAME;
    if (frames.length === 0) return false;
    frames[frames.length - 1] = 1;
    return true;
  };
  const isIn = (set: number, code: number) => code !== NOWHERE && (sets[set]?.(code) ?? false);
  const keyOf = (step: number, flags: number) => (splits[step] ?? 0) + splitCount * flags;
  const run = (start: number): number => {
    frames.length = 0;
    let step = 0;
    let place = start;
    /** One bit per depth: whether the repetition at that depth has read a character. */
    let flags = 0;
    for (;;) {
      let goesOn = true;
      const first = firsts[step] ?? 0;
      switch (kinds[step]) {
        case SET: {
          const code = codeAt(text, place);
          goesOn = isIn(first, code);
          place += isBackward ? -widthOf(code) : widthOf(code);
          flags = (1 << program.depth) - 1;
          step++;
          break;
        }
        case CHOICE:
        case SPLIT: {
          // A choice that fails at its first character need not be remembered, except in a loop, which runs over the
          // text.
          if (kinds[step] === CHOICE && kinds[first] === SET) {
            if (!isIn(firsts[first] ?? 0, codeAt(text, place))) {
              step = seconds[step] ?? 0;
              break;
            }
          }
          const key = keyOf(step, flags);
          if (held?.has(key, place)) return place;
          goesOn = failed.add(key, place);
          if (goesOn) frames.push(step, place, flags, 0);
          step = first;
          break;
        }
        case JUMP:
          step = first;
          break;
        case LOOK:
          goesOn = looks[first]?.(place) ?? false;
          step++;
          break;
        case BEGIN:
          flags &= ~(1 << first);
          step++;
          break;
        case CHECK:
          goesOn = (flags & (1 << first)) !== 0;
          step++;
          break;
        default:
          return place;
      }
      if (goesOn) continue;
      if (!turnBack()) return NOWHERE;
      const frame = frames.length - FRAME;
      step = seconds[frames[frame] ?? 0] ?? 0;
      place = frames[frame + 1] ?? 0;
      flags = frames[frame + 2] ?? 0;
    }
  };
  const way = () => {
    const passed: number[] = [];
    for (let at = 0; at < frames.length; at += FRAME)
      passed.push(keyOf(frames[at] ?? 0, frames[at + 2] ?? 0), frames[at + 1] ?? 0);
    return passed;
  };
  return { run, failed, way };
}

/** Whether the body of a look fits at a place; where it ends does not matter. */
function createLook(program: Program, text: string): (place: number) => boolean {
  if (program.splitCount === 0) {
    const { run } = createMachine(program, text);
    return (place) => run(place) !== NOWHERE;
  }
  const held = createMarks(program, text);
  const { run, way } = createMachine(program, text, held);
  const known = new Int8Array(text.length + 1);
  return (place) => {
    if (known[place] === 0) {
      const holds = run(place) !== NOWHERE;
      known[place] = holds ? 1 : -1;
      const passed = holds ? way() : [];
      for (let at = 0; at < passed.length; at += 2) held.add(passed[at] ?? 0, passed[at + 1] ?? 0);
    }
    return known[place] === 1;
  };
}

function createMarks({ splitCount, depth }: Program, text: string): Marks {
  return new Marks(splitCount << depth, text.length + 1);
}

/** A bit for each choice at each place of a text. */
class Marks {
  readonly #words: number;
  readonly #bits: Uint32Array;

  constructor(choices: number, places: number) {
    this.#words = Math.ceil(choices / 32);
    this.#bits = new Uint32Array(this.#words * places);
  }

  has(choice: number, place: number): boolean {
    return (((this.#bits[place * this.#words + (choice >>> 5)] ?? 0) >>> (choice & 31)) & 1) === 1;
  }

  /** @returns whether it was not there before */
  add(choice: number, place: number): boolean {
    if (this.has(choice, place)) return false;
    const at = place * this.#words + (choice >>> 5);
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (choice & 31));
    return true;
  }

  clearRow(place: number): void {
    this.#bits.fill(0, place * this.#words, (place + 1) * this.#words);
  }
}
