import { type InferenceError, invalid } from '../../errors.ts';

/** One comparison of a filter; all of them must be true. */
export interface Clause {
  /** An attribute such as `name`; undefined for a tag. */
  readonly attribute: string | undefined;
  /** The tag, if it is one. */
  readonly tag: string | undefined;
  readonly comparator: Comparator;
  readonly value: string | number | readonly string[];
}

export type Comparator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'LIKE' | 'ILIKE' | 'IN' | 'NOT IN';

/** Which attributes a kind of search has. */
export interface FilterRules {
  /** Attributes that are texts. */
  readonly texts: readonly string[];
  /** Those of them that may be compared with a list. */
  readonly listed: readonly string[];
  /** Attributes that are whole numbers. */
  readonly numbers: readonly string[];
}

const LONGEST_FILTER = 10_000;

type Token =
  | { readonly is: 'word' | 'text' | 'number' | 'sign'; readonly text: string }
  | { readonly is: 'end'; readonly text: '' };

/** Blanks, then one of: a quoted part or a word of an identifier, a string, a number, a comparator or a mark. */
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /-?\d+(?:\.\d+)?/y;
const SIGN = /<=|>=|!=|<>|[=<>(),.]/y;

/**
 * Reads a filter in the part of SQL that MLflow knows: comparisons joined by AND. Names of tags can be in back quotes or
 * double quotes.
 *
 * @throws InferenceError INVALID_PARAMETER_VALUE
 */
export function parseFilter(filter: string, rules: FilterRules): readonly Clause[] {
  if (filter.length > LONGEST_FILTER)
    throw invalid('Parameter "filter"', `has ${filter.length} characters; the limit is ${LONGEST_FILTER}.`);
  const tokens = tokensOf(filter);
  let at = 0;
  const peek = (): Token => tokens[at] ?? { is: 'end', text: '' };
  const next = (): Token => {
    const token = peek();
    at += 1;
    return token;
  };
  const isWord = (token: Token, word: string) => token.is === 'word' && token.text.toUpperCase() === word;

  const readIdentifier = (): Pick<Clause, 'attribute' | 'tag'> => {
    const first = next();
    if (first.is !== 'word' && first.is !== 'text')
      throw misplaced(first, 'the name of an attribute or a tag');
    let rest: string | undefined;
    while (peek().is === 'sign' && peek().text === '.') {
      next();
      const part = next();
      if (part.is === 'end' || part.is === 'sign') throw misplaced(part, 'a name after "."');
      rest = rest === undefined ? part.text : `${rest}.${part.text}`;
    }
    return toIdentifier(first.text, rest, rules);
  };

  const readComparator = (): Comparator => {
    const token = next();
    if (token.is === 'sign' && SIGNS.has(token.text)) return SIGNS.get(token.text) ?? '=';
    if (isWord(token, 'NOT') && isWord(peek(), 'IN')) {
      next();
      return 'NOT IN';
    }
    const word = token.text.toUpperCase();
    if (token.is === 'word' && (word === 'LIKE' || word === 'ILIKE' || word === 'IN')) return word;
    throw misplaced(token, 'a comparator such as =, !=, LIKE or ILIKE');
  };

  const readText = (): string => {
    const token = next();
    if (token.is === 'text') return token.text;
    throw misplaced(token, 'a value in quotes');
  };

  const readList = (): readonly string[] => {
    const open = next();
    if (open.text !== '(' || open.is !== 'sign') throw misplaced(open, "a list such as ('a', 'b')");
    const values = [readText()];
    for (;;) {
      const token = next();
      if (token.is === 'sign' && token.text === ')') return values;
      if (token.is !== 'sign' || token.text !== ',') throw misplaced(token, '"," or ")"');
      values.push(readText());
    }
  };

  const readClause = (): Clause => {
    const { attribute, tag } = readIdentifier();
    const comparator = readComparator();
    const isList = comparator === 'IN' || comparator === 'NOT IN';
    if (attribute !== undefined && rules.numbers.includes(attribute)) {
      if (isList || comparator.includes('LIKE')) throw wrongComparator(attribute, comparator);
      const token = next();
      if (token.is !== 'number' || !/^-?\d{1,15}$/.test(token.text)) throw misplaced(token, 'a whole number');
      return { attribute, tag, comparator, value: Number(token.text) };
    }
    const takesList = attribute !== undefined && rules.listed.includes(attribute);
    if (/^[<>]/.test(comparator) || (isList && !takesList))
      throw wrongComparator(attribute ?? `tag ${JSON.stringify(tag)}`, comparator);
    return { attribute, tag, comparator, value: isList ? readList() : readText() };
  };

  const clauses: Clause[] = [];
  while (peek().is !== 'end') {
    if (clauses.length > 0) {
      const joint = next();
      if (!isWord(joint, 'AND')) throw misplaced(joint, 'AND');
    }
    clauses.push(readClause());
  }
  return clauses;
}

