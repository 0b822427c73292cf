import { describe, expect, it } from 'vitest';
import { servingSchema } from '../../../shared/models/serving.ts';
import { assign, assignShadows, choosable, readsBody } from '../../../shared/releases/assign.ts';
import { compileCondition } from '../../../shared/releases/conditions.ts';
import { partOf } from '../../../shared/releases/hash.ts';
import { percentByVersion } from '../../../shared/releases/shares.ts';
import { factsOf } from './facts.ts';

const modelOf = (serving: Parameters<typeof servingSchema.parse>[0], versions = ['1', '2', '3']) => {
  const parsed = servingSchema.parse(serving);
  return { versions, liveVersion: parsed.live ?? versions.at(-1) ?? '', serving: parsed };
};

const decide = (model: ReturnType<typeof modelOf>, request: Parameters<typeof factsOf>[0]) => {
  const facts = factsOf(request);
  return assign(model, facts, (when) => compileCondition(when)(facts));
};

const CANARY = {
  live: '1',
  aliases: { canary: '2', gone: '9' },
  traffic: { seed: 's', key: { header: 'X-User' }, ranges: [{ target: 'canary', start: 0, end: 2500 }] },
};

describe('assign', () => {
  it('gives each user the version of the range of its part', () => {
    const model = modelOf(CANARY);
    const users = Array.from({ length: 2000 }, (_, index) => `user-${index}`);
    let inCanary = 0;
    for (const user of users) {
      const isIn = partOf('s', user) < 2500;
      inCanary += isIn ? 1 : 0;
      expect(decide(model, { headers: { 'x-user': user } })).toEqual(
        isIn
          ? { version: '2', variant: 'canary', sticky: true }
          : { version: '1', variant: 'live', sticky: true },
      );
    }
    expect(Math.abs(inCanary - 500)).toBeLessThan(80);
  });

  it.each([
    ['a cookie', { cookie: 'id' }, { headers: { cookie: 'a=1; id=user-1; id=other' } }, 'user-1'],
    ['a field', { field: 'customer.id' }, { body: { customer: { id: 'user-1' } } }, 'user-1'],
    ['a number in a field', { field: 'instances.0.id' }, { body: { instances: [{ id: 17 }] } }, '17'],
    ['false', { field: 'flag' }, { body: { flag: false } }, 'false'],
  ])('takes %s as the key', (_, key, request, value) => {
    for (const edge of [partOf('s', value), partOf('s', value) + 1]) {
      const ranges = [{ target: '2', start: 0, end: edge }].filter(({ end }) => end > 0);
      const model = modelOf({ live: '1', traffic: { seed: 's', key, ranges } });
      const isIn = edge > partOf('s', value);
      expect(decide(model, request)).toEqual(
        isIn
          ? { version: '2', variant: '2', sticky: true }
          : { version: '1', variant: 'live', sticky: ranges.length > 0 ? true : undefined },
      );
    }
  });

  it.each([
    ['no header', { header: 'x-user' }, {}],
    ['an empty header', { header: 'x-user' }, { headers: { 'x-user': '' } }],
    ['an empty cookie', { cookie: 'id' }, { headers: { cookie: 'id=' } }],
    ['no body', { field: 'id' }, {}],
    ['null', { field: 'id' }, { body: { id: null } }],
    ['a list', { field: 'id' }, { body: { id: [1] } }],
    ['an inherited member', { field: 'constructor' }, { body: {} }],
  ])('takes the id of the request for %s, and says so', (_, key, request) => {
    const part = partOf('s', 'request-7');
    const traffic = { seed: 's', key, ranges: [{ target: '2', start: part, end: part + 1 }] };
    const model = modelOf({ live: '1', traffic });
    expect(decide(model, { ...request, requestId: 'request-7' })).toEqual({
      version: '2',
      variant: '2',
      sticky: false,
    });
    expect(decide(model, { ...request, requestId: 'request-8' })).toEqual({
      version: '1',
      variant: 'live',
      sticky: false,
    });
  });

  it('lets the first rule decide before the ranges', () => {
    const all = [{ target: '2', start: 0, end: 10_000 }];
    const rules = [
      { when: { 'header.x-country': 'CH' }, target: '3' },
      { when: { 'header.x-country': { $in: ['CH', 'DE'] } }, target: 'stable' },
    ];
    const model = modelOf({
      live: '2',
      aliases: { stable: '1' },
      traffic: { seed: 's', ranges: all, rules },
    });
    expect(decide(model, { headers: { 'x-country': 'CH' } })).toMatchObject({ version: '3', variant: '3' });
    expect(decide(model, { headers: { 'x-country': 'DE' } })).toMatchObject({
      version: '1',
      variant: 'stable',
    });
    expect(decide(model, { headers: {} })).toEqual({ version: '2', variant: '2', sticky: undefined });
  });

  it('sends the share of a target that is not served to the live version', () => {
    const ranges = [
      { target: 'gone', start: 0, end: 5000 },
      { target: '7', start: 5000, end: 10_000 },
    ];
    const rules = [{ when: {}, target: 'nobody' }];
    expect(decide(modelOf({ ...CANARY, traffic: { seed: 's', ranges } }), {})).toMatchObject({
      version: '1',
      variant: 'live',
    });
    expect(decide(modelOf({ ...CANARY, traffic: { seed: 's', ranges, rules } }), {})).toMatchObject({
      version: '1',
      variant: 'live',
    });
  });

  it('gives the live version without any traffic', () => {
    expect(decide(modelOf({ live: '2' }), {})).toEqual({ version: '2', variant: 'live', sticky: undefined });
    expect(decide(modelOf({}), {})).toMatchObject({ version: '3' });
  });
});

