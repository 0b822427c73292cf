import { type Line, type PlainYaml, PlainYamlError, readScalar, trimBlanks, wrong } from './yaml-scalars.ts';

/**
 * Reads the plain YAML that programs such as MLflow write: mappings and lists by indentation, scalars bare or in
 * quotes, which may go over several lines. Whatever else YAML has (anchors, tags, blocks of text, flow style beyond
 * `{}` and `[]`, several documents) is refused.
 * Source: YAML 1.2, chapters 6 to 8. Scalars are those that PyYAML writes for JSON values, and the usual words for true,
 * false and null. Of what YAML 1.1 has besides, 010 is ten here, and 0x1f, 1_000, .inf, 12:30, YES and dates are text.
 *
 * @throws PlainYamlError naming the line
 */
export function readPlainYaml(text: string): PlainYaml {
  const lines = toLines(text);
  if (lines.length === 0) return null;
  const reader: Reader = { lines, at: 0, depth: 0 };
  const value = readBlock(reader, lines[0]?.indent ?? 0);
  const rest = lines[reader.at];
  if (rest) throw wrong(rest, 'is not indented like what stands before it');
  return value;
}

interface Reader {
  readonly lines: Line[];
  at: number;
  depth: number;
}

/** Deepest nesting of blocks; what MLflow writes needs five. */
const DEEPEST = 64;

const KEY =
  /^((?:'(?:[^']|'')*'\s*|"(?:[^"\\]|\\.)*"\s*|[^\s'"&*!|>%@`[\]{},#?-][^:#]{0,1000}?|-[^\s:#][^:#]{0,1000}?)):(?:\s+(.*))?$/s;

/** Joins the lines of quoted scalars, and drops comments and empty lines. */
function toLines(text: string): Line[] {
  const lines: Line[] = [];
  const given = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (let index = 0; index < given.length; index++) {
    const number = index + 1;
    let line = given[index] ?? '';
    if (/^\s*(?:#.*)?$/.test(line) || (lines.length === 0 && /^---\s*$/.test(line))) continue;
    const quote = quoteLeftOpen(line);
    if (quote !== undefined) {
      const rest = readRestOfQuote(given, index + 1, quote);
      if (!rest) throw new PlainYamlError(`line ${number} opens a quote that is never closed`);
      line += rest.text;
      index = rest.last;
    }
    const indent = line.length - trimBlanks(line, 'start').length;
    if (line.slice(0, indent).includes('\t')) {
      throw new PlainYamlError(`line ${number} is indented with a tab`);
    }
    lines.push({ number, indent, text: trimBlanks(line) });
  }
  return lines;
}

/** The quote with which the value of a line begins, when the line does not close it. */
function quoteLeftOpen(line: string): string | undefined {
  let rest = trimBlanks(line, 'start');
  // A loop: as one expression with what follows, it would try every dash as the start of a key.
  for (let depth = 0; depth < DEEPEST && rest.startsWith('- '); depth++) {
    rest = trimBlanks(rest.slice(1), 'start');
  }
  const value = /^(?:[^'"\s][^'"]*: +|'(?:[^']|'')*': +)?(['"].*)$/s.exec(rest)?.[1];
  const quote = value?.[0];
  return value !== undefined && quote !== undefined && !closes(value.slice(1), quote) ? quote : undefined;
}

/** The other lines of a scalar in quotes, as one text: a line break is a space, an empty line a line break. */
function readRestOfQuote(lines: readonly string[], first: number, quote: string) {
  const parts: string[] = [];
  let before = lines[first - 1] ?? '';
  for (let last = first; last < lines.length; last++) {
    const text = trimBlanks(lines[last] ?? '');
    parts.push(text === '' ? '\n' : `${separatorBehind(before, quote)}${text}`);
    before = text;
    if (closes(text, quote)) return { text: parts.join(''), last };
  }
  return undefined;
}

/** A backslash at the end of a line escapes its break, which stays to tell it from an escaped space. */
function separatorBehind(line: string, quote: string): string {
  if (quote === '"' && /\\$/.test(line.replace(/\\\\/g, ''))) return '\n';
  return line === '' ? '' : ' ';
}

/** Whether a text inside of quotes closes them: neither twice the single quote nor an escape does. */
function closes(text: string, quote: string): boolean {
  const skipped = quote === "'" ? /''/g : /\\./gs;
  return text.replace(skipped, '').includes(quote);
}

function readBlock(reader: Reader, indent: number): PlainYaml {
  const line = reader.lines[reader.at];
  if (!line) return null;
  if (reader.depth === DEEPEST) throw wrong(line, 'is nested too deep');
  reader.depth += 1;
  const value = readLines(reader, line, indent);
  reader.depth -= 1;
  return value;
}

function readLines(reader: Reader, line: Line, indent: number): PlainYaml {
  if (/^-(?:\s|$)/.test(line.text)) return readList(reader, indent);
  return KEY.test(line.text) ? readMapping(reader, indent) : readLastScalar(reader, line);
}

function readLastScalar(reader: Reader, line: Line): PlainYaml {
  reader.at += 1;
  return readScalar(line.text, line);
}

function readList(reader: Reader, indent: number): PlainYaml[] {
  const items: PlainYaml[] = [];
  for (let line = reader.lines[reader.at]; line; line = reader.lines[reader.at]) {
    if (line.indent !== indent || !/^-(?:\s|$)/.test(line.text)) break;
    const rest = trimBlanks(line.text.slice(1), 'start');
    if (rest === '') {
      reader.at += 1;
      items.push(readBelow(reader, indent + 1));
    } else if (KEY.test(rest) || /^-\s/.test(rest)) {
      // What stands behind the dash is the first line of a block of its own.
      const inner = indent + line.text.length - rest.length;
      reader.lines[reader.at] = { ...line, indent: inner, text: rest };
      items.push(readBlock(reader, inner));
    } else {
      items.push(readLastScalar(reader, { ...line, text: rest }));
    }
  }
  return items;
}

function readMapping(reader: Reader, indent: number): { [key: string]: PlainYaml } {
  const entries = new Map<string, PlainYaml>();
  for (let line = reader.lines[reader.at]; line && line.indent === indent; line = reader.lines[reader.at]) {
    const match = KEY.exec(line.text);
    if (!match) break;
    const key = String(readKey(trimBlanks(match[1] ?? ''), line));
    if (entries.has(key)) throw wrong(line, 'has a key that was there before');
    const value = (match[2] ?? '').replace(/^#.*$/, '');
    reader.at += 1;
    if (value !== '') entries.set(key, readScalar(value, line));
    else entries.set(key, readValueBelow(reader, indent));
  }
  return Object.fromEntries(entries);
}

/** A list may stand as far left as the key it belongs to. */
function readValueBelow(reader: Reader, indent: number): PlainYaml {
  const next = reader.lines[reader.at];
  if (next?.indent === indent && /^-(?:\s|$)/.test(next.text)) return readList(reader, indent);
  return readBelow(reader, indent + 1);
}

function readBelow(reader: Reader, least: number): PlainYaml {
  const next = reader.lines[reader.at];
  return next && next.indent >= least ? readBlock(reader, next.indent) : null;
}

function readKey(text: string, line: Line): PlainYaml {
  return /^['"]/.test(text) ? readScalar(text, line) : text;
}
