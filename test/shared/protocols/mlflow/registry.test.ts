import { createServer, type IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { post } from '../../../contracts/exchanges.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { KEY, openRegistry } from '../../../support/open-registry.ts';

describe('the key of the registry', () => {
  const GET_MODEL = '/api/2.0/mlflow/registered-models/get?name=iris';

  it('is needed for every call, and is never repeated', async () => {
    const { url } = await openRegistry({ ADMIN_KEY: ` ${KEY}\n` });
    const ask = async (authorization?: string) => {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await fetch(url + GET_MODEL, { headers });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const authorization of [
      undefined,
      'Bearer',
      'Bearer x',
      `Bearer ${KEY}x`,
      `Token ${KEY}`,
      basic(KEY),
      basic(`${KEY}:`),
      basic('user:x'),
      `Basic ${KEY}`,
    ]) {
      const { status, headers, text } = await ask(authorization);
      expect([authorization, status]).toEqual([authorization, 401]);
      expect(headers.get('www-authenticate')).toBe('Bearer realm="registry", Basic realm="registry"');
      expect(JSON.parse(text)).toMatchObject({ error_code: 'UNAUTHENTICATED' });
      expect(text).not.toContain(KEY);
    }
    for (const authorization of [`Bearer ${KEY}`, `bearer  ${KEY}`, basic(`anna:${KEY}`), basic(`:${KEY}`)])
      expect((await ask(authorization)).status).toBe(200);
  });

  it('switches the registry on', async () => {
    const app = openApp({ ADMIN_KEY: '' });
    onTestFinished(() => app.close());
    for (const path of [
      'mlflow/registered-models/create',
      'mlflow/experiments/create',
      'ternion/registered-models/rollback',
    ]) {
      const { status, body } = await app.send(post(`/api/2.0/${path}`, { name: 'm' }));
      expect(status).toBe(404);
      expect(JSON.parse(body.toString())).toMatchObject({
        error_code: 'ENDPOINT_NOT_FOUND',
        message: expect.stringMatching(
          /^The registry of this server is switched off\. Its operator can set ADMIN_KEY/,
        ),
      });
    }
  });

  it('does not help pages of other sites, for which a browser may send it', async () => {
    const { url } = await openRegistry();
    const headers = { authorization: `Bearer ${KEY}`, origin: 'https://evil.example' };
    const response = await fetch(url + GET_MODEL, { headers });
    expect([response.status, await response.json()]).toEqual([
      403,
      expect.objectContaining({ error_code: 'PERMISSION_DENIED' }),
    ]);
  });
});

describe('a call of the registry', () => {
  it('that MLflow has elsewhere is refused in its form', async () => {
    const { call } = await openRegistry();
    expect(await call('POST', 'mlflow/runs/create', {})).toMatchObject({
      status: 404,
      body: {
        error_code: 'ENDPOINT_NOT_FOUND',
        message:
          'There is nothing at "/api/2.0/mlflow/runs/create": of MLflow, this server has the registry of models, without runs and experiments.',
      },
    });
    const wrong = await call('PUT', 'mlflow/registered-models/update', {});
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'PATCH, OPTIONS']);
    expect((await call('GET', 'mlflow/constructor')).status).toBe(404);
  });

  it.each([
    ['[]', 'BAD_REQUEST', 'The JSON body is an array of 0; expected an object.'],
    ['{', 'BAD_REQUEST', /^The body is not valid JSON/],
    ['{"name":"a","name":"iris","new_name":"iris"}', 'RESOURCE_ALREADY_EXISTS', /"iris" already/],
    [`{"name":${'['.repeat(100)}${']'.repeat(100)}}`, 'BAD_REQUEST', /nested/],
    ['{"__proto__":{"name":"iris"}}', 'INVALID_PARAMETER_VALUE', 'Parameter "name" is missing or empty.'],
    ['', 'INVALID_PARAMETER_VALUE', 'Parameter "name" is missing or empty.'],
    [JSON.stringify({ name: 'x'.repeat(300_000) }), 'PAYLOAD_TOO_LARGE', /MAX_BODY_BYTES/],
  ])('refuses the body %.60s', async (body, code, message) => {
    const { url } = await openRegistry();
    const response = await fetch(`${url}/api/2.0/mlflow/registered-models/rename`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}` },
      body,
    });
    expect(await response.json()).toMatchObject({
      error_code: code,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  it('reads the parameters of DELETE from the query if its body was dropped on the way', async () => {
    const { url, ask } = await openRegistry();
    await ask('POST', 'registered-models/create', { name: 'm' });
    const response = await fetch(`${url}/api/2.0/mlflow/registered-models/delete?name=m`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect([response.status, await response.json()]).toEqual([200, {}]);
  });

  it('says that the repository cannot be written', async () => {
    if (process.getuid?.() === 0) return await asOtherUser();
    const { chmodSync } = await import('node:fs');
    const { call, folder } = await openRegistry();
    chmodSync(folder, 0o500);
    onTestFinished(() => chmodSync(folder, 0o700));
    expect(await call('POST', 'mlflow/registered-models/create', { name: 'm' })).toMatchObject(DENIED);
  });
});

const DENIED = {
  status: 403,
  body: {
    error_code: 'PERMISSION_DENIED',
    message: 'This server may not write to its model repository; its operator can allow that.',
  },
};

/** Root may write everywhere, except below what is a file. */
async function asOtherUser(): Promise<void> {
  const { call, folder } = await openRegistry();
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${folder}/releases`, 'a file in the way');
  expect(await call('POST', 'mlflow/registered-models/create', { name: 'm' })).toMatchObject(DENIED);
}

describe('a source', () => {
  it('is not asked unless the operator has allowed it', async () => {
    const seen: string[] = [];
    const server = createServer(({ url = '' }: IncomingMessage, response) => {
      seen.push(url);
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { ask } = await openRegistry();
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `2130706433:${port}`])
      expect(
        await ask('POST', 'model-versions/create', { name: 'iris', source: `http://${host}/m` }),
      ).toMatchObject({ model_version: { status: 'FAILED_REGISTRATION' } });
    expect(seen).toEqual([]);
  });
});
