import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { http } from '@google-cloud/functions-framework';
import { getTestServer } from '@google-cloud/functions-framework/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttpFunction } from '../../../functions/http-function.ts';
import { form, get, post, raw } from '../../contracts/exchanges.ts';
import { createTestHost } from '../../support/hosts/in-process.ts';
import { sendOverHttp, type TestRequest } from '../../support/hosts/test-host.ts';
import { portOf } from '../../support/port-of.ts';
import { PROJECT } from '../../support/project.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const SETOSA = JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] });

// If the framework itself calls the function, it has already read the body.
describe('the function called by the framework', () => {
  const host = createTestHost();
  http('ternion', createHttpFunction(host));
  const server = getTestServer('ternion');
  let port = 0;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    port = portOf(server);
  });
  afterAll(async () => {
    server.close();
    await host.app.close();
  });

  const ask = async (request: TestRequest) => {
    const { status, body } = await sendOverHttp(port, request);
    return { status, ...JSON.parse(body.toString()) };
  };

  it.each([
    ['JSON', post('/predict', JSON.parse(SETOSA)), 'setosa'],
    [
      'compressed JSON',
      raw('/predict', gzipSync(SETOSA), { 'content-type': 'application/json', 'content-encoding': 'gzip' }),
      'setosa',
    ],
    ['an image', raw('/predict', PNG, { 'content-type': 'image/png' }), '7'],
    ['a form', form('/models/digits/predict', 'file', PNG), '7'],
  ])('reads %s', async (_, request, prediction) => {
    expect(await ask(request)).toMatchObject({ status: 200, prediction });
  });

  it('answers without a body, and errors', async () => {
    expect(await ask(get('/models/iris'))).toMatchObject({ status: 200, name: 'iris' });
    expect(await ask(get('/predict'))).toMatchObject({ status: 405, error_code: 'METHOD_NOT_ALLOWED' });
  });
});
