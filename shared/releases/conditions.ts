import { evalCondition } from '@growthbook/growthbook';
import type { JsonValue } from '../json/json-value.ts';
import type { Traffic } from '../models/serving.ts';
import { type RequestFacts, readCookie } from './assign.ts';

/** A condition in GrowthBook's language, as the state of a release has it. */
export type Condition = Traffic['rules'][number]['when'];

/** What a condition can ask for: the part before the first dot, and how the rest is read. */
const SOURCES: Readonly<Record<string, (facts: RequestFacts, name: string) => JsonValue | undefined>> = {
  header: (facts, name) => facts.header(name.toLowerCase()),
  cookie: readCookie,
  field: (facts, path) => facts.field(path),
};

/** Operators on other conditions, and on values. Groups that are saved elsewhere are not known here. */
const JOINING = ['$and', '$or', '$nor'];
const OPERATORS = [
  ...['$eq', '$ne', '$lt', '$lte', '$gt', '$gte', '$in', '$nin', '$ini', '$nini', '$exists', '$type', '$not'],
  ...['$veq', '$vne', '$vlt', '$vlte', '$vgt', '$vgte', '$regex', '$regexi'],
  ...['$size', '$all', '$alli', '$elemMatch'],
];

/** Those on the elements of a list. */
const LISTED = ['$all', '$alli', '$elemMatch'];

const DEEPEST = 10;
/** Most code units of a text of a request that a condition sees, and so that a regular expression looks at. */
const LONGEST_TEXT = 256;
const LONGEST_PATTERN = 200;

/**
 * Whether a request meets a condition, as a function of what is known of the request.
 *
 * @param when a condition without a problem
 */
export function compileCondition(when: Condition): (facts: RequestFacts) => boolean {
  const asked = new Map<string, Asked>();
  const condition = rename(when, asked);
  if (!isCondition(condition)) return () => false;
  return (facts) => {
    const attributes: Record<string, JsonValue> = Object.create(null);
    for (const { name, read, hasPattern } of asked.values()) {
      const value = read(facts);
      // A list would become a text of any length.
      if (value === undefined || (hasPattern && typeof value === 'object')) continue;
      attributes[name] = typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : value;
    }
    return evalCondition(attributes, condition);
  };
}

/** What a condition asks for, such as `header.x-country`, without the values that it compares. */
export function namesIn(when: Condition): readonly string[] {
  const asked = new Map<string, Asked>();
  rename(when, asked);
  return [...asked.keys()];
}

/** GrowthBook takes any object of JSON. */
function isCondition(value: unknown): value is Parameters<typeof evalCondition>[1] {
  return isObject(value);
}

/** Something that a condition asks for. */
interface Asked {
  /** A name without dots: GrowthBook would look for an object in an object. */
  readonly name: string;
  readonly read: (facts: RequestFacts) => JsonValue | undefined;
  hasPattern: boolean;
}

/** The same condition with other names for what it asks for. */
function rename(when: unknown, asked: Map<string, Asked>): Condition {
  if (!isObject(when)) return {};
  const members = Object.entries(when).map(([key, value]) => {
    if (JOINING.includes(key)) {
      return [key, Array.isArray(value) ? value.map((each) => rename(each, asked)) : []];
    }
    if (key === '$not') return [key, rename(value, asked)];
    const [source = '', ...names] = key.split('.');
    const path = names.join('.');
    const known = asked.get(key) ?? {
      name: `a${asked.size}`,
      read: (facts: RequestFacts) => SOURCES[source]?.(facts, path),
      hasPattern: false,
    };
    known.hasPattern ||= JSON.stringify(value)?.includes('"$regex') ?? false;
    asked.set(key, known);
    return [known.name, value];
  });
  return Object.fromEntries(members);
}

/**
 * What is wrong with a condition; undefined if nothing is. It is asked before a rule is saved, and again before it is
 * used: a person who can write into the repository must not be able to stop a server.
 */
