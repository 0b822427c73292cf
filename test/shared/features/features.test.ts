import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EntityKey, FeatureStore, StoredValue } from '../../../shared/features/feature-store.ts';
import { type FeaturesSettings, features } from '../../../shared/features/features.ts';
import { bindFeatures, refusalOf } from '../../support/features/look-up.ts';
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
      identify: (key) => JSON.stringify(key),
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
    const { ask } = await serveSteps({
      processors: [step],
      named: [{ step: 'features', entity: 'id', features: ['a', 'b'] }],
    });
    await ask('/models/m/predict', { features: { id: 'x' } });
    const find = await bindFeatures({ store }, { entity: 'id', features: ['a'] });
    await find(['x']);
    expect(asked).toHaveLength(2);
  });
});

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
    const { unavailable } = await import('../../../shared/processors/processor.ts');
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
