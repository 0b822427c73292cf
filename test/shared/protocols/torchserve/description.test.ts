import { describe, expect, it, onTestFinished } from 'vitest';
import { get } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../support/hosts/in-process.ts';

function open(environment: Readonly<Record<string, string>> = {}) {
  const host = openApp(environment);
  onTestFinished(() => host.close());
  return host;
}

describe('the description of the API on the routes of TorchServe', () => {
  it.each([
    ['GET', '/api-description'],
    ['OPTIONS', '/api-description'],
    ['OPTIONS', '/'],
  ])('is the one of this server: %s %s', async (method, path) => {
    const host = open();
    const answer = await host.send({ ...get(path), method });
    const description = JSON.parse(answer.body.toString());
    expect([answer.status, answer.headers['content-type'], description.openapi]).toEqual([
      200,
      'application/json',
      '3.1.0',
    ]);
    expect(description).toEqual(JSON.parse((await host.send(get('/openapi.json'))).body.toString()));
  });

  it('is not there where DOCS is off', async () => {
    const host = open({ DOCS: 'false' });
    expect((await host.send(get('/api-description'))).status).toBe(404);
    const answer = await host.send({ ...get('/'), method: 'OPTIONS' });
    expect([answer.status, answer.headers.allow]).toEqual([204, expect.stringContaining('GET')]);
  });

  it('is below the prefix of the deployment as well', async () => {
    const host = open({ BASE_PATH: '/prod' });
    const answer = await host.send(get('/prod/api-description'));
    expect(JSON.parse(answer.body.toString()).openapi).toBe('3.1.0');
  });
});
