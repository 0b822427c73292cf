import { describe, expect, it } from 'vitest';
import { HeaderList } from '../../../shared/http/header-list.ts';

type Step = (headers: Headers) => void;

const STEPS: readonly (readonly [what: string, step: Step])[] = [
  ['append', (headers) => headers.append('X-B', 'one')],
  ['append to one that is there', (headers) => headers.append('content-type', 'text/csv')],
  ['append in another case', (headers) => headers.append('CONTENT-TYPE', 'text/csv')],
  ['append nothing', (headers) => headers.append('x-a', '')],
  [
    'append twice nothing',
    (headers) => {
      for (const value of ['', '']) headers.append('x-e', value);
    },
  ],
  ['set', (headers) => headers.set('X-A', 'two')],
  ['set with spaces around', (headers) => headers.set('x-s', ' \t a  b\r\n ')],
  ['set with many spaces within', (headers) => headers.set('x-s', ` ä${' '.repeat(300_000)}ä\t`)],
  ['set nothing but spaces', (headers) => headers.set('x-s', ' \t\r\n ')],
  ['set letters of one byte', (headers) => headers.set('x-l', 'ä\xff')],
  ['delete', (headers) => headers.delete('Content-Type')],
  ['delete what is not there', (headers) => headers.delete('x-none')],
  [
    'two cookies',
    (headers) => {
      for (const cookie of ['a=1', 'b=2']) headers.append('Set-Cookie', cookie);
    },
  ],
  [
    'one cookie for two',
    (headers) => {
      headers.append('set-cookie', 'a=1');
      headers.append('set-cookie', 'b=2');
      headers.set('set-cookie', 'c=3');
    },
  ],
  [
    'no cookie',
    (headers) => {
      headers.append('set-cookie', 'a=1');
      headers.delete('set-cookie');
      headers.append('set-cookie', 'd=4');
    },
  ],
];

const FIRST = { 'content-type': 'application/json', 'X-A': 'a', accept: '*/*' };

/** All that headers can be asked for. */
function lookAt(headers: Headers) {
  const each: unknown[] = [];
  headers.forEach(function (this: unknown, value, key, parent) {
    each.push([this, key, value, parent === headers]);
  }, 'this');
  return {
    all: [...headers],
    entries: [...headers.entries()],
    keys: [...headers.keys()],
    values: [...headers.values()],
    each,
    cookies: headers.getSetCookie(),
    got: ['Content-Type', 'x-a', 'set-cookie', 'X-None', 'x-e'].map((name) => [
      headers.get(name),
      headers.has(name),
    ]),
  };
}

describe('HeaderList', () => {
  it.each(STEPS)('is as the built-in headers are after %s', (_, step) => {
    const [own, built] = [new HeaderList(FIRST), new Headers(FIRST)];
    step(own);
    step(built);
    expect(lookAt(own)).toEqual(lookAt(built));
    expect(lookAt(new HeaderList(own))).toEqual(lookAt(new Headers(built)));
  });

  it.each<[string, ConstructorParameters<typeof HeaderList>[0]]>([
    ['nothing', undefined],
    [
      'pairs',
      [
        ['a', '1'],
        ['A', '2'],
        ['b', '3'],
      ],
    ],
    ['an object', { b: '1', a: '2' }],
    [
      'built-in headers',
      new Headers([
        ['set-cookie', 'a'],
        ['set-cookie', 'b'],
        ['x', 'y'],
      ]),
    ],
  ])('is made of %s as the built-in headers are', (_, init) => {
    expect(lookAt(new HeaderList(init))).toEqual(lookAt(new Headers(init)));
  });

  it('is made from names and values in turn, as a parser gives them', () => {
    const raw = ['Host', 'localhost', 'X-A', '1', 'x-a', '2', 'Set-Cookie', 'a', 'set-cookie', 'b'];
    const built = new Headers([
      ['host', 'localhost'],
      ['x-a', '1'],
      ['x-a', '2'],
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ]);
    expect(lookAt(HeaderList.ofRaw(raw))).toEqual(lookAt(built));
  });

  it.each(['', ' ', 'a b', 'a:', 'ä', 'a\n', '(a)', 'a\0'])(
    'refuses the name %j, as the built-in ones do',
    (name) => {
      for (const headers of [new HeaderList(), new Headers()]) {
        expect(() => headers.set(name, 'x')).toThrow(TypeError);
        expect(() => headers.append(name, 'x')).toThrow(TypeError);
        expect(() => headers.delete(name)).toThrow(TypeError);
      }
    },
  );

  it.each(['a\nb', 'a\r\nb: c', 'a\0b', '\u0100', '😀'])(
    'refuses the value %j, as the built-in ones do',
    (value) => {
      for (const headers of [new HeaderList(), new Headers()]) {
        expect(() => headers.set('x', value)).toThrow(TypeError);
        expect(() => headers.append('x', value)).toThrow(TypeError);
      }
    },
  );

  it.each(['a\x1bb', '\x07', '\x7f', '\xff\x80'])('takes the value %j, as the built-in ones do', (value) => {
    for (const headers of [new HeaderList(), new Headers()]) {
      headers.append('x', value);
      expect(headers.get('x')).toBe(value);
    }
  });
});
