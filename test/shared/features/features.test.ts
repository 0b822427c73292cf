import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EntityKey, FeatureStore, StoredValue } from '../../../shared/features/feature-store.ts';
import { type FeaturesSettings, features } from '../../../shared/features/features.ts';
import { unavailable } from '../../../shared/processors/processor.ts';
import { bindFeatures, bindStep, refusalOf } from '../../support/features/look-up.ts';
import { serveSteps } from '../../support/serve-steps.ts';

const STEP = { entity: 'id', features: ['a'] };

/** A store in memory, whose answers a test can hold back. */
function makeStore(rows: Readonly<Record<string, readonly StoredValue[]>> = {}, keepsTexts = false) {
  const asked: (readonly EntityKey[])[] = [];
  const signals: AbortSignal[] = [];
  const held: (() => void)[] = [];
  const state = { isHeld: false, failure: undefined as Error | undefined };
  const store: FeatureStore = {
    title: 'The store',
    plan: () => ({
      keepsTexts,
      read: async (keys, signal) => {
        asked.push(keys);
        signals.push(signal);
        if (state.isHeld) await new Promise<void>((resolve) => held.push(resolve));
        if (state.failure) throw state.failure;
        return keys.map((key) => rows[String(key[0])] ?? []);
      },
    }),
  };
  return { store, asked, signals, held, state };
}

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

function moveClock(ms: number): void {
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now + ms);
  onTestFinished(() => void vi.restoreAllMocks());
}

describe('the cache of features', () => {
  const ROWS = { x: [1], y: [2], z: [3] };
  const open = async (settings: Partial<FeaturesSettings> = {}, options: object = {}) => {
    const made = makeStore(ROWS);
    return { ...made, find: await bindFeatures({ store: made.store, ...settings }, { ...STEP, ...options }) };
  };

  it('keeps what was looked up for ten seconds, also that nothing was there', async () => {
    const { find, asked } = await open({}, { missing: 'null' });
    expect((await find(['x', 'nobody'])).counts).toEqual({ features_misses: 2 });
    expect(await find(['nobody', 'x', 'y'])).toEqual({
      rows: [{ a: null }, { a: 1 }, { a: 2 }],
      counts: { features_hits: 2, features_misses: 1 },
    });
    moveClock(10_001);
    expect((await find(['x'])).counts).toEqual({ features_misses: 1 });
    expect(asked).toEqual([[['x'], ['nobody']], [['y']], [['x']]]);
  });

  it('keeps nothing that the clock, set back, would keep for too long', async () => {
    const { find, asked } = await open();
    await find(['x']);
    moveClock(-60_000);
    await find(['x']);
    expect(asked).toHaveLength(2);
  });

  it('keeps those that were used last', async () => {
    const { find, asked } = await open({ cacheEntities: 2 });
    for (const id of ['x', 'y', 'x', 'z', 'x', 'y']) await find([id]);
    expect(asked.flat(2)).toEqual(['x', 'y', 'z', 'y']);
  });

  it.each([{ cacheSeconds: 0 }, { cacheEntities: 0 }])('can be off: %j', async (settings) => {
    const { find, asked } = await open(settings);
    await find(['x', 'x']);
    await find(['x']);
    expect(asked.flat(2)).toEqual(['x', 'x']);
  });

  it('keeps no failures', async () => {
    const { find, asked, state } = await open();
    state.failure = new Error('no');
    expect((await refusalOf(find(['x'])))[0]).toBe('PROCESSOR_FAILED');
    state.failure = undefined;
    expect((await find(['x'])).rows).toEqual([{ a: 1 }]);
    expect(asked).toHaveLength(2);
  });

  it('is apart for models that look up other features', async () => {
    const { store, asked } = makeStore({ x: [1, 2] });
    const step = features({ store });
    const findOne = await bindStep(step, { entity: 'id', features: ['a'] });
    const findOther = await bindStep(step, { entity: 'id', features: ['b', 'c'] });
    const findSame = await bindStep(step, { entity: 'id', features: [{ name: 'other', from: 'a' }] });
    expect((await findOne(['x'])).rows).toEqual([{ a: 1 }]);
    expect((await findOther(['x'])).rows).toEqual([{ b: 1, c: 2 }]);
    expect((await findSame(['x'])).rows).toEqual([{ other: 1 }]);
    expect(asked).toHaveLength(2);
  });

  it('is apart for ids that only look alike', async () => {
    const { find, asked } = await open({}, { entity: ['id', 'day'], missing: 'null' });
    const ids = [
      { id: 7, day: 'x' },
      { id: '7', day: 'x' },
      { id: '7,x', day: 'x' },
      { id: 'x"', day: ',"' },
      { id: 'x', day: '","' },
    ];
    expect((await find(ids)).counts).toEqual({ features_misses: 5 });
    expect(asked).toEqual([ids.map(({ id, day }) => [id, day])]);
    expect((await find(ids)).counts).toEqual({ features_hits: 5 });
  });

  it('has values that no step can change, and leaves those of the store alone', async () => {
    const list = [1, { deep: [2] }];
    const { store } = makeStore({ x: [list] });
    const find = await bindFeatures({ store, cacheSeconds: 0 }, STEP);
    const { rows } = await find(['x']);
    expect(rows).toEqual([{ a: [1, { deep: [2] }] }]);
    const found = listOf(listOf(rows, 0), 'a');
    expect(() => Reflect.apply(Array.prototype.push, found, [3])).toThrow(TypeError);
    expect(() => Reflect.apply(Array.prototype.push, listOf(listOf(found, 1), 'deep'), [3])).toThrow(
      TypeError,
    );
    expect([Object.isFrozen(found), Object.isFrozen(listOf(found, 1))]).toEqual([true, true]);
    list.push(4);
    expect((await find(['x'])).rows).toEqual([{ a: [1, { deep: [2] }, 4] }]);
  });
});

