import { createHttpClient, type HttpClient } from '../../http/http-client.ts';
import { unavailable } from '../../processors/processor.ts';
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

/**
 * Gives the credentials of now.
 *
 * @throws what the source throws; the reason of the signal, after which the source still runs for the others
 */
export type KeptCredentials = (signal: AbortSignal) => Promise<AwsCredentials>;

/** Credentials that end sooner are replaced. New ones are there five minutes before. */
const LEAST_LEFT_MS = 4 * 60_000;
/** Credentials that end sooner are used only if there are no new ones: a request can take a while. */
const LEAST_USED_MS = 5000;
/** A source that takes longer is asked again. */
const LONGEST_SOURCE_MS = 10_000;

/**
 * Keeps credentials until shortly before they end. Requests use those that have not ended while the source is asked for
 * new ones, and if it fails.
 */
export function keepCredentials(source: CredentialSource): KeptCredentials {
  let kept: AwsCredentials | undefined;
  let asked: Promise<AwsCredentials> | undefined;
  const leftMs = () => {
    if (kept === undefined) return Number.NEGATIVE_INFINITY;
    return (kept.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - Date.now();
  };
  const ask = async (): Promise<AwsCredentials> => {
    try {
      const given = await endAfter(LONGEST_SOURCE_MS, Promise.resolve().then(source));
      kept = given;
      return given;
    } catch (error) {
      if (kept === undefined || leftMs() <= 0) throw error;
      return kept;
    } finally {
      asked = undefined;
    }
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (kept !== undefined && leftMs() > LEAST_LEFT_MS) return kept;
    const next = asked ?? ask();
    asked = next;
    // Perhaps nobody waits for it.
    next.catch(() => undefined);
    if (kept !== undefined && leftMs() > LEAST_USED_MS) return kept;
    return await waitWith(signal, next);
  };
}

function endAfter<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const error = new Error(`credentials of AWS did not come within ${ms} ms`);
    const timer = setTimeout(() => reject(error), ms).unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function waitWith<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
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
  const client = createHttpClient('The container', unavailable);
  const headers = authorization === undefined ? {} : { authorization };
  return readCredentials(await get(client, 'GET', url, headers), 'the container');
}

async function readToken(file: string): Promise<string> {
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  return (await readFile(file, 'utf8')).trim();
}

/** Only the second version of the service is asked, which needs a token. */
async function askInstance(base: URL): Promise<AwsCredentials> {
  const client = createHttpClient('The instance, which is asked for credentials of AWS,', unavailable);
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
