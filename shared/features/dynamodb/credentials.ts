import { createHttpClient, type HttpClient } from '../http-client.ts';
import { isMembers } from './values.ts';

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

/** Credentials that end sooner are replaced. New ones are there five minutes before. */
const LEAST_LEFT_MS = 4 * 60_000;

/** Keeps credentials until shortly before they end. */
export function keepCredentials(source: CredentialSource): CredentialSource {
  let kept: AwsCredentials | undefined;
  let asked: Promise<AwsCredentials> | undefined;
  return async () => {
    const endMs = kept?.expiration?.getTime();
    if (kept !== undefined && (endMs === undefined || endMs - Date.now() > LEAST_LEFT_MS)) return kept;
    asked ??= source().finally(() => {
      asked = undefined;
    });
    kept = await asked;
    return kept;
  };
}

const LONGEST_MS = 1000;
const CONTAINER_HOST = 'http://169.254.170.2';
const INSTANCE_HOST = 'http://169.254.169.254';

/**
 * The credentials of this process: of its environment, else of its container, else of its instance. Profiles and
 * single sign-on need the setting `credentials`. Source: AWS's guide to settings of its SDKs.
 *
 * @throws Error
 */
export async function findCredentials(env: Environment): Promise<AwsCredentials> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env;
  if (accessKeyId !== '' && secretAccessKey !== '')
    return { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN };
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const address = relative === undefined ? env.AWS_CONTAINER_CREDENTIALS_FULL_URI : CONTAINER_HOST + relative;
  if (address !== undefined) return await askContainer(new URL(address), env);
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true')
    throw new Error('there are no credentials of AWS in the environment');
  return await askInstance(new URL(env.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? INSTANCE_HOST));
}

async function askContainer(url: URL, env: Environment): Promise<AwsCredentials> {
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN: given, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file } = env;
  const authorization = file === undefined ? given : await readToken(file);
  const client = createHttpClient('The container');
  const headers = authorization === undefined ? {} : { authorization };
  return readCredentials(await get(client, 'GET', url, headers), 'the container');
}

async function readToken(file: string): Promise<string> {
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  return (await readFile(file, 'utf8')).trim();
}

/** Only the second version of the service is asked, which needs a token. */
async function askInstance(base: URL): Promise<AwsCredentials> {
  const client = createHttpClient('The instance, which is asked for credentials of AWS,');
  const token = await get(client, 'PUT', new URL('/latest/api/token', base), {
    'x-aws-ec2-metadata-token-ttl-seconds': '21600',
  });
  const headers = { 'x-aws-ec2-metadata-token': token };
  const roles = new URL('/latest/meta-data/iam/security-credentials/', base);
  const [role = ''] = (await get(client, 'GET', roles, headers)).trim().split('\n');
  return readCredentials(await get(client, 'GET', new URL(role, roles), headers), 'the instance');
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

function readCredentials(text: string, source: string): AwsCredentials {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = parse(text);
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

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? value : {};
  } catch {
    return {};
  }
}