/** A member of a value that a test knows to be there. */
function listOf(value: unknown, name: string | number): object {
  const member: unknown = Reflect.get(Object(value), name);
  if (typeof member === 'object' && member !== null) return member;
  throw new Error(`there is no ${name}`);
}

describe('look-ups at once', () => {
  const open = async () => {
    const made = makeStore({ x: [1], y: [2] });
    made.state.isHeld = true;
    return { ...made, find: await bindFeatures({ store: made.store, timeoutMs: 60_000 }, STEP) };
  };

  it('share the question for an entity', async () => {
    const { find, asked, held } = await open();
    const found = Promise.all([find(['x']), find(['x', 'y']), find(['y'])]);
    await turn();
    for (const answer of held) answer();
    expect((await found).map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ a: 1 }, { a: 2 }], [{ a: 2 }]]);
    expect(asked).toEqual([[['x']], [['y']]]);
  });

  it('do not end because the first of them ends', async () => {
    const { find, held, signals } = await open();
    const client = new AbortController();
    const first = refusalOf(find(['x'], { signal: client.signal }));
    const second = find(['x']);
    await turn();
    client.abort();
    expect((await first)[0]).toBe('CLIENT_GONE');
    expect(signals[0]?.aborted).toBe(false);
    held[0]?.();
    expect((await second).rows).toEqual([{ a: 1 }]);
  });

  it('end when nobody waits any more, and others ask again', async () => {
    const { find, asked, held, signals, state } = await open();
    const late = refusalOf(find(['x'], { timeMs: 30 }));
    expect(await late).toEqual([
      'DEADLINE_EXCEEDED',
      'The step "features" did not end within the time of the request.',
    ]);
    await turn();
    expect(signals[0]?.aborted).toBe(true);
    state.isHeld = false;
    expect((await find(['x'])).rows).toEqual([{ a: 1 }]);
    expect(asked).toHaveLength(2);
    held[0]?.();
  });

  it('end when they may not take longer', async () => {
    const { store, state, signals } = makeStore();
    state.isHeld = true;
    const find = await bindFeatures({ store, timeoutMs: 30 }, STEP);
    expect(await refusalOf(find(['x']))).toEqual([
      'TEMPORARILY_UNAVAILABLE',
      'The step "features" cannot reach what it needs; the log of the server says why.',
      'The store did not answer within 30 ms',
    ]);
    expect(signals[0]?.aborted).toBe(true);
  });
});

