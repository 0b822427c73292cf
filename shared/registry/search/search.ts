import { invalid } from '../../errors.ts';
import type { Clause } from './filter.ts';
import { matchesLike, type Steps } from './like.ts';

/** The tag by which MLflow distinguishes prompts from models. */
export const PROMPT_TAG = 'mlflow.prompt.is_prompt';

/** What a search compares. */
export interface Searched {
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly tags: Readonly<Record<string, string>>;
}

const MOST_STEPS = 20_000_000;

/**
 * The items that meet all comparisons. Prompts are found only by a filter that asks for them, as in MLflow.
 *
 * @throws InferenceError INVALID_PARAMETER_VALUE for patterns that would take too long
 */
export function findMatches<T>(
  items: readonly T[],
  clauses: readonly Clause[],
  describe: (item: T) => Searched,
): readonly T[] {
  const about = clauses.find(({ tag }) => tag === PROMPT_TAG);
  const wanted = about?.comparator === '!=' ? 'false' : 'true';
  const wantsPrompts = about !== undefined && String(about.value).toLowerCase() === wanted;
  const others = wantsPrompts ? clauses : clauses.filter(({ tag }) => tag !== PROMPT_TAG);
  const steps: Steps = { left: MOST_STEPS };
  return items.filter((item) => {
    const searched = describe(item);
    if (!wantsPrompts && memberAt(searched.tags, PROMPT_TAG) === 'true') return false;
    return others.every((clause) => meets(searched, clause, steps));
  });
}

/** A member of an object that is its own. */
export function memberAt<T>(members: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(members, key) ? members[key] : undefined;
}

function meets(
  { attributes, tags }: Searched,
  { attribute, tag, comparator, value }: Clause,
  steps: Steps,
): boolean {
  const found = attribute === undefined ? memberAt(tags, tag ?? '') : memberAt(attributes, attribute);
  if (found === undefined) return false;
  switch (comparator) {
    case '=':
      return found === value;
    case '!=':
      return found !== value;
    case '<':
      return found < value;
    case '<=':
      return found <= value;
    case '>':
      return found > value;
    case '>=':
      return found >= value;
    case 'IN':
      return Array.isArray(value) && value.includes(found);
    case 'NOT IN':
      return Array.isArray(value) && !value.includes(found);
    case 'LIKE':
      return isLike(String(found), String(value), steps);
    case 'ILIKE':
      return isLike(String(found).toLowerCase(), String(value).toLowerCase(), steps);
  }
}

function isLike(text: string, pattern: string, steps: Steps): boolean {
  const matches = matchesLike(text, pattern, steps);
  if (matches === undefined)
    throw invalid('Parameter "filter"', 'has patterns that take too long; use fewer "%", or shorter texts.');
  return matches;
}

/** How items are ordered, by each of these in turn. */
export interface Order {
  readonly key: string;
  readonly isDescending: boolean;
}

/**
 * @param allowed the keys of the parameter, with the names of the attributes that they stand for
 * @throws InferenceError INVALID_PARAMETER_VALUE
 */
export function parseOrder(given: readonly string[], allowed: ReadonlyMap<string, string>): readonly Order[] {
  const orders: Order[] = [];
  for (const text of given.slice(0, MOST_ORDERS)) {
    const [, quoted = '', direction = ''] =
      /^\s*(?:attribute\.)?([`"]?\w+[`"]?)(?:\s+(asc|desc))?\s*$/i.exec(
        text.length > LONGEST_ORDER ? '' : text,
      ) ?? [];
    const key = allowed.get(quoted.replace(/[`"]/g, ''));
    if (key === undefined)
      throw invalid(
        'Parameter "order_by"',
        `has ${JSON.stringify(text.slice(0, 40))}; expected one of ${[...allowed.keys()].join(', ')}, perhaps with ASC or DESC.`,
      );
    if (orders.some((order) => order.key === key))
      throw invalid('Parameter "order_by"', `names ${key} more than once.`);
    orders.push({ key, isDescending: direction.toLowerCase() === 'desc' });
  }
  return orders;
}

const MOST_ORDERS = 10;
const LONGEST_ORDER = 100;

/** The same items in order. */
export function sortBy<T>(
  items: readonly T[],
  orders: readonly Order[],
  describe: (item: T) => Searched,
): readonly T[] {
  const described = items.map((item) => ({ item, attributes: describe(item).attributes }));
  return described
    .sort((a, b) => {
      for (const { key, isDescending } of orders) {
        const [left = 0, right = 0] = [a.attributes[key], b.attributes[key]];
        if (left !== right) return left < right === isDescending ? 1 : -1;
      }
      return 0;
    })
    .map(({ item }) => item);
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string | undefined;
}

/** @throws InferenceError INVALID_PARAMETER_VALUE for a token that this server did not make */
export function pageOf<T>(items: readonly T[], count: number, token: string | undefined): Page<T> {
  const start = token ? offsetOf(token) : 0;
  const end = start + count;
  return {
    items: items.slice(start, end),
    nextPageToken:
      end < items.length ? Buffer.from(JSON.stringify({ offset: end })).toString('base64') : undefined,
  };
}

function offsetOf(token: string): number {
  const text = token.length > 100 ? '' : Buffer.from(token, 'base64').toString();
  const offset = /^\{"offset": ?(\d{1,9})\}$/.exec(text)?.[1];
  if (offset !== undefined) return Number(offset);
  throw invalid('Parameter "page_token"', 'is not the "next_page_token" of an answer.');
}
