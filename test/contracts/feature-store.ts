import { describe, expect, it, onTestFinished } from 'vitest';
import type { FeatureStore } from '../../shared/features/feature-store.ts';
import { bindFeatures, refusalOf } from '../support/features/look-up.ts';

/** A customer as it is in the store. What is undefined is not there. */
export interface Customer {
  readonly customer_id: string;
  readonly age?: number;
  readonly income?: number;
  readonly city?: string;
  readonly active?: boolean;
}

export interface FeatureStoreUnderTest {
  /** Looks up customers by `customer_id`. */
  readonly store: FeatureStore;
  close(): Promise<void>;
}

export type OpenFeatureStore = (customers: readonly Customer[]) => Promise<FeatureStoreUnderTest>;

const CUSTOMERS: readonly Customer[] = [
  { customer_id: 'c1', age: 31, income: 2500.5, city: 'Oslo', active: true },
  { customer_id: 'c2', age: -52, city: 'São Paulo', active: false },
  { customer_id: 'Zoë 😀:{x}', age: 0, income: 1e-7, city: 'a"b\\c\r\nd', active: true },
  { customer_id: '7', age: 7, income: 7, city: '7', active: true },
];
const MANY = Array.from({ length: 250 }, (_, index) => ({
  customer_id: `n${index}`,
  age: index,
  income: 1,
  city: 'x',
  active: true,
}));

const STEP = {
  entity: 'customer_id',
  features: [
    'age',
    'income',
    { name: 'town', from: 'city', type: 'text' },
    { name: 'active', type: 'boolean' },
  ],
  missing: 'null',
};

/** What every feature store does. */
export function describeFeatureStore(name: string, open: OpenFeatureStore): void {
  describe(`${name} as a feature store`, () => {
    const lookUp = async (options: object = STEP, customers = CUSTOMERS) => {
      const { store, close } = await open(customers);
      onTestFinished(close);
      return await bindFeatures({ store, cacheSeconds: 0, timeoutMs: 30_000 }, options);
    };

    it('gives the features of entities, in their order, with their types', async () => {
      const find = await lookUp();
      const { rows } = await find(['c2', 'c1', 'Zoë 😀:{x}']);
      expect(rows).toEqual([
        { age: -52, income: null, town: 'São Paulo', active: false },
        { age: 31, income: 2500.5, town: 'Oslo', active: true },
        { age: 0, income: 1e-7, town: 'a"b\\c\r\nd', active: true },
      ]);
    });

    it('keeps a text that looks like a number where the model says that it is a text', async () => {
      const find = await lookUp();
      expect((await find(['7'])).rows).toEqual([{ age: 7, income: 7, town: '7', active: true }]);
    });

    it('asks once for an entity that comes several times', async () => {
      const find = await lookUp({ ...STEP, features: ['age'] });
      const { rows, counts } = await find(['c1', { customer_id: 'c2' }, 'c1', { customer_id: 'c1' }]);
      expect(rows).toEqual([{ age: 31 }, { age: -52 }, { age: 31 }, { age: 31 }]);
      expect(counts).toEqual({ features_misses: 2 });
    });

    it('takes more entities at once than one page of any store has', async () => {
      const find = await lookUp({ ...STEP, features: ['age'] }, MANY);
      const ids = MANY.map(({ customer_id }) => customer_id).reverse();
      const { rows } = await find([...ids, 'n3']);
      expect(rows).toEqual([...MANY.map(({ age }) => ({ age })).reverse(), { age: 3 }]);
    });

    it('has null or defaults for an entity that is not there, if the model says so', async () => {
      const find = await lookUp({
        ...STEP,
        features: ['age', { name: 'income', default: 1000 }, { name: 'city', default: 'none' }],
      });
      expect((await find(['nobody', 'c2'])).rows).toEqual([
        { age: null, income: 1000, city: 'none' },
        { age: -52, income: 1000, city: 'São Paulo' },
      ]);
    });

    it('refuses an entity that is not there, and a feature that is not there', async () => {
      const find = await lookUp({ entity: 'customer_id', features: ['age', 'income'] });
      expect(await refusalOf(find(['c1', 'nobody']))).toEqual([
        'INVALID_PARAMETER_VALUE',
        'Field "instances[1]" has no features.',
      ]);
      expect(await refusalOf(find([{ customer_id: 'c2' }]))).toEqual([
        'INVALID_PARAMETER_VALUE',
        'Field "instances[0].customer_id" has no feature "income".',
      ]);
    });

    it('answers look-ups at once, each with its own entities', async () => {
      const find = await lookUp({ ...STEP, features: ['age'] }, MANY);
      const found = await Promise.all(
        Array.from({ length: 40 }, (_, index) => find([`n${index}`, `n${index + 1}`])),
      );
      expect(found.map(({ rows }) => rows)).toEqual(
        Array.from({ length: 40 }, (_, index) => [{ age: index }, { age: index + 1 }]),
      );
    });

    it('stops waiting when the time of a request is over, and works after that', async () => {
      const find = await lookUp();
      expect((await refusalOf(find(['c1'], { timeMs: 0 })))[0]).toBe('DEADLINE_EXCEEDED');
      const controller = new AbortController();
      const left = refusalOf(find(['c2'], { signal: controller.signal }));
      controller.abort();
      expect((await left)[0]).toBe('CLIENT_GONE');
      expect((await find(['c1'])).rows).toMatchObject([{ age: 31 }]);
    });
  });
}