describe('look-ups that fail', () => {
  it('end all that the store still does for them', async () => {
    const { store, state, signals } = makeStore();
    state.failure = new Error('one part of it');
    const find = await bindFeatures({ store }, STEP);
    expect((await refusalOf(find(['x'])))[2]).toBe('one part of it');
    expect(signals[0]?.aborted).toBe(true);
  });

  it('are asked again for those who only shared the question', async () => {
    const { store, state, held, asked } = makeStore({ x: [1] });
    state.isHeld = true;
    state.failure = new Error('no such key');
    const find = await bindFeatures({ store, timeoutMs: 60_000 }, STEP);
    const poisoned = refusalOf(find(['x', 'bad']));
    const other = find(['x']);
    await turn();
    held[0]?.();
    expect((await poisoned)[2]).toBe('no such key');
    state.failure = undefined;
    await vi.waitFor(() => expect(held).toHaveLength(2));
    held[1]?.();
    expect((await other).rows).toEqual([{ a: 1 }]);
    expect(asked).toEqual([[['x'], ['bad']], [['x']]]);
  });

  it('are not asked again if the store is away', async () => {
    const { store, state, held, asked } = makeStore({ x: [1] });
    state.isHeld = true;
    state.failure = unavailable('away');
    const find = await bindFeatures({ store, timeoutMs: 60_000 }, STEP);
    const both = [refusalOf(find(['x', 'y'])), refusalOf(find(['x']))];
    await turn();
    held[0]?.();
    expect((await Promise.all(both)).map(([code]) => code)).toEqual([
      'TEMPORARILY_UNAVAILABLE',
      'TEMPORARILY_UNAVAILABLE',
    ]);
    expect(asked).toHaveLength(1);
  });

  it('are those of one entity only, if the store says so', async () => {
    const store: FeatureStore = {
      title: 'The store',
      plan: () => ({
        keepsTexts: false,
        read: async (keys) => keys.map(([id]) => (id === 'bad' ? new Error('it is bad') : [1])),
      }),
    };
    const find = await bindFeatures({ store }, STEP);
    const both = await Promise.all([refusalOf(find(['x', 'bad'])), find(['x'])]);
    expect([both[0][2], both[1].rows]).toEqual(['it is bad', [{ a: 1 }]]);
    expect((await find(['x'])).counts).toEqual({ features_hits: 1 });
    expect((await refusalOf(find(['bad'])))[2]).toBe('it is bad');
  });

  it('are not shared any more after one that took too long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { store, state, asked, signals } = makeStore({ x: [1] });
    const find = await bindFeatures({ store, timeoutMs: 1000 }, STEP);
    state.isHeld = true;
    const first = refusalOf(find(['x']));
    await vi.advanceTimersByTimeAsync(500);
    const second = refusalOf(find(['x']));
    await vi.advanceTimersByTimeAsync(500);
    expect((await first)[2]).toBe('The store did not answer within 1000 ms');
    expect([asked.length, signals[0]?.aborted]).toEqual([1, false]);
    state.isHeld = false;
    expect((await find(['x'])).rows).toEqual([{ a: 1 }]);
    await vi.advanceTimersByTimeAsync(500);
    expect((await second)[2]).toBe('The store did not answer within 1000 ms');
    const reason: unknown = signals[0]?.reason;
    expect(reason instanceof Error && reason.name).toBe('TimeoutError');
  });
});

