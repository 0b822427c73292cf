import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256Of, signRequest } from '../../../shared/aws/sign.ts';
import { openDynamoDb } from '../../../shared/features/dynamodb/dynamodb.ts';
import { type Customer, describeFeatureStore } from '../../contracts/feature-store.ts';
import { bindFeatures, refusalOf } from '../../support/features/look-up.ts';
import { type RunningServer, startServer } from '../start-server.ts';
import { counterpart } from './counterpart.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const REGION = 'eu-west-1';

let server: RunningServer;

beforeAll(async () => {
  server = await startServer(counterpart);
});
afterAll(() => server?.close());

async function call(operation: string, content: object): Promise<void> {
  const url = new URL(server.url);
  const body = JSON.stringify(content);
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': `DynamoDB_20120810.${operation}`,
  };
  const signed = signRequest(
    { method: 'POST', url, headers, bodySha256: sha256Of(body) },
    { service: 'dynamodb', region: REGION, credentials: CREDENTIALS, now: new Date() },
  );
  const response = await fetch(url, { method: 'POST', headers: signed, body });
  if (!response.ok) throw new Error(await response.text());
}

async function createTable(key: Readonly<Record<string, 'S' | 'N'>>): Promise<string> {
  const table = `customers-${randomUUID()}`;
  const names = Object.keys(key);
  await call('CreateTable', {
    TableName: table,
    KeySchema: names.map((AttributeName, index) => ({
      AttributeName,
      KeyType: index === 0 ? 'HASH' : 'RANGE',
    })),
    AttributeDefinitions: names.map((AttributeName) => ({
      AttributeName,
      AttributeType: key[AttributeName],
    })),
    BillingMode: 'PAY_PER_REQUEST',
  });
  return table;
}

/** At most 25 items can be written at once. */
async function write(table: string, items: readonly object[]): Promise<void> {
  for (let start = 0; start < items.length; start += 25) {
    const requests = items.slice(start, start + 25).map((Item) => ({ PutRequest: { Item } }));
    await call('BatchWriteItem', { RequestItems: { [table]: requests } });
  }
}

function itemOf(customer: Customer): object {
  return Object.fromEntries(
    Object.entries(customer).map(([name, value]: [string, unknown]) => [
      name,
      typeof value === 'number'
        ? { N: String(value) }
        : typeof value === 'boolean'
          ? { BOOL: value }
          : { S: value },
    ]),
  );
}

function open(table: string, key: Parameters<typeof openDynamoDb>[0]['key']) {
  const credentials = async () => CREDENTIALS;
  return openDynamoDb({ table, key, region: REGION, endpoint: server.url, credentials }, {});
}

describeFeatureStore('DynamoDB of moto', async (customers) => {
  const table = await createTable({ customer_id: 'S' });
  await write(table, customers.map(itemOf));
  return { store: open(table, 'customer_id'), close: async () => undefined };
});

describe('DynamoDB of moto', () => {
  it('finds items by two attributes, one of which is a number', async () => {
    const table = await createTable({ PK: 'S', SK: 'N' });
    await write(table, [
      { PK: { S: 'SHOP#a' }, SK: { N: '7' }, sales: { N: '1.5' }, tags: { L: [{ S: 'x' }] } },
      { PK: { S: 'SHOP#a' }, SK: { N: '8' }, sales: { NULL: true } },
    ]);
    const find = await bindFeatures(
      { store: open(table, { PK: 'SHOP#{shop}', SK: { N: '{day}' } }) },
      { entity: ['shop', { name: 'day', type: 'number' }], features: ['sales', 'tags'], missing: 'null' },
    );
    const { rows } = await find([7, 8, 9].map((day) => ({ shop: 'a', day })));
    expect(rows).toEqual([
      { sales: 1.5, tags: ['x'] },
      { sales: null, tags: null },
      { sales: null, tags: null },
    ]);
  });

  it('says that a table is not there', async () => {
    const find = await bindFeatures({ store: open('nowhere', 'id') }, { entity: 'id', features: ['a'] });
    const [code, , reason] = await refusalOf(find(['x']));
    expect([code, reason]).toEqual([
      'PROCESSOR_FAILED',
      'The table "nowhere" of DynamoDB answered with 400 ResourceNotFoundException',
    ]);
  });
});