const SIGNS: ReadonlyMap<string, Comparator> = new Map([
  ['=', '='],
  ['!=', '!='],
  ['<>', '!='],
  ['<', '<'],
  ['<=', '<='],
  ['>', '>'],
  ['>=', '>='],
]);

function toIdentifier(
  first: string,
  rest: string | undefined,
  { texts, numbers }: FilterRules,
): Pick<Clause, 'attribute' | 'tag'> {
  const isTag = first === 'tag' || first === 'tags';
  if (rest !== undefined && isTag) return { attribute: undefined, tag: rest };
  if (rest !== undefined && first !== 'attribute')
    throw invalid(
      'Parameter "filter"',
      `has the kind of name ${JSON.stringify(first.slice(0, 40))}; expected "attribute" or "tags" before the ".".`,
    );
  const attribute = rest ?? first;
  const known = [...texts, ...numbers];
  if (known.includes(attribute)) return { attribute, tag: undefined };
  throw invalid(
    'Parameter "filter"',
    `has the attribute ${JSON.stringify(attribute.slice(0, 40))}; expected one of ${known.join(', ')}, or a tag such as tags.key.`,
  );
}

function tokensOf(filter: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < filter.length; ) {
    const character = filter[at] ?? '';
    if (/\s/.test(character)) {
      at += 1;
      continue;
    }
    if (character === "'" || character === '"' || character === '`') {
      const { text, end } = quotedAt(filter, at, character);
      tokens.push({ is: 'text', text });
      at = end;
      continue;
    }
    const found =
      matchAt(filter, at, 'number', NUMBER) ??
      matchAt(filter, at, 'word', WORD) ??
      matchAt(filter, at, 'sign', SIGN);
    if (!found)
      throw invalid(
        'Parameter "filter"',
        `has ${JSON.stringify(character)} at character ${at + 1}, which means nothing there.`,
      );
    tokens.push(found);
    at += found.text.length;
  }
  return tokens;
}

function matchAt(
  filter: string,
  at: number,
  is: 'word' | 'number' | 'sign',
  pattern: RegExp,
): Token | undefined {
  pattern.lastIndex = at;
  const text = pattern.exec(filter)?.[0];
  return text === undefined ? undefined : { is, text };
}

/** A quotation mark in a quoted text is written twice. */
function quotedAt(
  filter: string,
  start: number,
  mark: string,
): { readonly text: string; readonly end: number } {
  const parts: string[] = [];
  for (let from = start + 1; ; ) {
    const close = filter.indexOf(mark, from);
    if (close === -1)
      throw invalid(
        'Parameter "filter"',
        `has a quotation mark at character ${start + 1} that is not closed.`,
      );
    parts.push(filter.slice(from, close));
    if (filter[close + 1] !== mark) return { text: parts.join(mark), end: close + 1 };
    from = close + 2;
  }
}

function misplaced({ is, text }: Token, expected: string): InferenceError {
  const found = is === 'end' ? 'ends' : `has ${JSON.stringify(text.slice(0, 40))}`;
  return invalid('Parameter "filter"', `${found} where ${expected} is expected.`);
}

function wrongComparator(name: string, comparator: string): InferenceError {
  return invalid(
    'Parameter "filter"',
    `compares ${name.slice(0, 60)} by ${comparator}, which is not possible.`,
  );
}
