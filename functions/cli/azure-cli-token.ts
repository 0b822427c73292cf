import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { AzureToken } from '../../shared/azure/tokens.ts';
import { parseMembers } from '../../shared/json/members.ts';

const COMMAND = 'az account get-access-token --resource https://storage.azure.com/ --output json';
/** It takes a second or two. */
const LONGEST_MS = 9000;

/**
 * The token of a person who has signed in with the Azure CLI. Source: the reference of `az account get-access-token`.
 *
 * @throws Error that says what to do
 */
export async function askAzureCli(): Promise<AzureToken> {
  const [command = '', ...args] = COMMAND.split(' ');
  try {
    // On Windows, it is a script.
    const shell = process.platform === 'win32';
    const { stdout } = await promisify(execFile)(command, args, { timeout: LONGEST_MS, shell });
    const { accessToken, expires_on: seconds } = parseMembers(stdout);
    const expiration = new Date(Number(seconds) * 1000);
    if (typeof accessToken === 'string' && !Number.isNaN(expiration.getTime()))
      return { token: accessToken, expiration };
  } catch {
    // What it prints can have the token.
  }
  throw new Error(
    'the environment has none, there is no managed identity, and the Azure CLI gives no token; run "az login", or set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN',
  );
}
