/** A YAML document, as far as it is one of those that `readPlainYaml` reads. */
export type PlainYaml = string | number | boolean | null | PlainYaml[] | { [key: string]: PlainYaml };

/** The text is no YAML, or YAML of a kind that is not read. */
export class PlainYamlError extends Error {
  override readonly name = 'PlainYamlError';
}

/** A line with a value, without what stands before it. */
export interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * A value on one line, or in quotes.
 *
 * @throws PlainYamlError naming the line
 */
export function readScalar(given: string, line: Line): PlainYaml {
  const text = trimBlanks(given);
  const single = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(text);
  if (single) return (single[1] ?? '').replaceAll("''", "'");
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/s.exec(text);
  if (double) return readEscapes(double[1] ?? '', line);
  const bare = trimBlanks(text.replace(/[ \t]#.*$/, ''));
  if (bare === '{}') return {};
  if (bare === '[]') return [];
  if (/^['"&*!|>%@`[\]{},?]|^- |: |:$/.test(bare))
    throw wrong(line, 'has a value of a kind that is not read');
  if (/^(?:null|Null|NULL|~)$/.test(bare)) return null;
  if (/^(?:true|True|TRUE|yes|Yes|on)$/.test(bare)) return true;
  if (/^(?:false|False|FALSE|no|No|off)$/.test(bare)) return false;
  return /^[-+]?(?:\d+|\d+\.\d*(?:e[-+]\d+)?|\.\d+)$/i.test(bare) ? Number(bare) : bare;
}

export function wrong({ number }: Line, what: string): PlainYamlError {
  return new PlainYamlError(`line ${number} ${what}`);
}

/** Only spaces and tabs are blanks to YAML: a text may begin with a space that does not break. */
export function trimBlanks(text: string, side: 'start' | 'both' = 'both'): string {
  const isBlank = (at: number) => text[at] === ' ' || text[at] === '\t';
  let [start, end] = [0, text.length];
  while (start < end && isBlank(start)) start += 1;
  while (side === 'both' && end > start && isBlank(end - 1)) end -= 1;
  return text.slice(start, end);
}

function readEscapes(text: string, line: Line): string {
  return text.replace(
    /\\(?:U([0-9a-fA-F]{8})|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs,
    (_, longest, long, short, one) => {
      const code = Number.parseInt(longest ?? long ?? short ?? '', 16);
      const meant = Number.isNaN(code) ? ESCAPES[String(one)] : charOf(code);
      if (meant === undefined) throw wrong(line, 'has an escape that is not read');
      return meant;
    },
  );
}

function charOf(code: number): string | undefined {
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  '/': '/',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
  // A line that ends in a backslash goes on without a space.
  '\n': '',
};
