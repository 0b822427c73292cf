import { checkWhy } from '../../registry/names.ts';
import type { Caller } from '../../registry/registry.ts';
import { changeShares, historyOf, promote, rollBack } from '../../registry/releases.ts';
import { answerModel, type Call, encodeChange, type Fields, pageSize } from './registry-fields.ts';

/** What MLflow's registry lacks, by the end of the path. */
export const RELEASE_CALLS: Readonly<Record<string, Readonly<Record<string, Call>>>> = {
  history: {
    GET: async (registry, fields) => {
      const [name, size] = [fields.text('name'), pageSize(fields, 100, 1000)];
      const { items, nextPageToken } = await historyOf(registry, name, size, fields.optional('page_token'));
      return { changes: items.map(encodeChange), next_page_token: nextPageToken };
    },
  },
  rollback: {
    POST: async (registry, fields, caller) => {
      const [name, revision] = [fields.text('name'), fields.count('revision')];
      return answerModel(registry, await rollBack(registry, signed(caller, fields), name, revision));
    },
  },
  promote: {
    POST: async (registry, fields, caller) => {
      const [name, version] = [fields.text('name'), fields.text('version')];
      return answerModel(registry, await promote(registry, signed(caller, fields), name, version));
    },
  },
  split: {
    POST: async (registry, fields, caller) => {
      const [name, shares] = [fields.text('name'), fields.shares('shares')];
      return answerModel(registry, await changeShares(registry, signed(caller, fields), name, shares));
    },
  },
};

/** The caller with why the change is made, and what it was decided for. */
function signed(caller: Caller, fields: Fields): Caller {
  const why = checkWhy(fields.optional('why') ?? '');
  return { ...caller, why, expected: fields.count('expected_revision') };
}
