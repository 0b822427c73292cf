import { ask, type Environment, type GoogleToken, readToken } from './token-request.ts';

const HOST = 'metadata.google.internal';
const PATH = '/computeMetadata/v1/instance/service-accounts/default/token';
const TITLE = 'the metadata server of Google';

/**
 * A token for the service account of the machine, the container or the function that this process runs in. Source:
 * Google's documentation of the metadata server of Compute Engine.
 *
 * @param scope the URL of what the token allows
 * @throws Error in words when there is no such server, as elsewhere than on Google Cloud
 */
export async function findMachineToken(env: Environment, scope: string): Promise<GoogleToken> {
  const url = new URL(PATH, `http://${env.GCE_METADATA_HOST?.trim() || HOST}`);
  url.searchParams.set('scopes', scope);
  const headers = { 'metadata-flavor': 'Google' };
  return readToken(await ask(TITLE, { method: 'GET', url, headers, body: '' }), TITLE);
}
