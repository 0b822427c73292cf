import { createHttpClient } from '../http/http-client.ts';
import {
  type AwsCredentials,
  domainOf,
  type Environment,
  type Fail,
  findCredentials,
  readCredentials,
  readToken,
} from './credentials.ts';

const LONGEST_MS = 5000;

/**
 * The credentials of the role that a token stands for, as in pods of Kubernetes; undefined without one. Source: the
 * reference of AssumeRoleWithWebIdentity of AWS's token service.
 *
 * @throws Error, and what `fail` makes
 */
export async function assumeRole(env: Environment, fail: Fail): Promise<AwsCredentials | undefined> {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file = '', AWS_ROLE_ARN: role = '' } = env;
  if (file === '' || role === '') return undefined;
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? 'us-east-1';
  const endpoint = env.AWS_ENDPOINT_URL_STS ?? env.AWS_ENDPOINT_URL;
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME ?? 'ternion',
    WebIdentityToken: await readToken(file),
  });
  const { status, text } = await createHttpClient("AWS's token service", fail).send(
    {
      method: 'POST',
      url: new URL(endpoint ?? `https://sts.${region}.${domainOf(region)}`),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    },
    AbortSignal.timeout(LONGEST_MS),
  );
  const value = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  if (status !== 200)
    throw new Error(`the role of AWS was refused with ${status} ${value('Code') ?? ''}`.trim());
  return readCredentials(
    {
      AccessKeyId: value('AccessKeyId'),
      SecretAccessKey: value('SecretAccessKey'),
      Token: value('SessionToken'),
      Expiration: value('Expiration'),
    },
    "AWS's token service",
  );
}

/**
 * The credentials of this process with all sources that need no SDK: keys of the environment come first.
 *
 * @throws Error, and what `fail` makes
 */
export async function findAllCredentials(env: Environment, fail: Fail): Promise<AwsCredentials> {
  const hasKeys = (env.AWS_ACCESS_KEY_ID ?? '') !== '' && (env.AWS_SECRET_ACCESS_KEY ?? '') !== '';
  return (hasKeys ? undefined : await assumeRole(env, fail)) ?? (await findCredentials(env, fail));
}
