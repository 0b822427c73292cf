/** One field of a message in the text format: its value, or the message it holds. */
export type TextProtoValue = string | number | boolean | TextProtoName | TextProtoMessage;

/** The name of an enum value. */
export interface TextProtoName {
  readonly name: string;
}

/** The values of each field, in order; a field can occur several times. */
export interface TextProtoMessage {
  readonly fields: ReadonlyMap<string, readonly TextProtoValue[]>;
}

/** The text is not valid in the text format. */
export class TextProtoError extends Error {
  override readonly name = 'TextProtoError';
}

interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'sign';
  readonly text: string;
  readonly line: number;
}

interface Reader {
  readonly tokens: readonly Token[];
  at: number;
}

/** Deepest nesting of messages; a configuration needs five. */
const DEEPEST = 32;

const TOKEN =
  /([ \t\r\f]+|#[^\n]*)|(\n)|([A-Za-z_][A-Za-z0-9_.]*)|([-+]?(?:0[xX][0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)[fF]?)|("(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*')|([{}[\]<>:,;])/y;

/**
 * Reads a message in the text format of protocol buffers, which `config.pbtxt` uses. Extensions and `Any` in brackets
 * are refused.
 * Source: protobuf.dev, Text Format Language Specification.
 *
 * @throws TextProtoError naming the line
 */
export function readTextProto(text: string): TextProtoMessage {
  const reader: Reader = { tokens: toTokens(text), at: 0 };
  const message = readMessage(reader, undefined, 0);
  const rest = reader.tokens[reader.at];
  if (rest) throw unexpected(rest);
  return message;
}

function toTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  TOKEN.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new TextProtoError(`line ${line} has ${JSON.stringify(text.slice(start, start + 20))}`);
    const [, , newLine, name, number, string, sign] = match;
    if (newLine !== undefined) line += 1;
    if (name !== undefined) tokens.push({ kind: 'name', text: name, line });
    if (number !== undefined) tokens.push({ kind: 'number', text: number, line });
    if (string !== undefined) tokens.push({ kind: 'string', text: string, line });
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, line });
  }
  return tokens;
}

function readMessage(reader: Reader, end: string | undefined, depth: number): TextProtoMessage {
  if (depth > DEEPEST) throw new TextProtoError('messages are nested too deeply');
  const fields = new Map<string, TextProtoValue[]>();
  for (let token = reader.tokens[reader.at]; token && token.text !== end; token = reader.tokens[reader.at]) {
    if (token.kind !== 'name') throw unexpected(token);
    reader.at += 1;
    const values = fields.get(token.text) ?? [];
    for (const value of readValues(reader, depth)) values.push(value);
    fields.set(token.text, values);
    if (isSign(reader, ',') || isSign(reader, ';')) reader.at += 1;
  }
  return { fields };
}

function readValues(reader: Reader, depth: number): TextProtoValue[] {
  if (isSign(reader, ':')) reader.at += 1;
  else if (!['{', '<', '['].some((sign) => isSign(reader, sign))) throw unexpected(reader.tokens[reader.at]);
  if (!isSign(reader, '[')) return [readValue(reader, depth)];
  reader.at += 1;
  const values: TextProtoValue[] = [];
  while (!isSign(reader, ']')) {
    values.push(readValue(reader, depth));
    if (isSign(reader, ',')) reader.at += 1;
    else if (!isSign(reader, ']')) throw unexpected(reader.tokens[reader.at]);
  }
  reader.at += 1;
  return values;
}

function readValue(reader: Reader, depth: number): TextProtoValue {
  const token = reader.tokens[reader.at];
  if (!token) throw unexpected(token);
  reader.at += 1;
  if (token.text === '{' || token.text === '<') {
    const end = token.text === '{' ? '}' : '>';
    const message = readMessage(reader, end, depth + 1);
    if (!isSign(reader, end)) throw unexpected(reader.tokens[reader.at]);
    reader.at += 1;
    return message;
  }
  if (token.kind === 'number') return readNumber(token.text);
  if (token.kind === 'string') return readStrings(reader, token);
  if (token.kind !== 'name') throw unexpected(token);
  if (token.text === 'true' || token.text === 'false') return token.text === 'true';
  return { name: token.text };
}

function readNumber(text: string): number {
  const digits = text.replace(/^[-+]/, '');
  const size = Number(/^0x/i.test(digits) ? digits : digits.replace(/[fF]$/, ''));
  return text.startsWith('-') ? -size : size;
}

/** Adjacent strings are joined. */
function readStrings(reader: Reader, first: Token): string {
  let text = readEscapes(first);
  for (let next = reader.tokens[reader.at]; next?.kind === 'string'; next = reader.tokens[reader.at]) {
    text += readEscapes(next);
    reader.at += 1;
  }
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

function readEscapes({ text, line }: Token): string {
  return text.slice(1, -1).replace(/\\(.)/g, (_, sign: string) => {
    const meant = ESCAPES[sign];
    if (meant === undefined) throw new TextProtoError(`line ${line} has an unsupported escape`);
    return meant;
  });
}

function isSign(reader: Reader, sign: string): boolean {
  const token = reader.tokens[reader.at];
  return token?.kind === 'sign' && token.text === sign;
}

function unexpected(token: Token | undefined): TextProtoError {
  return new TextProtoError(
    token ? `line ${token.line} has ${JSON.stringify(token.text.slice(0, 20))}` : 'it ends too early',
  );
}

function lastOf(message: TextProtoMessage, field: string): TextProtoValue | undefined {
  return message.fields.get(field)?.at(-1);
}

/** The text of a field; empty if it is not set. */
export function textOf(message: TextProtoMessage, field: string): string {
  const value = lastOf(message, field);
  return typeof value === 'string' ? value : '';
}

/** The number of a field; 0 if it is not set. */
export function numberOf(message: TextProtoMessage, field: string): number {
  const value = lastOf(message, field);
  return typeof value === 'number' ? value : 0;
}

/** All numbers of a field. */
export function sizesOf(message: TextProtoMessage, field: string): number[] {
  return message.fields.get(field)?.map(Number) ?? [];
}

/** The name of an enum value; empty if it is not set. */
export function nameOf(message: TextProtoMessage, field: string): string {
  const value = lastOf(message, field);
  return typeof value === 'object' && 'name' in value ? value.name : '';
}

/** The messages of a field, in order. */
export function messagesOf(message: TextProtoMessage, field: string): TextProtoMessage[] {
  return (message.fields.get(field) ?? []).flatMap((value) =>
    typeof value === 'object' && 'fields' in value ? [value] : [],
  );
}
