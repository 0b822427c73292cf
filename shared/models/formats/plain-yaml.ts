/** A YAML document, as far as it is one of those that `readPlainYaml` reads. */
export type PlainYaml = string | number | boolean | null | PlainYaml[] | { [key: string]: PlainYaml };

/** The text is no YAML, or YAML of a kind that is not read. */
export class PlainYamlError extends Error {
  override readonly name = 'PlainYamlError';
}

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/**
 * Reads the plain YAML that programs such as MLflow write: mappings and lists by indentation, scalars bare or in
 * quotes, which may go over several lines. Whatever else YAML has (anchors, tags, blocks of text, flow style beyond
 * `{}` and `[]`, several documents) is refused.
 * Source: YAML 1.2, chapters 6 to 8; scalars as PyYAML reads them.
 *
 * @throws PlainYamlError naming the line
 */
export function readPlainYaml(text: string): PlainYaml {
  const lines = toLines(text);
  if (lines.length === 0) return null;
  const reader = { lines, at: 0 };
  const value = readBlock(reader, lines[0]?.indent ?? 0);
  const rest = lines[reader.at];
  if (rest) throw wrong(rest, 'is not indented like what stands before it');
  return value;
}

interface Reader {
  readonly lines: readonly Line[];
  at: number;
}

const KEY =
  /^((?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s'"&*!|>%@`[\]{},#?-][^:#]*?|-[^\s:#][^:#]*?))\s*:(?:\s+(.*))?$/s;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  '"': '"',
  '\\': '\\',
  '/': '/',
  '0': '\0',
};

/** Joins the lines of quoted scalars, and drops comments and empty lines. */
function toLines(text: string): Line[] {
  const lines: Line[] = [];
  const given = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (let index = 0; index < given.length; index++) {
    const number = index + 1;
    let line = given[index] ?? '';
    if (/^\s*(?:#.*)?$/.test(line) || (lines.length === 0 && /^---\s*$/.test(line))) continue;
    while (isOpen(line)) {
      index += 1;
      const next = given[index];
      if (next === undefined) throw new PlainYamlError(`line ${number} opens a quote that is never closed`);
      line = next.trim() === '' ? `${line}\n` : `${line}${line.endsWith('\n') ? '' : ' '}${next.trim()}`;
    }
    const indent = line.length - line.trimStart().length;
    if (line.slice(0, indent).includes('\t')) {
      throw new PlainYamlError(`line ${number} is indented with a tab`);
    }
    lines.push({ number, indent, text: line.trim() });
  }
  return lines;
}

/** Whether the value of a line begins with a quote that it does not close. */
function isOpen(line: string): boolean {
  const value = /^\s*(?:- +)*(?:[^'"\s][^'"]*: +|'(?:[^']|'')*': +)?(['"].*)$/s.exec(line)?.[1];
  if (value === undefined) return false;
  return !/^(?:'(?:[^']|'')*'|"(?:[^"\\]|\\.)*")\s*(?:#.*|:.*)?$/s.test(value);
}

function readBlock(reader: Reader, indent: number): PlainYaml {
  const line = reader.lines[reader.at];
  if (!line) return null;
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
    const rest = line.text.slice(1).trimStart();
    if (rest === '') {
      reader.at += 1;
      items.push(readBelow(reader, indent + 1));
    } else if (KEY.test(rest) || /^-\s/.test(rest)) {
      // What stands behind the dash is the first line of a block of its own.
      const inner = indent + line.text.length - rest.length;
      const lines = reader.lines.with(reader.at, { ...line, indent: inner, text: rest });
      const nested = { lines, at: reader.at };
      items.push(readBlock(nested, inner));
      reader.at = nested.at;
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
    const key = String(readKey(match[1] ?? '', line));
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

function readScalar(given: string, line: Line): PlainYaml {
  const text = given.trim();
  const single = /^'((?:[^']|'')*)'\s*(?:#.*)?$/.exec(text);
  if (single) return (single[1] ?? '').replaceAll("''", "'");
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/s.exec(text);
  if (double) return readEscapes(double[1] ?? '', line);
  const bare = text.replace(/\s+#.*$/, '');
  if (bare === '{}') return {};
  if (bare === '[]') return [];
  if (/^['"&*!|>%@`[\]{},?]|^- |: |:$/.test(bare))
    throw wrong(line, 'has a value of a kind that is not read');
  if (/^(?:null|Null|NULL|~)$/.test(bare)) return null;
  if (/^(?:true|True|TRUE|yes|Yes|on)$/.test(bare)) return true;
  if (/^(?:false|False|FALSE|no|No|off)$/.test(bare)) return false;
  return /^[-+]?(?:\d+|\d+\.\d*(?:e[-+]\d+)?|\.\d+)$/i.test(bare) ? Number(bare) : bare;
}

function readEscapes(text: string, line: Line): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs, (_, long, short, one) => {
    const code = long ?? short;
    if (typeof code === 'string') return String.fromCharCode(Number.parseInt(code, 16));
    // A line that ends in a backslash goes on without a space.
    if (one === ' ' || one === '\n') return one === ' ' ? ' ' : '';
    const meant = ESCAPES[String(one)];
    if (meant === undefined) throw wrong(line, 'has an escape that is not read');
    return meant;
  });
}

function wrong({ number }: Line, what: string): PlainYamlError {
  return new PlainYamlError(`line ${number} ${what}`);
}
