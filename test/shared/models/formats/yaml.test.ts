import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { readYaml, YamlError } from '../../../../shared/models/formats/yaml.ts';
import { readFormatFile } from '../../../support/format-folders.ts';

/** Made by test/fixtures/formats/make_yaml.py. */
const dumped = z
  .array(z.object({ yaml: z.string(), value: z.json() }))
  .parse(JSON.parse(readFormatFile('yaml.json').toString()));

describe('readYaml', () => {
  it.each<[string, string, unknown]>([
    ['a scalar', 'text', 'text'],
    [
      'scalars of all kinds',
      "a: 1\nb: -2.5\nc: true\nd: null\ne: ~\nf:\ng: it's # a comment\nh: 1.5e+3",
      { a: 1, b: -2.5, c: true, d: null, e: null, f: null, g: "it's", h: 1500 },
    ],
    [
      'quotes',
      `a: 'it''s: # no comment'\nb: "q\\n\\u00e4\\x41\\"" # one`,
      { a: "it's: # no comment", b: 'q\näA"' },
    ],
    ['quoted keys', `'a b': 1\n"c: d": 2`, { 'a b': 1, 'c: d': 2 }],
    ['blanks before a colon', `a b  : 1\n'c' : 2`, { 'a b': 1, c: 2 }],
    ['lists in lists with a quote over two lines', `- - k: 'x\n      y'`, [[{ k: 'x y' }]]],
    [
      'quotes over several lines',
      'a: \'[{"type":\n    "float"}, {"x":\n    1}]\'\nb: 2',
      { a: '[{"type": "float"}, {"x": 1}]', b: 2 },
    ],
    ['an empty line in quotes', "a: 'x\n\n  y'", { a: 'x\ny' }],
    ['nested mappings', 'a:\n  b:\n    c: 1\n  d: 2\ne: 3', { a: { b: { c: 1 }, d: 2 }, e: 3 }],
    [
      'lists, indented or not',
      'a:\n- x\n- 1\nb:\n  - y\n  - k: v\n    l: w\n  -\n    m: n\n  - - 1\n    - 2',
      { a: ['x', 1], b: ['y', { k: 'v', l: 'w' }, { m: 'n' }, [1, 2]] },
    ],
    ['collections in flow style', 'a: {}\nb: []\nc: [1, {d: e}]', { a: {}, b: [], c: [1, { d: 'e' }] }],
    ['the start of a document', '---\na: 1', { a: 1 }],
    ['a version and a byte order mark', '\ufeff%YAML 1.1\n---\na: 1\n...\n', { a: 1 }],
    ['blocks of text', 'a: |\n  x\n   y\nb: >-\n  x\n  y', { a: 'x\n y\n', b: 'x y' }],
    ['anchors', 'a: &x {c: [1]}\nb: *x', { a: { c: [1] }, b: { c: [1] } }],
    [
      'mappings that are merged',
      'a: &x {c: 1, d: 2}\nb:\n  <<: *x\n  c: 3',
      { a: { c: 1, d: 2 }, b: { c: 3, d: 2 } },
    ],
    ['tags', 'a: !!str 1\nb: !!int "2"\nc: !!binary aGk=', { a: '1', b: 2, c: new Uint8Array([104, 105]) }],
    ['keys of every object', '__proto__: 1', JSON.parse('{"__proto__": 1}')],
    ['keys that are not texts', '1: a\ntrue: b\nnull: c', { 1: 'a', true: 'b', null: 'c' }],
  ])('reads %s', (_, text, value) => {
    expect(readYaml(text)).toEqual(value);
  });

  // The results of PyYAML 6.0.3, except for dates, which stay texts here.
  it.each<[unknown, string]>([
    [true, 'yes Yes YES on On ON true True TRUE'],
    [false, 'no No NO off Off OFF false False FALSE'],
    [null, '~ null Null NULL'],
    [8, '010 0b1000 0x8 +8 8_ 0:8'],
    [750, '12:30'],
    [45045.5, '12:30:45.5'],
    [1500, '1_500 1.5e+3 1500.'],
    [Number.POSITIVE_INFINITY, '.inf +.Inf'],
    [Number.NaN, '.nan .NaN'],
  ])('reads as %j: %s', (value, words) => {
    for (const word of words.split(' ')) expect(readYaml(`- ${word}`), word).toEqual([value]);
  });

  it('reads as text what YAML 1.2 or a later reader of 1.1 reads as another type', () => {
    const words = [
      'y',
      'Y',
      'n',
      'N',
      '1e5',
      '1.5e3',
      '1e+5',
      '08',
      '0o17',
      '.',
      'yEs',
      '2024-01-01',
      '2024-01-01 10:11:12',
    ];
    for (const word of words) expect(readYaml(`- ${word}`), word).toEqual([word]);
  });

  it.each([
    ['nothing', '# only a comment\n\n', 'expected a document, but the input is empty'],
    ['an alias of nothing', 'a: *x', 'line 1, column 5: unidentified alias "x"'],
    ['an unknown tag', 'a: 1\nb: !x 1', 'line 2, column 4: unknown scalar tag !<!x>'],
    [
      'an object of Python',
      'a: !!python/object/apply:os.system [x]',
      'line 1, column 4: unknown sequence tag !<tag:yaml.org,2002:python/object/apply:os.system>',
    ],
    ['two values', 'a: b: c', 'line 1, column 5: bad indentation of a mapping entry'],
    ['a tab', 'a:\n\tb: 1', 'line 2, column 1: tab characters must not be used in indentation'],
    ['a key twice', 'a: 1\na: 2', 'line 2, column 1: duplicated mapping key'],
    [
      'a key that is a list',
      '? [a]\n: 1',
      'line 1, column 1: object-based map does not support complex keys',
    ],
    [
      'an open quote',
      "a: 1\nb: 'x\n y",
      'line 3, column 3: unexpected end of the stream within a single quoted scalar',
    ],
    ['a broken indentation', 'a:\n    b: 1\n  c: 2', 'line 3, column 3: bad indentation of a mapping entry'],
    ['an escape of another kind', 'a: "\\q"', 'line 1, column 6: unknown escape sequence'],
    ['two documents', 'a: 1\n---\nb: 2', 'expected a single document in the stream, but found more'],
  ])('refuses %s', (_, text, message) => {
    expect(() => readYaml(text)).toThrow(new YamlError(message));
  });

  it('reads what PyYAML writes for all values that MLflow could have', () => {
    expect(dumped.length).toBe(60);
    for (const { yaml, value } of dumped) expect(readYaml(yaml)).toEqual(value);
  });

  const MOST = 4_000_000;
  it.each([
    ['lists in lists', '- '.repeat(70), 'line 1, column 129: nesting exceeded maxDepth (64)'],
    ['dashes without end', '- '.repeat(MOST / 2), 'line 1, column 129: nesting exceeded maxDepth (64)'],
    ['brackets without end', '['.repeat(MOST), 'line 1, column 64: nesting exceeded maxDepth (64)'],
    ['braces without end', '{a: '.repeat(MOST / 4), 'line 1, column 250: nesting exceeded maxDepth (64)'],
    [
      'question marks without end',
      '? '.repeat(MOST / 2),
      'line 1, column 128: nesting exceeded maxDepth (64)',
    ],
    [
      'mappings in mappings',
      Array.from({ length: 1800 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      'line 64, column 64: nesting exceeded maxDepth (64)',
    ],
    ['a quote that takes all lines', `a: '${'\n x'.repeat(MOST / 40)}`, 'within a single quoted scalar'],
    ['blanks without end', `a:${' '.repeat(MOST)}b: c`, 'bad indentation of a mapping entry'],
    ['aliases without end', `a: &a [1]\nb: [${'*a,'.repeat(MOST / 4)}]`, 'maxAliases'],
    [
      'merges without end',
      `a: &a {${Array.from({ length: 5000 }, (_, key) => `k${key}: 1`)}}\nb: [${'{<<: *a}, '.repeat(500)}]`,
      'merge keys',
    ],
    ['a long name', `a: *${'x'.repeat(MOST)}`, `unidentified alias "${'x'.repeat(80)}`],
  ])('refuses documents that are meant to exhaust it: %s', (_, text, message) => {
    expect(() => readYaml(text)).toThrow(YamlError);
    expect(() => readYaml(text)).toThrow(message);
  });

  it('reads long documents, and anchors with many aliases', () => {
    expect(readYaml('- a: 1\n'.repeat(50_000))).toHaveLength(50_000);
    expect(readYaml(`a: ${' '.repeat(MOST)}`)).toEqual({ a: null });
    // Each list has the one before twice: 2^40 texts if they were copied.
    const doubled = Array.from(
      { length: 40 },
      (_, index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`,
    );
    expect(readYaml(`a0: &a0 [x]\n${doubled.join('\n')}`)).toMatchObject({ a1: [['x'], ['x']] });
  });
});
