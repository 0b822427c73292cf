import { describe, expect, it } from 'vitest';
import {
  describeDivision,
  formatShare,
  parseHistory,
  parseServed,
  partsOf,
} from '../../../../shared/playground/releases/served.ts';

const ANSWER = {
  name: 'iris',
  live_version: '2',
  versions: ['2', '3'],
  aliases: { canary: '3', gone: '9' },
  split: { canary: 2.6, gone: 10, 3: 0.1 },
  shadows: { 3: 12.5 },
  rules: [{ target: 'canary', reads: ['header.a', 'field.b'] }],
  key: 'header:x-user-id',
  archived: ['1'],
  warm: { version: '3', seconds: 600 },
  held_back: ['3'],
  registry: true,
};

describe('what is served', () => {
  it('is divided among targets; the live version has the rest, and what is not served', () => {
    expect(partsOf(parseServed(ANSWER))).toEqual([
      { name: 'live', version: '2', percent: 97.3 },
      { name: '3', version: '3', percent: 0.1 },
      { name: 'canary', version: '3', percent: 2.6 },
      { name: 'gone', version: undefined, percent: 10 },
    ]);
  });

  it('is read with all its members', () => {
    expect(parseServed(ANSWER)).toMatchObject({
      liveVersion: '2',
      archived: ['1'],
      warm: '3',
      heldBack: ['3'],
      hasRegistry: true,
      key: 'header:x-user-id',
      rules: [{ target: 'canary', condition: 'header.a, field.b' }],
    });
  });

  it('is nothing in an answer of something else', () => {
    for (const answer of [undefined, null, 'x', [], { versions: 3, split: [], rules: [null] }])
      expect(partsOf(parseServed(answer))).toEqual([{ name: 'live', version: '', percent: 100 }]);
  });
});

describe('a history', () => {
  it('has what was served after each change', () => {
    const change = { revision: 3, timestamp: 5, by: 'ada', why: 'a look', action: 'split canary=2.5' };
    const rules = [{ target: '3', when: '{"header.a":1}' }];
    const [changes, next] = parseHistory({
      changes: [{ ...change, live: '2', split: { canary: 2.5 }, shadows: { 3: 10 }, rules }],
      next_page_token: 'more',
    });
    expect(next).toBe('more');
    expect(changes).toMatchObject([
      { revision: 3, atMs: 5, by: 'ada', rules: [{ target: '3', condition: '{"header.a":1}' }] },
    ]);
    expect(changes.map(describeDivision)).toEqual(['live 2, rule for 3, canary: 2.5 %, shadow 3: 10 %']);
    const held_back = [{ version: '3', reason: 'no graph', instance: 'a' }];
    expect(parseHistory({ changes: [{ live: '3', held_back }] })[0].map(describeDivision)).toEqual([
      'live 3, held back: 3 (no graph)',
    ]);
    expect(parseHistory({ changes: [{ live: null }] })[0].map(describeDivision)).toEqual([
      'live the highest',
    ]);
  });
});

it('writes shares with the decimals that they have', () => {
  expect([0.01, 2.5, 100, 33.33, 94.89999999999999].map(formatShare)).toEqual([
    '0.01 %',
    '2.5 %',
    '100 %',
    '33.33 %',
    '94.9 %',
  ]);
});
