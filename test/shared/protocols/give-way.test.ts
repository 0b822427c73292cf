import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createContext, requestUrl } from '../../../functions/host.ts';
import { BytesRequest } from '../../../shared/http/bytes.ts';
import { createTestHost } from '../../support/hosts/in-process.ts';

const IRIS = { name: 'iris', version: '2' };

/** Sends a request whose client goes away as soon as others have a turn and a condition holds. */
async function leave(
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array,
  isTime: (host: ReturnType<typeof createTestHost>) => boolean,
): Promise<number> {
  const host = createTestHost({ MAX_BATCH_SIZE: '1024', MAX_BODY_BYTES: '20000000' });
  onTestFinished(() => host.app.close());
  await host.app.inference.use({ reference: IRIS }, {}, () => undefined);
  const client = new AbortController();
  const sent = new Headers(headers);
  const request = new BytesRequest(requestUrl(path), { method: 'POST', headers: sent }, body);
  const context = createContext(sent, 'r', { signal: client.signal });
  const answered = host.app.fetch(request, context).finally(() => client.abort());
  while (!client.signal.aborted) {
    await setImmediate();
    if (isTime(host)) client.abort();
  }
  return (await answered).status;
}

it('gives others a turn while a long answer of V2 is written', async () => {
  const rows = 150_000;
  const input = { datatype: 'FP32', shape: [rows, 4], parameters: { binary_data_size: rows * 16 } };
  const head = Buffer.from(JSON.stringify({ inputs: [{ name: 'features', ...input }] }));
  const headers = { 'inference-header-content-length': String(head.length) };
  const body = Buffer.concat([head, Buffer.alloc(rows * 16)]);
  const hasRun = ({ app }: ReturnType<typeof createTestHost>) =>
    app.inference.statistics(IRIS).success.count > 0;
  expect(await leave('/v2/models/iris/infer', headers, body, () => false)).toBe(200);
  expect(await leave('/v2/models/iris/infer', headers, body, hasRun)).toBe(499);
});

it('gives others a turn between lines that fail', async () => {
  const body = Buffer.from(`[${'5.1,'.repeat(4_000)}"x"]\n`.repeat(900));
  const headers = { 'content-type': 'application/jsonlines', accept: 'text/csv' };
  expect(await leave('/models/iris/invoke', headers, body, () => false)).toBe(400);
  expect(await leave('/models/iris/invoke', headers, body, () => true)).toBe(499);
});
