import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readPlainYaml } from '../../../../shared/models/formats/plain-yaml.ts';
import { PlainYamlError } from '../../../../shared/models/formats/yaml-scalars.ts';
import { readFormatFile } from '../../../fixtures/format-folders.ts';

/** Made by test/fixtures/formats/make_yaml.py. */
const dumped = z
  .array(z.object({ yaml: z.string(), value: z.json() }))
  .parse(JSON.parse(readFormatFile('yaml.json').toString()));

describe('readPlainYaml', () => {
  it.each<[string, string, unknown]>([
    ['nothing', '# only a comment\n\n', null],
    ['a scalar', 'text', 'text'],
    [
      'scalars of all kinds',
      "a: 1\nb: -2.5\nc: true\nd: null\ne: ~\nf:\ng: it's # a comment\nh: 1.5e+3\ni: 2024-01-01 10:11:12",
      { a: 1, b: -2.5, c: true, d: null, e: null, f: null, g: "it's", h: 1500, i: '2024-01-01 10:11:12' },
    ],
    [
      'quotes',
      `a: 'it''s: # no comment'\nb: "q\\n\\u00e4\\x41\\"" # one`,
      { a: "it's: # no comment", b: 'q\näA"' },
    ],
    ['quoted keys', `'a b': 1\n"c: d": 2`, { 'a b': 1, 'c: d': 2 }],
    ['blanks before a colon', `a b  : 1\n'c' : 2`, { 'a b': 1, c: 2 }],
    [
      'forms that only YAML 1.1 has as text',
      'a: 0x1f\nb: 1_000\nc: .inf\nd: 12:30',
      { a: '0x1f', b: '1_000', c: '.inf', d: '12:30' },
    ],
    ['lists in lists with a quote over two lines', `- - k: 'x\n    y'`, [[{ k: 'x y' }]]],
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
    ['empty collections', 'a: {}\nb: []', { a: {}, b: [] }],
    ['the start of a document', '---\na: 1', { a: 1 }],
    ['keys of every object', '__proto__: 1', JSON.parse('{"__proto__": 1}')],
  ])('reads %s', (_, text, value) => {
    expect(readPlainYaml(text)).toEqual(value);
  });

  it.each([
    ['an anchor', 'a: &x 1', 'line 1 has a value of a kind that is not read'],
    ['an alias', 'a: *x', 'line 1 has a value of a kind that is not read'],
    ['a tag', 'a: !!int 1', 'line 1 has a value of a kind that is not read'],
    ['a block of text', 'a: |\n  text', 'line 1 has a value of a kind that is not read'],
    ['a collection in flow style', 'b: 1\na: [1, 2]', 'line 2 has a value of a kind that is not read'],
    ['two values', 'a: b: c', 'line 1 has a value of a kind that is not read'],
    ['a tab', 'a:\n\tb: 1', 'line 2 is indented with a tab'],
    ['a key twice', 'a: 1\na: 2', 'line 2 has a key that was there before'],
    ['an open quote', "a: 1\nb: 'x\ny", 'line 2 opens a quote that is never closed'],
    ['a broken indentation', 'a:\n    b: 1\n  c: 2', 'line 3 is not indented like what stands before it'],
    ['an escape of another kind', 'a: "\\q"', 'line 1 has an escape that is not read'],
  ])('refuses %s', (_, text, message) => {
    expect(() => readPlainYaml(text)).toThrow(new PlainYamlError(message));
  });

  it('reads whatever PyYAML writes of values that MLflow could have', () => {
    expect(dumped.length).toBe(60);
    for (const { yaml, value } of dumped) expect(readPlainYaml(yaml)).toEqual(value);
  });

  it.each([
    ['lists in lists', '- '.repeat(70), 'line 1 is nested too deep'],
    ['dashes without end', '- '.repeat(300_000), 'line 1 is nested too deep'],
    [
      'mappings in mappings',
      Array.from({ length: 70 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      'line 65 is nested too deep',
    ],
    [
      'a quote that takes all lines',
      `a: '${'\nx'.repeat(100_000)}`,
      'line 1 opens a quote that is never closed',
    ],
  ])('refuses what is made to stop it: %s', (_, text, message) => {
    expect(() => readPlainYaml(text)).toThrow(new PlainYamlError(message));
  });

  it('reads long lists of mappings', () => {
    expect(readPlainYaml('- a: 1\n'.repeat(50_000))).toHaveLength(50_000);
  });
});
