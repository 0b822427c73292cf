import { describe, expect, it } from 'vitest';
import type { Serving } from '../../../shared/models/serving.ts';
import {
  annotate,
  archive,
  ChangeError,
  forget,
  liveVersionOf,
  promote,
  removeAlias,
  rollBack,
  setAlias,
  sharesOf,
  split,
  unarchive,
} from '../../../shared/releases/changes.ts';
import type { Changed, Current } from '../../../shared/releases/release-log.ts';

const KNOWN = { model: 'iris', versions: ['1', '2', '10', '3'] };
const NONE: Current = {
  revision: 0,
  serving: { aliases: {}, archived: [] },
  card: { tags: {}, versions: {} },
};

function apply(current: Current, ...changes: ((state: Current) => Changed)[]): Current {
  return changes.reduce((state, change) => {
    const { serving = state.serving, card = state.card } = change(state);
    return { revision: state.revision + 1, serving, card };
  }, current);
}

function shares(serving: Serving) {
  return Object.fromEntries(sharesOf(serving.traffic ?? { ranges: [] }));
}

function problemOf(change: () => unknown): string {
  try {
    change();
  } catch (error) {
    if (error instanceof ChangeError) return error.message;
    throw error;
  }
  throw new Error('expected a ChangeError');
}

describe('an alias', () => {
  it('holds the version that is live, so that a new one is not', () => {
    const { serving } = apply(NONE, (state) => setAlias(state, KNOWN, 'canary', '3'));
    expect(serving).toEqual({ live: '10', aliases: { canary: '3' }, archived: [] });
    const later = { ...KNOWN, versions: [...KNOWN.versions, '11'] };
    expect(liveVersionOf({ serving }, later)).toBe('10');
    expect(liveVersionOf(NONE, later)).toBe('11');
  });

  it('can be set by another one, and moves alone', () => {
    const { serving } = apply(
      NONE,
      (state) => setAlias(state, KNOWN, 'canary', '3'),
      (state) => setAlias(state, KNOWN, 'champion', 'canary'),
      (state) => setAlias(state, KNOWN, 'canary', '2'),
    );
    expect(serving.aliases).toEqual({ canary: '2', champion: '3' });
  });

  it('is refused for what is not there, or not served', () => {
    const current = apply(NONE, (state) => archive(state, KNOWN, '1'));
    expect(problemOf(() => setAlias(current, KNOWN, 'canary', '4'))).toBe(
      'Model "iris" has no version or alias "4"; its versions are: 1, 2, 3, 10.',
    );
    expect(problemOf(() => setAlias(current, KNOWN, 'canary', 'toString'))).toContain('"toString"');
    expect(problemOf(() => setAlias(current, KNOWN, 'canary', '1'))).toContain(
      '"ternion archive iris 1 --undo"',
    );
    for (const name of ['2', 'live', 'named']) {
      expect(problemOf(() => setAlias(current, KNOWN, name, '3'))).toContain('no alias can have this name');
    }
    expect(problemOf(() => removeAlias(current, KNOWN, 'canary'))).toBe(
      'Model "iris" has no alias "canary"; its aliases are: none.',
    );
  });
});

