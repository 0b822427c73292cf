import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AwsCredentials } from '../shared/aws/credentials.ts';
import { ConfigError } from '../shared/config.ts';
import { loadOnce } from '../shared/memo.ts';
import type { WritableStore } from '../shared/stores/model-store.ts';
import { openS3Store } from '../shared/stores/s3.ts';

/**
 * A repository in S3, on a machine that may have profiles of AWS. Other servers than Amazon's often have one name for
 * all buckets, and not one for each; then S3_PATH_STYLE puts the bucket into the path.
 *
 * @throws ConfigError
 */
export function openS3(url: string): WritableStore {
  const style = process.env.S3_PATH_STYLE?.trim() || 'false';
  if (style !== 'false' && style !== 'true')
    throw new ConfigError(`S3_PATH_STYLE=${JSON.stringify(style)} must be true or false.`);
  return openS3Store(url, {
    environment: process.env,
    forcePathStyle: style === 'true',
    credentials: findWithProfiles,
  });
}

/** Profiles, single sign-on and programs that give credentials are what the SDK knows. It is loaded for them alone. */
async function findWithProfiles(): Promise<AwsCredentials> {
  const { env } = process;
  const isGiven = GIVEN.some((name) => (env[name] ?? '') !== '');
  if (!isGiven && hasProfiles()) return await (await chainOfSdk())();
  const { findAllCredentials } = await import('../shared/aws/web-identity.ts');
  return await findAllCredentials(env, (reason) => new Error(reason));
}

/** Any of these says where credentials are, without a profile. */
const GIVEN = [
  'AWS_ACCESS_KEY_ID',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

function hasProfiles(): boolean {
  const { AWS_PROFILE, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE } = process.env;
  const folder = join(homedir(), '.aws');
  const files = [
    AWS_SHARED_CREDENTIALS_FILE || join(folder, 'credentials'),
    AWS_CONFIG_FILE || join(folder, 'config'),
  ];
  return (AWS_PROFILE ?? '') !== '' || files.some((path) => existsSync(path));
}

const chainOfSdk = loadOnce(async () => {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
  return defaultProvider();
});
