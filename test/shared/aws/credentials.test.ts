import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { findAllCredentials } from '../../../shared/aws/web-identity.ts';
import { portOf } from '../../support/port-of.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

const fail = (reason: string) => new Error(reason);

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers all requests alike. */
async function start(status: number, answer: string): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((message, response) => {
    void text(message).then((body) => {
      asked.push({ method: message.method, url: message.url, headers: message.headers, body });
      response.writeHead(status).end(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${portOf(server)}`, asked };
}

async function tokenFile(): Promise<string> {
  return `${await makeFolder({ token: 'a.token+of/pod=\n' })}/token`;
}

it('takes a role for the token of a pod', async () => {
  const { url, asked } = await start(
    200,
    `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>
      <AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s/e+c</SecretAccessKey>
      <SessionToken>t==</SessionToken><Expiration>2026-12-01T10:00:00Z</Expiration>
    </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  );
  const found = await findAllCredentials(
    {
      AWS_WEB_IDENTITY_TOKEN_FILE: await tokenFile(),
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/models',
      AWS_ENDPOINT_URL_STS: url,
      AWS_REGION: 'eu-west-1',
      // What a pod has is more than what its instance has.
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:1/',
    },
    fail,
  );
  expect(found).toEqual({
    accessKeyId: 'ASIA1',
    secretAccessKey: 's/e+c',
    sessionToken: 't==',
    expiration: new Date('2026-12-01T10:00:00Z'),
  });
  const [request] = asked;
  expect(request).toMatchObject({ method: 'POST', url: '/' });
  expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::1:role/models',
    RoleSessionName: 'ternion',
    WebIdentityToken: 'a.token+of/pod=',
  });
});

it.each([
  [
    403,
    '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>',
    'refused with 403 AccessDenied',
  ],
  [502, 'Bad Gateway', 'refused with 502'],
  [200, '<html></html>', 'something else than credentials'],
])('says why a role is not to be had: %i %s', async (status, answer, reason) => {
  const { url } = await start(status, answer);
  const found = findAllCredentials(
    { AWS_WEB_IDENTITY_TOKEN_FILE: await tokenFile(), AWS_ROLE_ARN: 'arn', AWS_ENDPOINT_URL_STS: url },
    fail,
  );
  await expect(found).rejects.toThrow(reason);
  await expect(found).rejects.not.toThrow('token+of');
});

it('prefers the keys of the environment', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 'B', AWS_SESSION_TOKEN: 'C' };
  const more = { AWS_WEB_IDENTITY_TOKEN_FILE: '/none', AWS_ROLE_ARN: 'arn' };
  expect(await findAllCredentials({ ...env, ...more }, fail)).toEqual({
    accessKeyId: 'A',
    secretAccessKey: 'B',
    sessionToken: 'C',
  });
});