describe('a split', () => {
  const given = apply(
    NONE,
    (state) => setAlias(state, KNOWN, 'canary', '3'),
    (state) => split(state, KNOWN, { shares: new Map([['canary', 5]]) }),
  );

  it('begins at 0, grows and shrinks without moving others, and ends', () => {
    expect(given.serving.traffic).toEqual({
      seed: 'iris',
      ranges: [{ target: 'canary', start: 0, end: 500 }],
      rules: [],
      shadows: [],
    });
    const two = apply(given, (state) => split(state, KNOWN, { shares: new Map([['2', 10.25]]) }));
    expect(two.serving.traffic?.ranges).toEqual([
      { target: 'canary', start: 0, end: 500 },
      { target: '2', start: 500, end: 1525 },
    ]);
    const grown = apply(two, (state) => split(state, KNOWN, { shares: new Map([['canary', 25]]) }));
    expect(shares(grown.serving)).toEqual({ canary: 25, '2': 10.25 });
    expect(grown.serving.traffic?.ranges).toContainEqual({ target: '2', start: 500, end: 1525 });
    const ended = apply(grown, (state) =>
      split(state, KNOWN, {
        shares: new Map([
          ['canary', 0],
          ['2', 0],
        ]),
      }),
    );
    expect(ended.serving.traffic?.ranges).toEqual([]);
    expect(ended.serving.live).toBe('10');
  });

  it('has shadows, rules and a key, each of which stays until it is changed', () => {
    const { serving } = apply(
      given,
      (state) => split(state, KNOWN, { key: { header: 'x-user' }, shadows: new Map([['2', 50]]) }),
      (state) => split(state, KNOWN, { rules: [{ when: { 'field.age': { $gt: 3 } }, target: '1' }] }),
      (state) => split(state, KNOWN, { shares: new Map([['canary', 6]]) }),
    );
    expect(serving.traffic).toMatchObject({
      key: { header: 'x-user' },
      ranges: [{ target: 'canary', start: 0, end: 600 }],
      rules: [{ target: '1' }],
      shadows: [{ target: '2', percent: 50 }],
    });
    const without = apply(given, (state) => split(state, KNOWN, { key: null, shadows: new Map([['2', 0]]) }));
    expect(without.serving.traffic?.key).toBeUndefined();
    expect(without.serving.traffic?.shadows).toEqual([]);
  });

  it.each([
    [
      'more than all',
      {
        shares: new Map([
          ['canary', 60],
          ['2', 50],
        ]),
      },
      'at most 100',
    ],
    ['the live version', { shares: new Map([['10', 5]]) }, 'is live'],
    ['an unknown version', { shares: new Map([['11', 5]]) }, 'no version or alias "11"'],
    ['a shadow that is not there', { shadows: new Map([['11', 5]]) }, 'no version or alias "11"'],
    ['a rule to what is not there', { rules: [{ when: {}, target: '11' }] }, 'no version or alias "11"'],
    [
      'a rule with an unknown operator',
      { rules: [{ when: { 'header.x': { $near: 1 } }, target: '2' }] },
      'The rule for 2 of model "iris" cannot be used: the operator $near is unknown',
    ],
    [
      'a rule that could keep a server busy',
      { rules: [{ when: { 'header.x': { $regex: '(a+)+b' } }, target: '2' }] },
      'repeats a group',
    ],
  ])('is refused for %s', (_, wanted, problem) => {
    expect(problemOf(() => split(given, KNOWN, wanted))).toContain(problem);
  });

  it('gives the share of a version to it when it is promoted, and keeps the old one warm', () => {
    const { serving } = apply(
      given,
      (state) => split(state, KNOWN, { shares: new Map([['2', 10]]), shadows: new Map([['3', 100]]) }),
      (state) => promote(state, KNOWN, 'canary', 60),
    );
    expect(serving).toMatchObject({
      live: '3',
      aliases: { canary: '3' },
      traffic: { ranges: [{ target: '2', start: 500, end: 1500 }], shadows: [] },
      warm: { version: '10', seconds: 60 },
    });
    expect(apply({ ...NONE, serving }, (state) => promote(state, KNOWN, '3')).serving.warm).toBeUndefined();
  });
});

describe('a version', () => {
  const given = apply(
    NONE,
    (state) => setAlias(state, KNOWN, 'canary', '3'),
    (state) => split(state, KNOWN, { shares: new Map([['canary', 5]]), shadows: new Map([['2', 1]]) }),
  );

  it.each([
    ['10', 'is live'],
    ['3', 'has the alias canary, and is in the split'],
    ['2', 'is in the split'],
  ])('%s is not archived or deleted while it %s', (version, problem) => {
    expect(problemOf(() => archive(given, KNOWN, version))).toContain(problem);
    expect(problemOf(() => forget(given, KNOWN, version))).toContain(problem);
  });

  it('can be archived and served again', () => {
    const archived = apply(given, (state) => archive(state, KNOWN, '1'));
    expect(archived.serving.archived).toEqual(['1']);
    expect(problemOf(() => promote(archived, KNOWN, '1'))).toContain('is archived');
    expect(apply(archived, (state) => unarchive(state, KNOWN, '1')).serving.archived).toEqual([]);
    expect(problemOf(() => unarchive(given, KNOWN, '1'))).toContain('is not archived');
  });

  it('is archived when it is deleted, and its notes are removed', () => {
    const noted = apply(given, (state) => annotate(state, KNOWN, '1', { tags: { a: 'b' } }));
    const { serving, card } = apply(noted, (state) => forget(state, KNOWN, '1'));
    expect([serving.archived, card.versions]).toEqual([['1'], {}]);
  });
});

it('serves again what was served, unless that is gone', () => {
  const first = apply(NONE, (state) => promote(state, KNOWN, '2'));
  const second = apply(first, (state) => promote(state, KNOWN, '3'));
  const back = apply(second, (state) => rollBack(state, KNOWN, first));
  expect(back.serving).toEqual({ ...first.serving, warm: { version: '3', seconds: 600 } });
  expect(problemOf(() => rollBack(second, { ...KNOWN, versions: ['3'] }, first))).toBe(
    'Revision 1 of model "iris" serves what is not there any more: 2.',
  );
});

it('notes what people know, about a model or a version', () => {
  const { card } = apply(
    NONE,
    (state) => annotate(state, KNOWN, undefined, { description: 'Flowers', tags: { team: 'a', old: 'x' } }),
    (state) => annotate(state, KNOWN, undefined, { tags: { team: 'b' }, removedTags: ['old'] }),
    (state) => annotate(state, KNOWN, '3', { metrics: { accuracy: 0.9 }, description: 'Third' }),
    (state) => annotate(state, KNOWN, '3', { metrics: { loss: 1 } }),
  );
  expect(card).toEqual({
    description: 'Flowers',
    tags: { team: 'b' },
    versions: { '3': { description: 'Third', tags: {}, metrics: { accuracy: 0.9, loss: 1 } } },
  });
  expect(problemOf(() => annotate(NONE, KNOWN, '4', {}))).toContain('no version or alias "4"');
});