describe('rows', () => {
  it('have what clients send besides the entity, and what is looked up', async () => {
    const { store } = makeStore({ 7: [1, 'two'] });
    const find = await bindFeatures(
      { store },
      { entity: 'id', features: ['a', { name: 'b', from: 'c' }], request: ['amount', 'shop'] },
    );
    const { rows } = await find([{ amount: 12.5, id: 7, shop: 'north' }]);
    expect(rows).toEqual([{ a: 1, b: 'two', amount: 12.5, shop: 'north' }]);
  });

  it.each<[string, object, unknown, string]>([
    [
      'a number with digits after the point',
      {},
      1.5,
      'Field "instances[0]" is not an id; expected a text or a whole number.',
    ],
    [
      'a number that loses digits',
      {},
      2 ** 53,
      'Field "instances[0]" is not an id; expected a text or a whole number.',
    ],
    ['no id', {}, null, 'Field "instances[0]" must be an object with "id", or the id alone.'],
    ['a list', {}, ['x'], 'Field "instances[0]" must be an object with "id", or the id alone.'],
    ['an object without it', {}, {}, 'Field "instances[0].id" is missing.'],
    [
      'an id that is true',
      {},
      { id: true },
      'Field "instances[0].id" is not an id; expected a text or a whole number.',
    ],
    [
      'an empty id',
      {},
      { id: '' },
      'Field "instances[0].id" is not an id; expected a text of 1 to 1024 characters.',
    ],
    [
      'half of a character',
      {},
      '\ud800',
      'Field "instances[0]" is not an id; expected a text of 1 to 1024 characters.',
    ],
    [
      'a long id',
      {},
      'x'.repeat(1025),
      'Field "instances[0]" is not an id; expected a text of 1 to 1024 characters.',
    ],
    [
      'a feature of the store',
      {},
      { id: 'x', a: 1 },
      'Field "instances[0].a" is looked up, and cannot be sent.',
    ],
    ['something else', {}, { id: 'x', b: 1 }, 'Field "instances[0].b" is not known; expected "id".'],
    [
      'an id alone where more is needed',
      { request: ['m'] },
      'x',
      'Field "instances[0]" must be an object with "id", "m".',
    ],
    ['less than is needed', { request: ['m'] }, { id: 'x' }, 'Field "instances[0].m" is missing.'],
    ['a part of an entity', { entity: ['id', 'day'] }, { id: 'x' }, 'Field "instances[0].day" is missing.'],
    [
      'an unknown entity of two parts',
      { entity: ['id', 'day'] },
      { id: 'q', day: 1 },
      'Field "instances[0]" has no features.',
    ],
  ])('are not made of %s', async (_, options, instance, message) => {
    const { store, asked } = makeStore({ x: [1] });
    const find = await bindFeatures({ store }, { ...STEP, ...options });
    expect(await refusalOf(find([instance]))).toEqual(['INVALID_PARAMETER_VALUE', message]);
    expect(asked.flat()).toEqual(message.endsWith('no features.') ? [['q', 1]] : []);
  });

  it.each<[boolean, string | undefined, StoredValue, unknown]>([
    [true, undefined, '-1.5e3', -1500],
    [true, undefined, '007', '007'],
    [true, undefined, 'NaN', 'NaN'],
    [true, undefined, '1e999', '1e999'],
    [true, 'text', '1e999', '1e999'],
    [true, undefined, '1e-999', 0],
    [true, undefined, '', null],
    [true, 'text', '', ''],
    [true, 'text', '12', '12'],
    [true, 'number', '12', 12],
    [true, 'boolean', 'True', true],
    [true, 'boolean', '0', false],
    [false, undefined, '12', '12'],
    [false, undefined, [1, null], [1, null]],
    [false, 'number', '12', 12],
    [false, 'number', 12, 12],
    [false, 'text', 12, '12'],
    [false, 'boolean', false, false],
  ])('have values of their types: texts %s, type %s, %j', async (keepsTexts, type, value, expected) => {
    const { store } = makeStore({ x: [value] }, keepsTexts);
    const spec = type === undefined ? 'a' : { name: 'a', type };
    const find = await bindFeatures({ store }, { ...STEP, features: [spec], missing: 'null' });
    expect((await find(['x'])).rows).toEqual([{ a: expected }]);
  });

  it.each<[string, StoredValue]>([
    ['number', 'old'],
    ['number', '1e999'],
    ['number', '-1e999'],
    ['number', true],
    ['boolean', 1],
    ['boolean', 'yes'],
    ['text', [1]],
  ])('are not made of other types than the model says: %s, %j', async (type, value) => {
    const { store } = makeStore({ x: [value] });
    const find = await bindFeatures({ store }, { ...STEP, features: [{ name: 'a', type }] });
    expect((await refusalOf(find(['x'])))[2]).toBe(
      `the feature "a" of an entity is not a ${type} in the store`,
    );
  });
});

describe('numbers in JSON that are too large', () => {
  it.each(['1e999', '-1e999', '[1, {"a": 1e999}]'])('are not infinity: %s', async (text) => {
    const { store } = makeStore({ x: [JSON.parse(text)], y: [1] });
    const find = await bindFeatures({ store }, STEP);
    expect((await refusalOf(find(['x', 'y'])))[2]).toBe('The store has a number beyond those of JavaScript');
    expect(await find(['y'])).toEqual({ rows: [{ a: 1 }], counts: { features_hits: 1 } });
  });
});

