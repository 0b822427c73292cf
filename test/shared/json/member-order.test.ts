import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isJsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import { createMoveCheck, keysInOrder } from '../../../shared/json/member-order.ts';
import { parseExactJson, parseJson } from '../../../shared/json/parse-json.ts';

/** An object whose members, and those of objects in it, stand in the order of a list. */
type Members = readonly (readonly [name: string, value: Members | number])[];

const PARSERS = { parseJson, parseExactJson } as const;

function write(members: Members, space: string, quote: (name: string) => string): string {
  const written = members.map(([name, value]) => {
    const text = typeof value === 'number' ? String(value) : write(value, space, quote);
    return `${space}${quote(name)}${space}:${space}${text}${space}`;
  });
  return `{${written.join(',')}}`;
}

/** As Python writes it, or with digits as escapes, too. */
const ESCAPES = {
  none: JSON.stringify,
  python: (name: string) => escapeAll(JSON.stringify(name), /[\u0080-\uffff]/g),
  digits: (name: string) => escapeAll(JSON.stringify(name), /\d/g),
  lastDigit: (name: string) => escapeAll(JSON.stringify(name), /\d(?="$)/g),
} as const;

function escapeAll(text: string, pattern: RegExp): string {
  return text.replace(pattern, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function read(value: JsonValue | undefined): Members {
  if (!isJsonObject(value)) throw new Error('is not an object');
  return keysInOrder(value).map((name) => {
    const member = value[name];
    return [name, typeof member === 'number' ? member : read(member)];
  });
}

const NAMES = fc.constantFrom(
  '0',
  '1',
  '2',
  '10',
  '007',
  '-1',
  '1.5',
  '4294967295',
  '1st',
  'é',
  'a',
  'b',
  '',
  ',',
  '{',
  ':5',
  '"',
  '\\',
);
const { members } = fc.letrec<{ members: Members }>((tie) => ({
  members: fc.uniqueArray(fc.tuple(NAMES, fc.oneof({ maxDepth: 3 }, fc.integer(), tie('members'))), {
    selector: ([name]) => name,
    maxLength: 6,
  }),
}));

it.each(Object.entries(PARSERS))('%s keeps the order of the text in all objects', (_, parse) => {
  fc.assert(
    fc.property(
      members,
      fc.constantFrom('', ' ', '\n\t'),
      fc.constantFrom(...Object.values(ESCAPES)),
      (given, space, quote) => {
        expect(read(parse(Buffer.from(write(given, space, quote)), 64))).toEqual(given);
      },
    ),
    { numRuns: 1000 },
  );
});

it.each([
  ['{"a":1,"5":2,"a":3}', ['a', '5']],
  ['{"a":1,"\\u0035":2}', ['a', '5']],
  ['{"b":NaN,"1":2}', ['b', '1']],
  ['{"a":1,"\\\\":2}', ['a', '\\']],
  ['{"a":1,"\\"":2}', ['a', '"']],
  ['{"a":1,"\\u00e9":2}', ['a', 'é']],
])('of %s is %j', (text, names) => {
  const value = parseJson(Buffer.from(text), 64);
  expect(isJsonObject(value) && keysInOrder(value)).toEqual(names);
});

it('is kept for the first of many rows', () => {
  const value = parseJson(Buffer.from('{"rows":[{"b":1,"1":2},{"b":3,"1":4}]}'), 64);
  const rows = isJsonObject(value) && Array.isArray(value.rows) ? value.rows.filter(isJsonObject) : [];
  expect(rows.map((row) => keysInOrder(row))).toEqual([
    ['b', '1'],
    ['1', 'b'],
  ]);
});

/** Whether the names of an object need the slow parser, which keeps their order. */
function hasMoved(text: string): boolean {
  const bytes = Buffer.from(text);
  const isMoved = createMoveCheck(bytes);
  return [...text.matchAll(/"[^"]*"/g)].some(({ 0: name, index }) => {
    return /^"[\d\\]/.test(name) && isMoved(index, index + name.length - 1);
  });
}

it.each([
  ['{"area":1,"1stFlrSF":2,"2ndFlrSF":3}', false],
  ['{"2024-01-01":1,"2024-01-02":2}', false],
  ['{"age":1,"\\u00e9tage":2}', false],
  ['{"0":1,"1":2,"1stFlrSF":3}', false],
  ['{"1stFlrSF":1,"0":2}', true],
  ['{"age":1,"\\u0030":2}', true],
  ['{"age":1,"123456789\\u0030":2}', true],
])('needs the slow parser only for whole numbers that JavaScript moves: %s', (text, expected) => {
  expect(hasMoved(text)).toBe(expected);
});
