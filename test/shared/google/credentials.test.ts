import { createVerify, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findGoogleToken } from '../../../shared/google/credentials.ts';
import { portOf } from '../../support/port-of.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';
const CLOUD_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

interface Asked {
  readonly method: string | undefined;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status and a body; without a status, the connection is cut. */
type Answer = readonly [status: number | undefined, body: string | object];

/** Answers the requests of a path with one of its answers after the other, and then with the last one. */
async function startTokenServer(answers: Readonly<Record<string, readonly Answer[]>>) {
  const asked: Asked[] = [];
  const left = new Map(Object.entries(answers).map(([path, each]) => [path, [...each]]));
  const server = createServer(async (message, response) => {
    const path = message.url ?? '';
    asked.push({ method: message.method, path, headers: message.headers, body: await text(message) });
    const rest = left.get(path.split('?')[0] ?? '') ?? [];
    const [status, body] = (rest.length > 1 ? rest.shift() : rest[0]) ?? [404, 'nothing is here'];
    if (status === undefined) return void message.socket.destroy();
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const host = `127.0.0.1:${portOf(server)}`;
  return { asked, host, url: `http://${host}` };
}

const TOKEN: Answer = [200, { access_token: 'ya29.token', expires_in: 3599, token_type: 'Bearer' }];

/** The token for a file of credentials. */
async function tokenFor(content: object | string, others: Readonly<Record<string, string>> = {}) {
  const files = { 'key.json': typeof content === 'string' ? content : JSON.stringify(content), ...others };
  const folder = await makeFolder(files);
  return await findGoogleToken({ GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'key.json') }, SCOPE);
}

const formIn = ({ body }: Asked) => Object.fromEntries(new URLSearchParams(body));

/** Seconds until a token ends. */
function secondsLeft({ expiration }: { readonly expiration?: Date | undefined }): number {
  return ((expiration?.getTime() ?? 0) - Date.now()) / 1000;
}

describe('the key of a service account', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const account = {
    type: 'service_account',
    client_email: 'ternion@project.iam.gserviceaccount.com',
    private_key_id: 'key-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };

  it('signs what the token server takes for a token', async () => {
    const { url, asked } = await startTokenServer({ '/token': [TOKEN] });
    const token = await tokenFor({ ...account, token_uri: `${url}/token` });
    expect(token.token).toBe('ya29.token');
    expect(secondsLeft(token)).toBeGreaterThan(3590);
    expect(secondsLeft(token)).toBeLessThanOrEqual(3599);
    const [request] = asked;
    if (!request) throw new Error('nothing was asked');
    expect([request.method, request.headers['content-type']]).toEqual([
      'POST',
      'application/x-www-form-urlencoded',
    ]);
    const { grant_type: grant, assertion = '' } = formIn(request);
    expect(grant).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [head = '', claims = '', signature = ''] = assertion.split('.');
    const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
    expect(verify.verify(publicKey, signature, 'base64url')).toBe(true);
    expect(partOf(head)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' });
    const { iat, ...others } = partOf(claims);
    expect(others).toEqual({
      iss: 'ternion@project.iam.gserviceaccount.com',
      scope: SCOPE,
      aud: `${url}/token`,
      exp: iat + 3600,
    });
    expect(Math.abs(iat - Date.now() / 1000)).toBeLessThan(60);
  });

  it('is refused without a word of it, or of the answer, except its code', async () => {
    const { url } = await startTokenServer({
      '/token': [[400, { error: 'invalid_grant', error_description: 'the secret is x' }]],
      '/odd': [[403, { error: 'the secret is y' }]],
    });
    const host = new URL(url).host;
    await expect(tokenFor({ ...account, token_uri: `${url}/token` })).rejects.toThrow(
      new Error(`the token server ${host} answered with 400 invalid_grant`),
    );
    await expect(tokenFor({ ...account, token_uri: `${url}/odd` })).rejects.toThrow(
      new Error(`the token server ${host} answered with 403`),
    );
  });

  it.each<[string, object, RegExp]>([
    ['no e-mail', { client_email: '' }, /key\.json has no client_email$/],
    ['no key', { private_key: 7 }, /key\.json has no private_key$/],
    ['a broken key', { private_key: 'top secret' }, /^the private_key in .*key\.json cannot sign$/],
    ['no URL', { token_uri: 'top secret' }, /^the token_uri in .*key\.json is not a URL$/],
  ])('with %s is refused', async (_, members, message) => {
    const { url } = await startTokenServer({});
    const content = { ...account, token_uri: `${url}/token`, ...members };
    await expect(tokenFor(content)).rejects.toThrow(message);
  });
});

function partOf(text: string) {
  return JSON.parse(Buffer.from(text, 'base64url').toString());
}

describe('the credentials of a user', () => {
  it('are refreshed', async () => {
    const { url, asked } = await startTokenServer({ '/token': [TOKEN] });
    const user = {
      client_id: 'id',
      client_secret: 'd-F&=+',
      refresh_token: '1//0',
    };
    const token = await tokenFor({ type: 'authorized_user', ...user, token_uri: `${url}/token` });
    expect(token.token).toBe('ya29.token');
    expect(asked.map(formIn)).toEqual([{ grant_type: 'refresh_token', ...user }]);
  });
});

describe('the identity of a workload elsewhere', () => {
  const identity = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/o',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  };
  const exchanged = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: identity.subject_token_type,
    audience: identity.audience,
  };

  it('is exchanged for a token, from a file', async () => {
    const { url, asked } = await startTokenServer({ '/token': [TOKEN] });
    const folder = await makeFolder({ 'oidc.jwt': 'from.a.file\n' });
    const token = await tokenFor({
      ...identity,
      token_url: `${url}/token`,
      credential_source: { file: join(folder, 'oidc.jwt') },
    });
    expect(token.token).toBe('ya29.token');
    expect(asked.map(formIn)).toEqual([{ ...exchanged, subject_token: 'from.a.file', scope: SCOPE }]);
  });

  it('is exchanged from JSON at a URL, and stands for a service account', async () => {
    const end = new Date(Date.now() + 1800_000).toISOString();
    const { url, asked } = await startTokenServer({
      '/identity': [[200, { value: 'from.a.url' }]],
      '/token': [TOKEN],
      '/impersonate': [[200, { accessToken: 'of-the-account', expireTime: end }]],
    });
    const token = await tokenFor({
      ...identity,
      token_url: `${url}/token`,
      service_account_impersonation_url: `${url}/impersonate`,
      credential_source: {
        url: `${url}/identity`,
        headers: { 'x-identity': 'yes' },
        format: { type: 'json', subject_token_field_name: 'value' },
      },
    });
    expect(token).toEqual({ token: 'of-the-account', expiration: new Date(end) });
    const [source, exchange, impersonation] = asked;
    expect(source).toMatchObject({ method: 'GET', headers: { 'x-identity': 'yes' } });
    expect(exchange && formIn(exchange)).toEqual({
      ...exchanged,
      subject_token: 'from.a.url',
      scope: CLOUD_SCOPE,
    });
    expect(impersonation).toMatchObject({
      method: 'POST',
      headers: { authorization: 'Bearer ya29.token' },
      body: JSON.stringify({ scope: [SCOPE] }),
    });
  });

  it.each<[string, object, RegExp]>([
    ['of AWS', { environment_id: 'aws1', url: 'http://169.254.169.254' }, /neither a file nor a URL$/],
    ['of a program', { executable: { command: 'x' } }, /neither a file nor a URL$/],
    [
      'in JSON without its member',
      { file: join(import.meta.dirname, '../../../package.json'), format: { type: 'json' } },
      /gives no JSON with its subject_token_field_name$/,
    ],
  ])('%s is refused', async (_, source, message) => {
    const content = { ...identity, token_url: 'http://127.0.0.1:1', credential_source: source };
    await expect(tokenFor(content)).rejects.toThrow(message);
  });
});

describe('a user who stands for a service account', () => {
  it('has its token, also through others', async () => {
    const { url, asked } = await startTokenServer({
      '/token': [TOKEN],
      '/impersonate': [[200, { accessToken: 'of-the-account', expireTime: 'soon' }]],
    });
    const user = { type: 'authorized_user', client_id: 'i', client_secret: 's', refresh_token: 'r' };
    const token = await tokenFor({
      type: 'impersonated_service_account',
      service_account_impersonation_url: `${url}/impersonate`,
      delegates: ['other'],
      source_credentials: { ...user, token_uri: `${url}/token` },
    });
    expect(token).toEqual({ token: 'of-the-account', expiration: undefined });
    expect(asked.at(-1)?.body).toBe(JSON.stringify({ scope: [SCOPE], delegates: ['other'] }));
  });
});

describe('the credentials of a process', () => {
  const user = { type: 'authorized_user', client_id: 'i', client_secret: 's', refresh_token: 'r' };
  const FILE = 'application_default_credentials.json';

  it('are those that gcloud has written, in its folder or in the one of the user', async () => {
    const { url, asked } = await startTokenServer({ '/token': [TOKEN] });
    const content = JSON.stringify({ ...user, token_uri: `${url}/token` });
    const folder = await makeFolder({ [FILE]: content, [`.config/gcloud/${FILE}`]: content });
    expect(await findGoogleToken({ CLOUDSDK_CONFIG: folder }, SCOPE)).toMatchObject({ token: 'ya29.token' });
    const home = process.platform === 'win32' ? { APPDATA: join(folder, '.config') } : { HOME: folder };
    expect(await findGoogleToken(home, SCOPE)).toMatchObject({ token: 'ya29.token' });
    expect(asked).toHaveLength(2);
  });

  it('are those of its machine without a file', async () => {
    const { host, asked } = await startTokenServer({
      '/computeMetadata/v1/instance/service-accounts/default/token': [[503, 'busy'], [undefined, ''], TOKEN],
    });
    const environment = { GCE_METADATA_HOST: host, HOME: await makeFolder({}) };
    const token = await findGoogleToken(environment, SCOPE);
    expect(token.token).toBe('ya29.token');
    expect(secondsLeft(token)).toBeGreaterThan(3590);
    expect(asked.map(({ method, headers }) => [method, headers['metadata-flavor']])).toEqual([
      ['GET', 'Google'],
      ['GET', 'Google'],
      ['GET', 'Google'],
    ]);
    expect(new URL(asked[0]?.path ?? '', 'http://x').searchParams.get('scopes')).toBe(SCOPE);
  });

  it('are not there without a file and a machine of Google', async () => {
    const environment = { GCE_METADATA_HOST: '127.0.0.1:1' };
    await expect(findGoogleToken(environment, SCOPE)).rejects.toThrow(
      'the metadata server of Google cannot be reached: ECONNREFUSED. Outside of Google Cloud, set GOOGLE_APPLICATION_CREDENTIALS or run "gcloud auth application-default login"',
    );
  });

  it('must be a file that is there, with an object of a known type', async () => {
    await expect(findGoogleToken({ GOOGLE_APPLICATION_CREDENTIALS: '/not-there' }, SCOPE)).rejects.toThrow(
      'the file /not-there of GOOGLE_APPLICATION_CREDENTIALS does not exist',
    );
    await expect(tokenFor('{"private_key": "top secret')).rejects.toThrow(
      /key\.json is not a JSON object with a type$/,
    );
    await expect(tokenFor('[]')).rejects.toThrow(/key\.json is not a JSON object with a type$/);
    await expect(tokenFor({ type: 'gdch' })).rejects.toThrow(
      /key\.json has credentials of the type "gdch"; expected service_account, authorized_user, external_account or impersonated_service_account$/,
    );
    await expect(tokenFor({})).rejects.toThrow(/key\.json is not a JSON object with a type$/);
  });

  it('need a token in the answer', async () => {
    const { host } = await startTokenServer({
      '/computeMetadata/v1/instance/service-accounts/default/token': [[200, '<html>']],
    });
    await expect(findGoogleToken({ GCE_METADATA_HOST: host }, SCOPE)).rejects.toThrow(
      'the metadata server of Google answered without a token',
    );
  });
});
