import { createHttpClient, type HttpClient } from '../http/http-client.ts';
import { parseMembers } from '../json/members.ts';

/** Credentials of AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** When they end; without it, they are asked for only once. */
  readonly expiration?: Date | undefined;
}

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type CredentialSource = () => Promise<AwsCredentials>;

/** Makes the error for a source that cannot be reached now. */
export type Fail = (reason: string) => Error;

const LONGEST_MS = 1000;
const CONTAINER_HOST = 'http://169.254.170.2';
const INSTANCE_HOST = 'http://169.254.169.254';

/**
 * The credentials of this process: of its environment, else of its container, else of its instance. Profiles and single
 * sign-on need AWS's SDK. Source: AWS's guide to settings of its SDKs.
 *
 * @throws Error, and what `fail` makes
 */
export async function findCredentials(env: Environment, fail: Fail): Promise<AwsCredentials> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env;
  if (accessKeyId !== '' && secretAccessKey !== '')
    return { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN };
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const address = relative === undefined ? env.AWS_CONTAINER_CREDENTIALS_FULL_URI : CONTAINER_HOST + relative;
  if (address !== undefined) return await askContainer(new URL(address), env, fail);
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true')
    throw new Error('there are no credentials of AWS in the environment');
  return await askInstance(new URL(env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? INSTANCE_HOST), fail);
}

/** The domain of the services in a region. */
export function domainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

async function askContainer(url: URL, env: Environment, fail: Fail): Promise<AwsCredentials> {
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN: given, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = env;
  const authorization = file === undefined ? given : await readToken(file);
  const client = createHttpClient('The container', fail);
  const headers = authorization === undefined ? {} : { authorization };
  return readCredentials(parseMembers(await get(client, 'GET', url, headers)), 'the container');
}

export async function readToken(file: string): Promise<string> {
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  return (await readFile(file, 'utf8')).trim();
}

/** Only the second version of the service is asked, which needs a token. */
async function askInstance(base: URL, fail: Fail): Promise<AwsCredentials> {
  const client = createHttpClient('The instance, which is asked for credentials of AWS,', fail);
  const token = await get(client, 'PUT', new URL('/latest/api/token', base), {
    'x-aws-ec2-metadata-token-ttl-seconds': '21600',
  });
  const headers = { 'x-aws-ec2-metadata-token': token };
  const roles = new URL('/latest/meta-data/iam/security-credentials/', base);
  const [role = ''] = (await get(client, 'GET', roles, headers)).trim().split('\n');
  return readCredentials(
    parseMembers(await get(client, 'GET', new URL(role, roles), headers)),
    'the instance',
  );
}

async function get(
  client: HttpClient,
  method: 'GET' | 'PUT',
  url: URL,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const { status, text } = await client.send(
    { method, url, headers, body: '' },
    AbortSignal.timeout(LONGEST_MS),
  );
  if (status === 200) return text;
  throw new Error(`credentials of AWS were refused with ${status}`);
}

export function readCredentials(given: Readonly<Record<string, unknown>>, source: string): AwsCredentials {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = given;
  if (typeof AccessKeyId === 'string' && typeof SecretAccessKey === 'string') {
    return {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: typeof Token === 'string' ? Token : undefined,
      expiration: typeof Expiration === 'string' ? new Date(Expiration) : undefined,
    };
  }
  throw new Error(`${source} answered with something else than credentials of AWS`);
}