describe('assignShadows', () => {
  it('gives each shadow its share, by a seed of its own', () => {
    const shadows = [
      { target: 'canary', percent: 20 },
      { target: '3', percent: 0.5 },
      { target: '9', percent: 100 },
    ];
    const model = modelOf({ ...CANARY, traffic: { seed: 's', ranges: [], shadows } });
    const counts = { '2': 0, '3': 0 };
    for (let index = 0; index < 20_000; index++) {
      const requestId = `r-${index}`;
      const versions = assignShadows(model, factsOf({ requestId }), '1');
      const expected = [
        ...(partOf('s/shadow/canary', requestId) < 2000 ? ['2'] : []),
        ...(partOf('s/shadow/3', requestId) < 50 ? ['3'] : []),
      ];
      if (expected.join() !== versions.join()) expect(versions).toEqual(expected);
      for (const version of versions) if (version === '2' || version === '3') counts[version] += 1;
    }
    expect(Math.abs(counts['2'] - 4000)).toBeLessThan(230);
    expect(Math.abs(counts['3'] - 100)).toBeLessThan(40);
  });

  it('never gives a request to the version that has answered it', () => {
    const shadows = [
      { target: 'canary', percent: 100 },
      { target: '2', percent: 100 },
    ];
    const model = modelOf({ ...CANARY, traffic: { seed: 's', ranges: [], shadows } });
    expect(assignShadows(model, factsOf({}), '2')).toEqual([]);
    expect(assignShadows(model, factsOf({}), '1')).toEqual(['2']);
  });
});

it('lists the versions that a request can get, and not shadows', () => {
  const traffic = {
    seed: 's',
    ranges: [
      { target: 'canary', start: 0, end: 1 },
      { target: 'gone', start: 1, end: 2 },
    ],
    rules: [{ when: {}, target: '3' }],
    shadows: [{ target: '4', percent: 5 }],
  };
  expect(choosable(modelOf({ ...CANARY, traffic }, ['1', '2', '3', '4']))).toEqual(['1', '2', '3']);
});

it('knows whether a decision needs the body', () => {
  const of = (traffic: object) => {
    const parsed = servingSchema.parse({ traffic: { seed: 's', ranges: [], ...traffic } }).traffic;
    return parsed && readsBody(parsed);
  };
  expect(of({ key: { field: 'id' } })).toBe(true);
  expect(of({ key: { header: 'id' } })).toBe(false);
  expect(of({ rules: [{ when: { $or: [{ 'field.age': 3 }] }, target: '1' }] })).toBe(true);
  expect(of({ rules: [{ when: { 'header.field': 'x' }, target: '1' }] })).toBe(false);
});

it('says the share of each version in whole percent', () => {
  const ranges = [
    { target: 'canary', start: 0, end: 1250 },
    { target: '3', start: 2000, end: 2049 },
  ];
  const model = modelOf({ ...CANARY, traffic: { seed: 's', ranges } });
  expect(percentByVersion(model)).toEqual(
    new Map([
      ['1', 88],
      ['2', 12],
    ]),
  );
  const whole = [{ target: '2', start: 0, end: 10_000 }];
  expect(percentByVersion(modelOf({ live: '1', traffic: { seed: 's', ranges: whole } }))).toEqual(
    new Map([['2', 100]]),
  );
});