export function problemOf(when: Condition): string | undefined {
  return problemOfCondition(when, 0);
}

function problemOfCondition(when: unknown, depth: number): string | undefined {
  if (!isObject(when)) return 'a condition must be an object';
  if (depth > DEEPEST) return `it is more than ${DEEPEST} levels deep`;
  return first(Object.entries(when), ([key, value]) => {
    if (JOINING.includes(key)) {
      if (!Array.isArray(value)) return `${key} needs a list of conditions`;
      return first(value, (each) => problemOfCondition(each, depth + 1));
    }
    if (key === '$not') return problemOfCondition(value, depth + 1);
    const [, source = ''] = /^([a-z]+)\.[^.]/.exec(key) ?? [];
    if (!Object.hasOwn(SOURCES, source)) {
      return `${JSON.stringify(key)} is unknown; expected header.<name>, cookie.<name>, field.<path> or one of $and, $or, $nor, $not`;
    }
    return problemOfValue(value, depth + 1);
  });
}

/** What is wrong with the part of a condition that a value is compared with. */
function problemOfValue(expected: unknown, depth: number, isOfElements = false): string | undefined {
  if (depth > DEEPEST) return `it is more than ${DEEPEST} levels deep`;
  if (!isObject(expected)) return undefined;
  return first(Object.entries(expected), ([key, value]) => {
    // Without operators it is a value itself; in $elemMatch, a condition on the members of an element.
    if (!key.startsWith('$')) return problemOfValue(value, depth + 1, isOfElements);
    if (JOINING.includes(key)) {
      if (!Array.isArray(value)) return `${key} needs a list of conditions`;
      return first(value, (each) => problemOfValue(each, depth + 1, isOfElements));
    }
    if (!OPERATORS.includes(key)) {
      return `the operator ${key} is unknown; expected one of ${OPERATORS.join(', ')}`;
    }
    if (key === '$regex' || key === '$regexi') {
      return isOfElements ? `${key} cannot be used on elements of lists` : problemOfPattern(value);
    }
    const nested = Array.isArray(value) ? value : [value];
    const isInside = isOfElements || LISTED.includes(key);
    return first(nested, (each) => problemOfValue(each, depth + 1, isInside));
  });
}

/**
 * Node's regular expressions can take time that grows exponentially with the text, which a client chooses. So only those
 * are allowed that cannot: no repeated groups, no references, no looking ahead, and few repetitions and groups.
 */
function problemOfPattern(pattern: unknown): string | undefined {
  if (typeof pattern !== 'string') return '$regex needs a text';
  if (pattern.length > LONGEST_PATTERN) return `its pattern is longer than ${LONGEST_PATTERN} characters`;
  // Characters in brackets and after a backslash stand for themselves.
  const bare = pattern.replaceAll(/\\[^\dk]/g, 'x').replaceAll(/\[(?:[^\]\\]|\\.)*\]/g, 'x');
  const repeats = bare.match(/[*+?]\??|\{\d*,\d*\}\??/g)?.length ?? 0;
  const groups = bare.match(/\((?:\?:)?/g)?.length ?? 0;
  const shown = JSON.stringify(pattern);
  if (/\\[\dk]|\(\?[^:]/.test(bare)) return `its pattern ${shown} looks back or ahead`;
  if (/\)[*+?{]/.test(bare)) return `its pattern ${shown} repeats a group`;
  if (repeats - (bare.match(/\(\?:/g)?.length ?? 0) > MOST_REPEATS) {
    return `its pattern ${shown} has more than ${MOST_REPEATS} repetitions`;
  }
  if (groups > MOST_GROUPS) return `its pattern ${shown} has more than ${MOST_GROUPS} groups`;
  try {
    new RegExp(pattern);
  } catch {
    return `its pattern ${shown} is not a regular expression`;
  }
  return undefined;
}

const MOST_REPEATS = 2;
const MOST_GROUPS = 2;

function first<T>(values: readonly T[], problem: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = problem(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
