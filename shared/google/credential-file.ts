import { isMembers, parseMembers } from '../json/members.ts';
import { ask, askForText, type GoogleToken, type Members, readToken, sendForm } from './token-request.ts';

const TOKEN_SERVER = 'https://oauth2.googleapis.com/token';
/** What an account needs to be another one. */
const CLOUD_SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT_SECONDS = 3600;

/**
 * A token for the credentials in a file, as Google's tools write it. Sources: RFC 7523 for service accounts, RFC 6749
 * for users, RFC 8693 for workload identities; Google's reference of its IAM Credentials API.
 *
 * @param text of the file
 * @param file its path, for messages
 * @throws Error without a word of the file's content
 */
export async function tokenOfFile(text: string, file: string, scope: string): Promise<GoogleToken> {
  const content = parseMembers(text);
  if (content.type === undefined) throw new Error(`${file} is not a JSON object with a type`);
  return await tokenOf(content, file, scope);
}

async function tokenOf(content: Members, file: string, scope: string): Promise<GoogleToken> {
  const { type } = content;
  switch (type) {
    case 'service_account':
      return await serveAccount(content, file, scope);
    case 'authorized_user':
      return await refresh(content, file);
    case 'external_account':
      return await impersonate(content, file, scope, (needed) => exchange(content, file, needed));
    case 'impersonated_service_account': {
      const source = content.source_credentials;
      if (!isMembers(source)) throw new Error(`${file} has no source_credentials`);
      return await impersonate(content, file, scope, (needed) => tokenOf(source, file, needed));
    }
    default:
      throw new Error(
        `${file} has credentials of the type ${JSON.stringify(type)?.slice(0, 60)}; expected service_account, authorized_user, external_account or impersonated_service_account`,
      );
  }
}

async function serveAccount(content: Members, file: string, scope: string): Promise<GoogleToken> {
  const url = urlIn(content, 'token_uri', file, TOKEN_SERVER);
  const title = titleOf(url);
  const assertion = signAssertion(content, file, { aud: url.href, scope });
  return readToken(await sendForm(title, url, { grant_type: JWT_BEARER, assertion }), title);
}

function signAssertion(content: Members, file: string, claims: { readonly aud: string; scope: string }) {
  const { createSign } = process.getBuiltinModule('node:crypto');
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const kid = content.private_key_id;
  const iat = Math.floor(Date.now() / 1000);
  const iss = textIn(content, 'client_email', file);
  const head = { alg: 'RS256', typ: 'JWT', ...(typeof kid === 'string' && { kid }) };
  const signed = `${part(head)}.${part({ iss, ...claims, iat, exp: iat + JWT_SECONDS })}`;
  const key = textIn(content, 'private_key', file);
  try {
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
  } catch {
    throw new Error(`the private_key in ${file} cannot sign`);
  }
}

async function refresh(content: Members, file: string): Promise<GoogleToken> {
  const url = urlIn(content, 'token_uri', file, TOKEN_SERVER);
  const title = titleOf(url);
  const answer = await sendForm(title, url, {
    grant_type: 'refresh_token',
    client_id: textIn(content, 'client_id', file),
    client_secret: textIn(content, 'client_secret', file),
    refresh_token: textIn(content, 'refresh_token', file),
  });
  return readToken(answer, title);
}

/** A token for that of another issuer. */
async function exchange(content: Members, file: string, scope: string): Promise<GoogleToken> {
  const url = urlIn(content, 'token_url', file);
  const title = titleOf(url);
  const answer = await sendForm(title, url, {
    grant_type: TOKEN_EXCHANGE,
    requested_token_type: ACCESS_TOKEN,
    subject_token_type: textIn(content, 'subject_token_type', file),
    subject_token: await subjectToken(membersOf(content.credential_source), file),
    audience: textIn(content, 'audience', file),
    scope,
  });
  return readToken(answer, title);
}

/** The token of the other issuer, in a file or at a URL, as it is or in JSON. */
async function subjectToken(source: Members, file: string): Promise<string> {
  const text = (await readSource(source, file)).trim();
  const { type, subject_token_field_name: field } = membersOf(source.format);
  if (type !== 'json') return text;
  const token = typeof field === 'string' ? parseMembers(text)[field] : undefined;
  if (typeof token === 'string') return token;
  throw new Error(`the source of the token in ${file} gives no JSON with its subject_token_field_name`);
}

async function readSource(source: Members, file: string): Promise<string> {
  if (typeof source.file === 'string') {
    const { readFile } = process.getBuiltinModule('node:fs/promises');
    return await readFile(source.file, 'utf8');
  }
  if (source.url === undefined || source.environment_id !== undefined)
    throw new Error(`${file} has a credential_source that is neither a file nor a URL`);
  const url = urlIn(source, 'url', file);
  const headers = Object.entries(membersOf(source.headers)).map(([name, value]) => [name, String(value)]);
  return await askForText(titleOf(url), {
    method: 'GET',
    url,
    headers: Object.fromEntries(headers),
    body: '',
  });
}

/** A token of the account that the file names, if it names one, else the one of its source. */
async function impersonate(
  content: Members,
  file: string,
  scope: string,
  source: (scope: string) => Promise<GoogleToken>,
): Promise<GoogleToken> {
  if (content.service_account_impersonation_url === undefined) return await source(scope);
  const url = urlIn(content, 'service_account_impersonation_url', file);
  const title = titleOf(url);
  const { token } = await source(CLOUD_SCOPE);
  const { delegates } = content;
  const { accessToken, expireTime } = await ask(title, {
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ scope: [scope], ...(Array.isArray(delegates) && { delegates }) }),
  });
  if (typeof accessToken !== 'string') throw new Error(`${title} answered without a token`);
  const endMs = typeof expireTime === 'string' ? Date.parse(expireTime) : Number.NaN;
  return { token: accessToken, expiration: Number.isNaN(endMs) ? undefined : new Date(endMs) };
}

function titleOf({ host }: URL): string {
  return `the token server ${host}`;
}

function textIn(content: Members, name: string, file: string): string {
  const value = content[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(`${file} has no ${name}`);
}

function urlIn(content: Members, name: string, file: string, usual?: string): URL {
  const text = usual !== undefined && content[name] === undefined ? usual : textIn(content, name, file);
  if (URL.canParse(text)) return new URL(text);
  throw new Error(`the ${name} in ${file} is not a URL`);
}

function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {};
}
