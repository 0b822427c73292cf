import { createHttpClient, type HttpAnswer, type HttpRequest } from '../http/http-client.ts';
import { limitTimes } from '../http/limit-times.ts';
import { parseMembers } from '../json/members.ts';
import type { Environment } from './storage-account.ts';

/** A token of Microsoft Entra for Azure Storage. */
export interface AzureToken {
  readonly token: string;
  /** When it ends. */
  readonly expiration: Date;
}

export type TokenSource = () => Promise<AzureToken>;

/** Makes the error for a source that cannot be reached now. */
export type Fail = (reason: string) => Error;

const RESOURCE = 'https://storage.azure.com/';
const AUTHORITY = 'https://login.microsoftonline.com';
const INSTANCE_HOST = 'http://169.254.169.254';
const IDENTITY_PATH = '/metadata/identity/oauth2/token';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const CONNECTION_MS = 1000;
const SILENCE_MS = 4000;
const LONGEST_MS = 5000;

/**
 * A token for this process: as the workload of a cluster, else as an application with a secret, else as the managed
 * identity of a function app or container app, else of the instance. Source: the documentation of Microsoft Entra on
 * client credentials, on workload identities and on managed identities.
 *
 * @param otherwise is asked if there is none of them
 * @throws Error, and what `fail` makes
 */
export async function findToken(env: Environment, fail: Fail, otherwise?: TokenSource): Promise<AzureToken> {
  const { AZURE_TENANT_ID: tenant = '', AZURE_CLIENT_ID: client = '' } = env;
  const { AZURE_FEDERATED_TOKEN_FILE: file = '', AZURE_CLIENT_SECRET: secret = '' } = env;
  if (tenant !== '' && client !== '') {
    const proof =
      file !== ''
        ? { client_assertion_type: ASSERTION, client_assertion: await readToken(file) }
        : { client_secret: secret };
    if (file !== '' || secret !== '') return await askAuthority(env, fail, tenant, client, proof);
  }
  const { IDENTITY_ENDPOINT: endpoint = '', IDENTITY_HEADER: header = '' } = env;
  if (endpoint !== '' && header !== '') {
    const url = identityUrl(new URL(endpoint), '2019-08-01', client);
    return readAnswer(
      await ask('The endpoint of the identity', fail, fail, get(url, { 'x-identity-header': header })),
      'the managed identity',
      fail,
    );
  }
  const host = env.AZURE_POD_IDENTITY_AUTHORITY_HOST || INSTANCE_HOST;
  const url = identityUrl(new URL(IDENTITY_PATH, host), '2018-02-01', client);
  try {
    const answer = await ask('The instance', () => new NobodyError(), fail, get(url, { metadata: 'true' }));
    return readAnswer(answer, 'the managed identity', fail);
  } catch (error) {
    if (otherwise && error instanceof NobodyError) return await otherwise();
    throw error;
  }
}

/** There is no service of an instance. */
class NobodyError extends Error {
  constructor() {
    super(
      'AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN and AZURE_CLIENT_SECRET are not set, and there is no managed identity',
    );
  }
}

async function askAuthority(
  env: Environment,
  fail: Fail,
  tenant: string,
  client: string,
  proof: Readonly<Record<string, string>>,
): Promise<AzureToken> {
  const authority = (env.AZURE_AUTHORITY_HOST || AUTHORITY).replace(/\/+$/, '');
  const url = new URL(`${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`);
  if (!isPrivate(url)) throw new Error('AZURE_AUTHORITY_HOST is not an address of https://');
  const form = {
    grant_type: 'client_credentials',
    client_id: client,
    scope: `${RESOURCE}.default`,
    ...proof,
  };
  const answer = await ask('Microsoft Entra', fail, fail, {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  return readAnswer(answer, 'the application', fail);
}

/** Whether what is sent there stays secret. */
export function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(?:127\.[\d.]+|localhost|\[::1\])$/.test(hostname);
}

function identityUrl(url: URL, version: string, client: string): URL {
  url.searchParams.set('api-version', version);
  url.searchParams.set('resource', RESOURCE);
  if (client !== '') url.searchParams.set('client_id', client);
  return url;
}

function get(url: URL, headers: Readonly<Record<string, string>>): HttpRequest {
  return { method: 'GET', url, headers, body: '' };
}

/**
 * @param nobody makes the error when nobody answers
 * @param fail makes the error for an answer that can be different soon
 */
async function ask(title: string, nobody: Fail, fail: Fail, request: HttpRequest): Promise<HttpAnswer> {
  const client = createHttpClient(
    title,
    nobody,
    limitTimes({ connectionMs: CONNECTION_MS, silenceMs: SILENCE_MS }),
  );
  const answer = await client.send(request, AbortSignal.timeout(LONGEST_MS));
  // The service of an instance answers 410 while it is updated.
  if (answer.status === 410 || answer.status === 429 || answer.status >= 500)
    throw fail(`${title} answered with ${answer.status}`);
  return answer;
}

async function readToken(file: string): Promise<string> {
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  return (await readFile(file, 'utf8')).trim();
}

function readAnswer({ status, text }: HttpAnswer, who: string, fail: Fail): AzureToken {
  const members = parseMembers(text);
  if (status !== 200) {
    const { error, error_description: description } = members;
    // The rest of the description has ids that change with each request.
    const [code] = /AADSTS\d+/.exec(String(description)) ?? [];
    const words = [status, typeof error === 'string' && /^\w+$/.test(error) ? error : '', code ?? ''];
    throw new Error(`${who} was refused a token with ${words.join(' ').trim()}`);
  }
  const { access_token: token, expires_on: at, expires_in: seconds } = members;
  const expiration = new Date(at === undefined ? Date.now() + Number(seconds) * 1000 : Number(at) * 1000);
  // Other characters cannot be part of a header.
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) && !Number.isNaN(expiration.getTime()))
    return { token, expiration };
  throw fail(`${who} was given something else than a token`);
}
