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
])('a result is measured in the form that Lambda sends: %s', (_, character, bytes) => {
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
    'The answer is too large for AWS Lambda: its limit is 6291456 bytes of JSON, and binary answers grow by a third. Send fewer rows at once, or ask for fewer outputs.',
  ]);
  await host.app.close();
});