describe('the step in model.json', () => {
  it.each<[object, string]>([
    [{}, '.entity: missing; expected names'],
    [{ entity: 'id' }, '.features: missing; expected names'],
    [{ entity: 'id', features: [] }, '.features: expected a list of names'],
    [{ entity: 'id', features: 'a' }, '.features: expected a list of names'],
    [{ entity: 'id', features: ['a', ''] }, '.features[1]: expected a name'],
    [{ entity: '', features: ['a'] }, '.entity: expected a name'],
    [{ entity: { name: 'id', type: 'int' }, features: ['a'] }, '.entity.type: expected "text" or "number"'],
    [
      { ...STEP, features: [{ name: 'a', type: 'int' }] },
      '.features[0].type: expected "text", "number" or "boolean"',
    ],
    [
      { ...STEP, features: [{ name: 'a', default: [] }] },
      '.features[0].default: expected a number, a text, true, false or null',
    ],
    [{ ...STEP, features: [{ from: 'a' }] }, '.features[0].name: expected a name'],
    [
      { ...STEP, features: [{ name: 'a', form: 'b' }] },
      '.features[0]: there is no "form"; it has "name", "from", "type", "default"',
    ],
    [{ ...STEP, features: ['a', 'a'] }, ': it has the name "a" twice'],
    [{ ...STEP, features: ['id'] }, ': it has the name "id" twice'],
    [{ ...STEP, missing: 'zero' }, '.missing: expected "refuse" or "null"'],
    [
      { ...STEP, url: 'redis://elsewhere' },
      ': there is no "url"; it has "entity", "features", "request", "missing"',
    ],
  ])('is refused when it is wrong: %j', async (options, message) => {
    await expect(bindFeatures({ store: makeStore().store }, options)).rejects.toThrow(
      `its model.json is not valid at processors[0]${message}`,
    );
  });

  it('has the name that the project gives it', async () => {
    const find = await bindFeatures({ store: makeStore({ x: [1] }).store, name: 'customers' }, STEP);
    expect((await find(['x'])).rows).toEqual([{ a: 1 }]);
  });

  it.each([
    [{ cacheSeconds: -1 }, 'The step "features" needs a number from 0 to 604800 as "cacheSeconds".'],
    [{ timeoutMs: 0 }, 'The step "features" needs a number from 1 to 600000 as "timeoutMs".'],
    [
      { cacheEntities: Number.NaN },
      'The step "features" needs a number from 0 to 10000000 as "cacheEntities".',
    ],
    [
      { cacheSecond: 1 },
      'has no setting "cacheSecond"; it has "store", "name", "cacheSeconds", "cacheEntities", "timeoutMs", perhaps "cacheSeconds" was meant.',
    ],
  ])('is refused with wrong settings: %j', (own, message) => {
    expect(() => features({ store: makeStore().store, ...own })).toThrow(message);
  });
});

describe('a model with features from a store', () => {
  const ROWS = { a: [5.1, 3.5, 1.4], b: [6.7, 3.0, 5.2], wrong: [5.1, 'wide', 1.4] };
  const NAMED = {
    step: 'features',
    entity: 'flower',
    features: ['sepal_length', 'sepal_width', 'petal_length'],
    request: ['petal_width'],
  };
  const serve = async () => {
    const { store, state } = makeStore(ROWS);
    return { ...(await serveSteps({ processors: [features({ store })], named: [NAMED] })), state };
  };

  it('answers, and the line of the log has how many were looked up', async () => {
    const { ask, lines } = await serve();
    const instances = [
      { flower: 'b', petal_width: 2.3 },
      { flower: 'a', petal_width: 0.2 },
      { flower: 'b', petal_width: 2.3 },
    ];
    const { status, json } = await ask('/models/m/predict', {
      instances: instances.map((each) => ({ features: each })),
    });
    expect(status).toBe(200);
    const labels = json.predictions.map(({ prediction }: { prediction: string }) => prediction);
    expect(labels).toEqual(['virginica', 'setosa', 'virginica']);
    expect(lines.at(-1)).toMatchObject({
      counts: { features_misses: 2 },
      observations: { features_ms: { count: 1 } },
    });
  });

  it('blames clients for what they sent, and the store for what it has', async () => {
    const { ask } = await serve();
    const mistake = await ask('/models/m/predict', { features: { flower: 'a', petal_width: 'thin' } });
    expect([mistake.status, mistake.json.field ?? mistake.json.error]).toEqual([
      400,
      expect.stringContaining('petal_width'),
    ]);
    const wrong = await ask('/models/m/predict', { features: { flower: 'wrong', petal_width: 0.2 } });
    expect([wrong.status, wrong.json.error_code]).toEqual([500, 'PROCESSOR_FAILED']);
  });

  it('answers with 503 when the store is not there, and the log has the reason', async () => {
    const { ask, lines, state } = await serve();
    state.failure = unavailable('The store is away');
    const { status, json } = await ask('/models/m/predict', { features: { flower: 'a', petal_width: 0.2 } });
    expect([status, json.error_code, json.error]).toEqual([
      503,
      'TEMPORARILY_UNAVAILABLE',
      'The step "features" cannot reach what it needs; the log of the server says why.',
    ]);
    expect(JSON.stringify(lines)).toContain('The store is away');
  });
});
