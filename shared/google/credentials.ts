import { systemCodeOf } from '../errors.ts';
import { tokenOfFile } from './credential-file.ts';
import { findMachineToken } from './metadata.ts';
import type { Environment, GoogleToken } from './token-request.ts';

/**
 * A token for this process: for the file in GOOGLE_APPLICATION_CREDENTIALS, else for the one that gcloud has written,
 * else for the service account of the machine, the container or the function. Source: Google's documentation of
 * Application Default Credentials.
 *
 * @param scope the URL of what the token allows
 * @throws Error in words, without a secret
 */
export async function findGoogleToken(env: Environment, scope: string): Promise<GoogleToken> {
  const given = env.GOOGLE_APPLICATION_CREDENTIALS?.trim() ?? '';
  if (given !== '') {
    const text = await readIfThere(given);
    if (text !== undefined) return await tokenOfFile(text, given, scope);
    throw new Error(`the file ${given} of GOOGLE_APPLICATION_CREDENTIALS does not exist`);
  }
  const file = fileOfGcloud(env);
  const text = file === undefined ? undefined : await readIfThere(file);
  if (file !== undefined && text !== undefined) return await tokenOfFile(text, file, scope);
  return await findMachineToken(env, scope).catch((error: unknown) => {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${said}. Outside of Google Cloud, set GOOGLE_APPLICATION_CREDENTIALS or run "gcloud auth application-default login"`,
    );
  });
}

/** Where "gcloud auth application-default login" writes its file. */
function fileOfGcloud(env: Environment): string | undefined {
  const { join } = process.getBuiltinModule('node:path');
  const name = 'application_default_credentials.json';
  if (env.CLOUDSDK_CONFIG) return join(env.CLOUDSDK_CONFIG, name);
  if (process.platform === 'win32') return env.APPDATA ? join(env.APPDATA, 'gcloud', name) : undefined;
  return env.HOME ? join(env.HOME, '.config/gcloud', name) : undefined;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await process.getBuiltinModule('node:fs/promises').readFile(file, 'utf8');
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(`the file of credentials ${file} cannot be read: ${String(code)}`);
  }
}
