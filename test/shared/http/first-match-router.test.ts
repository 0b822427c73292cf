import { beforeEach, describe, expect, it } from 'vitest';
import { FirstMatchRouter } from '../../../shared/http/first-match-router.ts';

describe('a router', () => {
  let router = new FirstMatchRouter<string>();
  beforeEach(() => {
    router = new FirstMatchRouter();
    router.add('GET', '/models/:model{[^/:]+}', 'first');
    router.add('GET', '/models/:model{[^/:]+}', 'second');
    router.add('OPTIONS', '/models/:model{[^/:]+}', 'options');
    router.add('ALL', '/other', 'all');
  });

  it.each([
    ['GET', '/models/iris', [['first', { model: 'iris' }]]],
    ['OPTIONS', '/models/iris', [['options', { model: 'iris' }]]],
    ['HEAD', '/models/iris', []],
    ['HEAD', '/other', [['all', {}]]],
    ['GET', '/', []],
  ])('finds only the first handler of a method: %s %s', (method, path, expected) => {
    expect(router.match(method, path)).toEqual([expected]);
    expect(router.match(method, path)).toEqual([expected]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty'])(
    'finds no more for a method with the name of a member of all objects, and leaves that alone: %s',
    (method) => {
      const member: unknown = Reflect.get({}, method);
      expect(router.match(method, '/models/iris')).toEqual([[]]);
      expect(router.match(method, '/other')).toEqual([[['all', {}]]]);
      expect([Object.hasOwn(Object(member), 'params'), 'params' in {}]).toEqual([false, false]);
    },
  );

  it('keeps the same number of matches however many methods clients send', () => {
    const found = router.match('GET', '/models/iris');
    for (let path = 0; path < 8; path++) router.match('PROPFIND', `/${path}`);
    expect(router.match('GET', '/models/iris')).toBe(found);
    for (let method = 0; method < 64; method++) {
      for (let path = 0; path < 8; path++) router.match(`METHOD-${method}`, `/${path}`);
    }
    expect(router.match('GET', '/models/iris')).not.toBe(found);
  });
});
