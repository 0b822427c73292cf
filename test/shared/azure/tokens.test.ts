import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findToken, isPrivate } from '../../../shared/azure/tokens.ts';
import { portOf } from '../../support/port-of.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const NOWHERE = 'http://127.0.0.1:1';
const TOKEN = 'header.payload.signature';
const APPLICATION = { AZURE_TENANT_ID: 'our tenant', AZURE_CLIENT_ID: 'the-client' };
const SECRET = { ...APPLICATION, AZURE_CLIENT_SECRET: 'top secret' };

class Unanswered extends Error {}
const fail = (reason: string) => new Unanswered(reason);

interface Received {
  readonly method: string | undefined;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly values: Readonly<Record<string, string>>;
}

/** A server that gives tokens, and the requests that it got. */
async function start(status: number, body: unknown) {
  const requests: Received[] = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', NOWHERE);
    const values = request.method === 'POST' ? new URLSearchParams(await text(request)) : url.searchParams;
    const { method, headers } = request;
    requests.push({ method, path: url.pathname, headers, values: Object.fromEntries(values) });
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${portOf(server)}`, requests };
}

const IN_AN_HOUR = { token_type: 'Bearer', access_token: TOKEN, expires_in: 3600 };
const AT_A_TIME = { access_token: TOKEN, expires_on: '1893456000', resource: 'https://storage.azure.com/' };

describe('a token of Microsoft Entra', () => {
  it('is given to an application for its secret', async () => {
    const { url, requests } = await start(200, IN_AN_HOUR);
    const { token, expiration } = await findToken({ ...SECRET, AZURE_AUTHORITY_HOST: `${url}/` }, fail);
    expect(token).toBe(TOKEN);
    expect(Math.abs(expiration.getTime() - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(requests).toMatchObject([
      {
        method: 'POST',
        path: '/our%20tenant/oauth2/v2.0/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        values: {
          grant_type: 'client_credentials',
          client_id: 'the-client',
          client_secret: 'top secret',
          scope: 'https://storage.azure.com/.default',
        },
      },
    ]);
  });

  it('is given to a workload for the token in its file, before that of its secret', async () => {
    const { url, requests } = await start(200, IN_AN_HOUR);
    const folder = await makeFolder({ token: 'a.federated.token\n' });
    const file = { AZURE_FEDERATED_TOKEN_FILE: join(folder, 'token') };
    expect(await findToken({ ...SECRET, ...file, AZURE_AUTHORITY_HOST: url }, fail)).toMatchObject({
      token: TOKEN,
    });
    expect(requests[0]?.values).toEqual({
      grant_type: 'client_credentials',
      client_id: 'the-client',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.federated.token',
      scope: 'https://storage.azure.com/.default',
    });
  });

  it('is given to the identity of a function app', async () => {
    const { url, requests } = await start(200, AT_A_TIME);
    const app = { IDENTITY_ENDPOINT: `${url}/msi/token`, IDENTITY_HEADER: 'the header' };
    expect(await findToken(app, fail)).toEqual({
      token: TOKEN,
      expiration: new Date('2030-01-01T00:00:00Z'),
    });
    await findToken({ ...app, AZURE_CLIENT_ID: 'a-user' }, fail);
    const asked = { 'api-version': '2019-08-01', resource: 'https://storage.azure.com/' };
    expect(requests).toMatchObject([
      { method: 'GET', path: '/msi/token', headers: { 'x-identity-header': 'the header' }, values: asked },
      { values: { ...asked, client_id: 'a-user' } },
    ]);
    expect(Object.keys(requests[0]?.values ?? {})).toEqual(['api-version', 'resource']);
  });

  it('is given to the identity of an instance', async () => {
    const { url, requests } = await start(200, AT_A_TIME);
    const instance = { AZURE_POD_IDENTITY_AUTHORITY_HOST: url, AZURE_CLIENT_ID: 'a-user' };
    expect(await findToken(instance, fail)).toEqual({
      token: TOKEN,
      expiration: new Date('2030-01-01T00:00:00Z'),
    });
    expect(requests).toMatchObject([
      {
        method: 'GET',
        path: '/metadata/identity/oauth2/token',
        headers: { metadata: 'true' },
        values: {
          'api-version': '2018-02-01',
          resource: 'https://storage.azure.com/',
          client_id: 'a-user',
        },
      },
    ]);
  });

  it('comes from elsewhere only where there is no service of an instance', async () => {
    const own = { token: 'own', expiration: new Date() };
    const otherwise = async () => own;
    const nowhere = { AZURE_POD_IDENTITY_AUTHORITY_HOST: NOWHERE };
    expect(await findToken(nowhere, fail, otherwise)).toBe(own);
    await expect(findToken(nowhere, fail)).rejects.toThrow('and there is no managed identity');
    const { url } = await start(400, { error: 'invalid_request', error_description: 'Identity not found' });
    await expect(findToken({ AZURE_POD_IDENTITY_AUTHORITY_HOST: url }, fail, otherwise)).rejects.toThrow(
      'the managed identity was refused a token with 400 invalid_request',
    );
  });

  it('is refused with the code, but without the rest of the description', async () => {
    const description = 'AADSTS7000215: Invalid client secret top secret.\r\nTrace ID: 1 Timestamp: 2';
    const { url } = await start(401, { error: 'invalid_client', error_description: description });
    const refused = findToken({ ...SECRET, AZURE_AUTHORITY_HOST: url }, fail);
    await expect(refused).rejects.toThrow(
      new Error('the application was refused a token with 401 invalid_client AADSTS7000215'),
    );
    await expect(refused).rejects.not.toBeInstanceOf(Unanswered);
  });

  it.each([410, 429, 500, 503])('can come later after an answer of %i', async (status) => {
    const { url } = await start(status, 'not now');
    for (const environment of [
      { ...SECRET, AZURE_AUTHORITY_HOST: url },
      { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: 'x' },
      { AZURE_POD_IDENTITY_AUTHORITY_HOST: url },
    ]) {
      const refused = findToken(environment, fail);
      await expect(refused).rejects.toThrow(`answered with ${status}`);
      await expect(refused).rejects.toBeInstanceOf(Unanswered);
    }
  });

  it.each([
    'no JSON',
    {},
    { ...IN_AN_HOUR, access_token: 'two\r\nlines' },
    { access_token: TOKEN },
    { access_token: TOKEN, expires_on: 'soon' },
  ])('is not %j', async (body) => {
    const { url } = await start(200, body);
    await expect(findToken({ ...SECRET, AZURE_AUTHORITY_HOST: url }, fail)).rejects.toThrow(
      new Unanswered('the application was given something else than a token'),
    );
  });

  it('is asked for over https:// only, and sent over it only', async () => {
    const open = { ...SECRET, AZURE_AUTHORITY_HOST: 'http://login.example.com' };
    await expect(findToken(open, fail)).rejects.toThrow('AZURE_AUTHORITY_HOST is not an address of https://');
    const addresses = [
      'https://shop.blob.core.windows.net/a',
      'http://127.0.0.1:10000/a',
      'http://localhost',
      'http://[::1]:1',
      'http://shop.blob.core.windows.net/a',
      'http://127.0.0.1.example.com',
      'http://localhost.example.com',
    ];
    expect(addresses.map((address) => isPrivate(new URL(address)))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});
