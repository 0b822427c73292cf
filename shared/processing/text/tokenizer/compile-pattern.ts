import { type CharacterSet, createCharacterSet } from './character-set.ts';

/** The kinds of steps in a program. */
export const SET = 0;
export const SPLIT = 1;
export const CHOICE = 2;
export const JUMP = 3;
export const LOOK = 4;
export const BEGIN = 5;
export const CHECK = 6;
const MATCH = 7;

/**
 * A regular expression as the steps of a machine, as in Thompson's construction. A `SPLIT` names two steps, the one to
 * try first and the other; a `CHOICE` does so too, but does not itself form a loop. A repetition whose body can be
 * empty stands between `BEGIN` and `CHECK`: after the required minimum, JavaScript does not accept an empty repetition.
 */
export interface Program {
  readonly kinds: Uint8Array;
  /** SET: which set. SPLIT and CHOICE: the step to try first. JUMP: where to. LOOK: which look. BEGIN and CHECK: which depth. */
  readonly firsts: Int32Array;
  /** SPLIT and CHOICE: the other step. */
  readonly seconds: Int32Array;
  /** SPLIT and CHOICE: its number among both, else -1. */
  readonly splits: Int32Array;
  readonly splitCount: number;
  /** How deep repetitions that can be empty are nested. */
  readonly depth: number;
  readonly sets: readonly CharacterSet[];
  readonly looks: readonly Look[];
  /** Whether the text is read from right to left, for the body of a lookbehind. */
  readonly isBackward: boolean;
}

/** A lookahead or lookbehind: text that must, or must not, be after or before a place. */
export interface Look {
  readonly program: Program;
  readonly isNegative: boolean;
}

type Node =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly parts: readonly Node[] }
  | { readonly kind: 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly body: Node; readonly count: Count }
  | {
      readonly kind: 'look';
      readonly body: Node;
      readonly isBackward: boolean;
      readonly isNegative: boolean;
    };

interface Count {
  readonly least: number;
  readonly most: number;
  readonly isLazy: boolean;
}

/**
 * Most steps of a program. It limits the steps for each character of a text, because each choice is made at most once
 * at each place. Of 40 patterns of public models the largest has 1,112 steps and 36 choices.
 */
const MOST_STEPS = 5000;
const MOST_CHOICES = 512;
const MOST_DEPTH = 3;

/**
 * Compiles the source of a regular expression of JavaScript with the flag `u`.
 *
 * @throws SyntaxError for syntax that is not supported, such as references to groups, and for too long a program
 */
export function compilePattern(source: string): Program {
  return emit(parse(source), false);
}

function parse(source: string): Node {
  let at = 0;
  const known = new Map<string, CharacterSet>();
  const setOf = (atom: string): CharacterSet => {
    const set = known.get(atom) ?? createCharacterSet(atom);
    known.set(atom, set);
    return set;
  };
  const refuse = (): never => {
    throw new SyntaxError(`cannot be read starting at character ${at}`);
  };
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const readChoice = (): Node => {
    const parts = [readSequence()];
    while (source[at] === '|') {
      at++;
      parts.push(readSequence());
    }
    const [only, ...more] = parts;
    return only && more.length === 0 ? only : { kind: 'choice', parts };
  };
  const readSequence = (): Node => {
    const parts: Node[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') {
      const body = readAtom();
      const count = readCount(take(QUANTIFIER));
      parts.push(count ? { kind: 'repeat', body, count } : body);
    }
    return { kind: 'sequence', parts };
  };
  const readAtom = (): Node => {
    const opening = take(OPENING);
    if (opening === undefined) {
      return { kind: 'set', set: setOf(take(ATOM) ?? refuse()) };
    }
    const body = readChoice();
    if (source[at] !== ')') refuse();
    at++;
    if (!/[=!]$/.test(opening)) return body;
    return { kind: 'look', body, isBackward: opening.includes('<'), isNegative: opening.endsWith('!') };
  };
  const node = readChoice();
  return at === source.length ? node : refuse();
}

