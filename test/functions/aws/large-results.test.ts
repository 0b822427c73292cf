import { expect, it } from 'vitest';
import { createLambdaHandler } from '../../../functions/aws/handler.ts';
import { isTooLarge, MOST_RESULT_BYTES } from '../../../functions/aws/results.ts';
import type { App } from '../../../shared/app.ts';
import { BytesResponse } from '../../../shared/http/bytes.ts';
import { get } from '../../contracts/exchanges.ts';
import { createTestHost } from '../../support/hosts/in-process.ts';
import { EVENT_SOURCES, fromResult, toEvent } from '../../support/hosts/lambda-events.ts';
import { invocationOf } from '../../support/lambda-invocation.ts';

const result = (body: string) => ({ statusCode: 200, body, isBase64Encoded: false });
const around = JSON.stringify(result('')).length;

it.each([
  ['plain text', '1', 1],
  ['quotes, which are escaped', '"', 2],
  ['control characters, which take six', '\u0007', 6],
  ['text of three bytes a character', '\u4e00', 3],
])('a result is measured as Lambda passes it on: %s', (_, character, bytes) => {
  const most = Math.floor((MOST_RESULT_BYTES - around) / bytes);
  expect(isTooLarge(result(character.repeat(most)))).toBe(false);
  expect(isTooLarge(result(character.repeat(most + 1)))).toBe(true);
});

it.each(EVENT_SOURCES)('an answer that Lambda would not pass on becomes an error: %s', async (source) => {
  const host = createTestHost();
  const bytes = new Uint8Array(MOST_RESULT_BYTES);
  const headers = { 'content-type': 'application/octet-stream' };
  const fetch: App['fetch'] = (request) =>
    Promise.resolve(
      new BytesResponse(request.url.endsWith('/fits') ? bytes.subarray(0, 4_700_000) : bytes, { headers }),
    );
  const handler = createLambdaHandler({ ...host, app: { ...host.app, fetch } });
  const send = async (path: string) =>
    fromResult(source, 'GET', await handler(toEvent(source, get(path)), invocationOf('id')));
  expect((await send('/fits')).body).toHaveLength(4_700_000);
  const { status, body } = await send('/more');
  expect([status, JSON.parse(body.toString()).error]).toEqual([
    413,
    'The answer has more than 6291456 bytes in the form that AWS Lambda passes on, which is its limit; bytes count 4/3 there. Send less at once, or ask for fewer outputs.',
  ]);
  await host.app.close();
});
