import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feast } from '../../../shared/features/feast.ts';
import { type Customer, describeFeatureStore } from '../../contracts/feature-store.ts';
import { bindFeatures, refusalOf } from '../../support/features/look-up.ts';
import { folderOf } from '../installation.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

const PROJECT = `
project: customers
registry: registry.db
provider: local
online_store:
  type: sqlite
  path: online.db
offline_store:
  type: file
entity_key_serialization_version: 3
`;

let server: RunningServer;
let repository: string;

beforeAll(async () => {
  repository = await mkdtemp(join(tmpdir(), 'ternion-feast-'));
  await writeFile(join(repository, 'feature_store.yaml'), PROJECT);
  const programs = join(folderOf(counterpart), 'bin');
  const apply = join(import.meta.dirname, 'apply.py');
  await promisify(execFile)(join(programs, 'python'), [apply], { cwd: repository });
  server = await startServer({
    ...counterpart,
    start: (_, port) => [
      join(programs, 'feast'),
      ...['--chdir', repository, 'serve', '--port', String(port), '--no-access-log'],
    ],
  });
});
afterAll(async () => {
  await server?.close();
  await rm(repository, { recursive: true, force: true });
});

async function write(customers: readonly Customer[]): Promise<void> {
  const column = (read: (customer: Customer) => unknown) => customers.map((each) => read(each) ?? null);
  const response = await fetch(`${server.url}/write-to-online-store`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      feature_view_name: 'customers',
      df: {
        customer_id: column(({ customer_id: id }) => id),
        age: column(({ age }) => age),
        income: column(({ income }) => income),
        city: column(({ city }) => city),
        active: column(({ active }) => active),
        event_timestamp: column(() => new Date().toISOString()),
      },
    }),
  });
  if (!response.ok) throw new Error(await response.text());
}

describeFeatureStore('the feature server of Feast', async (customers) => {
  await write(customers);
  return { store: feast({ url: server.url, view: 'customers' }), close: async () => undefined };
});

describe('the feature server of Feast', () => {
  const find = async (settings: object, features: readonly string[]) =>
    await bindFeatures(
      { store: feast({ url: server.url, ...settings }), timeoutMs: 30_000 },
      { entity: 'customer_id', features },
    );

  it('has services', async () => {
    await write([{ customer_id: 's1', age: 5, income: 6.5, city: 'x', active: true }]);
    const ask = await find({ service: 'scoring' }, ['income', 'age']);
    expect((await ask(['s1'])).rows).toEqual([{ income: 6.5, age: 5 }]);
  });

  it('says which view is not there', async () => {
    const [code, , reason] = await refusalOf((await find({ view: 'clients' }, ['age']))(['s1']));
    expect([code, reason]).toEqual([
      'PROCESSOR_FAILED',
      `Feast at ${server.url} answered with 404: Feature view clients does not exist in project customers`,
    ]);
  });
});
