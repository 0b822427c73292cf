import { parseText } from './parse.ts';

export interface JsonStyle {
  /** Spaces in front of every line but the first. */
  readonly indent?: number;
  /** How the three words of JSON are written in another language. */
  readonly words?: Readonly<Record<string, string>>;
  /** How a key is written in another language; it comes with its quotes. */
  readonly writeKey?: (key: string) => string;
}

/** A value in writing: a literal, or a bracket with its content. */
type Node = string | { readonly open: '{' | '['; readonly items: readonly Item[] };

interface Item {
  /** With quotes and colon; empty in lists. */
  readonly key: string;
  readonly value: Node;
}

const WIDTH = 76;
const STEP = 2;
const CLOSING = { '{': '}', '[': ']' } as const;

/**
 * Formats JSON text for reading: short values on one line, lists of numbers filled line by line. It works on the text,
 * so no digit of a number changes; text that is not JSON is returned unchanged.
 */
export function formatJson(
  text: string,
  { indent = 0, words = {}, writeKey = asItIs }: JsonStyle = {},
): string {
  if (parseText(text) === undefined) return text;
  const tokens = text.match(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  return print(readNode(tokens.values(), { words, writeKey }), indent, 0);
}

function asItIs(key: string): string {
  return key;
}

/** Reads one value; the tokens are known to be valid JSON. */
function readNode(
  tokens: Iterator<string, undefined>,
  style: Required<Pick<JsonStyle, 'words' | 'writeKey'>>,
  first?: string,
): Node {
  const token = first ?? tokens.next().value ?? '';
  if (token !== '{' && token !== '[') return style.words[token] ?? token;
  const items: Item[] = [];
  for (let next = tokens.next(); !next.done && next.value !== CLOSING[token]; next = tokens.next()) {
    if (next.value === ',') continue;
    const key = token === '{' ? `${style.writeKey(next.value)}: ` : '';
    if (key) tokens.next();
    items.push({ key, value: key ? readNode(tokens, style) : readNode(tokens, style, next.value) });
  }
  return { open: token, items };
}

/** @param used characters that stand before the value on its line */
function print(node: Node, indent: number, used: number): string {
  if (typeof node === 'string') return node;
  const { open, items } = node;
  const line = printInLine(node, WIDTH - indent - used);
  if (line !== undefined) return line;
  const inner = indent + STEP;
  const parts = items.map(({ key, value }) => key + print(value, inner, key.length));
  const isPlain = open === '[' && items.every(({ value }) => typeof value === 'string');
  const lines = isPlain ? fillLines(parts, WIDTH - inner) : parts;
  const space = `\n${' '.repeat(inner)}`;
  return `${open}${space}${lines.join(`,${space}`)}\n${' '.repeat(indent)}${CLOSING[open]}`;
}

/** The value on one line; undefined when it is longer than the room left. */
function printInLine(node: Node, room: number): string | undefined {
  if (typeof node === 'string') return node;
  let text = '';
  for (const { key, value } of node.items) {
    const part = printInLine(value, room - text.length);
    if (part === undefined || text.length > room) return undefined;
    text += `${text && ', '}${key}${part}`;
  }
  return text.length + 2 > room ? undefined : `${node.open}${text}${CLOSING[node.open]}`;
}

function fillLines(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length + 2 <= width)
      lines[lines.length - 1] = `${last}, ${part}`;
    else lines.push(part);
  }
  return lines;
}