/** A group, with the characters that say its kind. */
const OPENING = /\((?:\?(?:<?[=!]|:|<[\p{ID_Start}_$][\p{ID_Continue}$]*>)|(?!\?))/uy;
const QUANTIFIER = /(?:[*+?]|\{\d+(?:,\d*)?\})\??/y;
/** A part that stands for one character. References to groups and the borders `\b` and `^` are not supported. */
const ATOM =
  /\[(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[a-zA-Z]|\\[^1-9bBkpPuxc]|[^\\^$*+?()[\]{}|]/suy;

function readCount(text: string | undefined): Count | undefined {
  if (text === undefined) return undefined;
  const isLazy = text.length > 1 && text.endsWith('?');
  if (text.startsWith('*')) return { least: 0, most: Number.POSITIVE_INFINITY, isLazy };
  if (text.startsWith('+')) return { least: 1, most: Number.POSITIVE_INFINITY, isLazy };
  if (text.startsWith('?')) return { least: 0, most: 1, isLazy };
  const [least = '', most] = text.replace(/[{}?]/g, '').split(',');
  if (most === undefined) return { least: Number(least), most: Number(least), isLazy };
  return { least: Number(least), most: most === '' ? Number.POSITIVE_INFINITY : Number(most), isLazy };
}

function canBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'sequence':
      return node.parts.every(canBeEmpty);
    case 'choice':
      return node.parts.some(canBeEmpty);
    case 'repeat':
      return node.count.least === 0 || canBeEmpty(node.body);
    case 'look':
      return true;
  }
}

interface Step {
  readonly kind: number;
  first: number;
  second: number;
}

function emit(node: Node, isBackward: boolean): Program {
  const steps: Step[] = [];
  const sets: CharacterSet[] = [];
  const looks: Look[] = [];
  let depth = 0;
  let deepest = 0;
  const add = (kind: number, first = 0): Step => {
    if (steps.length >= MOST_STEPS) throw new SyntaxError(`takes more than ${MOST_STEPS} steps`);
    const step = { kind, first, second: 0 };
    steps.push(step);
    return step;
  };
  /** Another repetition is tried first, unless the repetition is lazy. */
  const aim = (split: Step, inside: number, outside: number, isLazy: boolean) => {
    [split.first, split.second] = isLazy ? [outside, inside] : [inside, outside];
  };
  /** One repetition more than the minimum. */
  const addOne = (body: Node) => {
    if (!canBeEmpty(body)) return write(body);
    if (depth === MOST_DEPTH) throw new SyntaxError('nests repetitions that can be empty too deeply');
    add(BEGIN, depth);
    depth++;
    deepest = Math.max(deepest, depth);
    write(body);
    depth--;
    add(CHECK, depth);
  };
  const addRepeat = (body: Node, { least, most, isLazy }: Count) => {
    const isOpen = most === Number.POSITIVE_INFINITY;
    // The last required repetition is the first of the loop, unless it may be empty and the others may not.
    const endsInLoop = isOpen && least > 0 && !canBeEmpty(body);
    for (let time = endsInLoop ? 1 : 0; time < least; time++) write(body);
    if (endsInLoop) addLoop(body, isLazy);
    else if (isOpen) addAny(body, isLazy);
    else addUpTo(body, most - least, isLazy);
  };
  const addLoop = (body: Node, isLazy: boolean) => {
    const inside = steps.length;
    write(body);
    aim(add(SPLIT), inside, steps.length, isLazy);
  };
  const addAny = (body: Node, isLazy: boolean) => {
    const start = steps.length;
    const split = add(SPLIT);
    addOne(body);
    add(JUMP, start);
    aim(split, start + 1, steps.length, isLazy);
  };
  /** Each one is nested in the one before it: `(?:a(?:a)?)?`. */
  const addUpTo = (body: Node, times: number, isLazy: boolean) => {
    const chances: { readonly split: Step; readonly inside: number }[] = [];
    for (let time = 0; time < times; time++) {
      chances.push({ split: add(CHOICE), inside: steps.length });
      addOne(body);
    }
    for (const { split, inside } of chances) aim(split, inside, steps.length, isLazy);
  };
  const addChoice = (parts: readonly Node[]) => {
    const ends: Step[] = [];
    for (const [index, part] of parts.entries()) {
      const split = index < parts.length - 1 ? add(CHOICE) : undefined;
      if (split) split.first = steps.length;
      write(part);
      if (!split) continue;
      ends.push(add(JUMP));
      split.second = steps.length;
    }
    for (const end of ends) end.first = steps.length;
  };
  const write = (part: Node): void => {
    switch (part.kind) {
      case 'set':
        add(SET, sets.push(part.set) - 1);
        break;
      case 'sequence':
        for (const each of isBackward ? part.parts.toReversed() : part.parts) write(each);
        break;
      case 'choice':
        addChoice(part.parts);
        break;
      case 'repeat':
        addRepeat(part.body, part.count);
        break;
      case 'look': {
        const program = emit(part.body, part.isBackward);
        add(LOOK, looks.push({ program, isNegative: part.isNegative }) - 1);
        break;
      }
    }
  };
  write(node);
  add(MATCH);
  const isSplit = ({ kind }: Step) => kind === SPLIT || kind === CHOICE;
  const splitCount = steps.filter(isSplit).length;
  if (splitCount << deepest > MOST_CHOICES) throw new SyntaxError(`has more than ${MOST_CHOICES} choices`);
  let split = 0;
  return {
    kinds: Uint8Array.from(steps, ({ kind }) => kind),
    firsts: Int32Array.from(steps, ({ first }) => first),
    seconds: Int32Array.from(steps, ({ second }) => second),
    splits: Int32Array.from(steps, (step) => (isSplit(step) ? split++ : -1)),
    splitCount,
    depth: deepest,
    sets,
    looks,
    isBackward,
  };
}
