import type { Context } from 'hono';
import type { AppEnvironment } from '../../http/context.ts';
import { originOf } from '../../http/origin.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { WritableJson } from '../../json/write-json.ts';
import { jsonContent, type Operation, type ProtocolOptions } from '../operation.ts';
import * as schemas from './schemas.ts';

/** Seconds until a client asks for its next token. */
const TOKEN_LIFE = 3600;

const GRANTS = ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'];

const PRIVATE = { 'cache-control': 'no-store' };

/**
 * The SDKs of Databricks ask for these before their first request and before the first one of the data plane: where to
 * get tokens, and a token. There is no sign-in here: the request is not read, and the token is a word that no route
 * checks. The gateway decides who may call. Sources: config.py, oauth.py and data_plane.py of the Databricks SDK for
 * Python; RFC 8414, RFC 6749.
 */
export function createSignInOperations({ config }: ProtocolOptions): readonly Operation[] {
  const answer = (describe: (oidc: string) => WritableJson) => (c: Context<AppEnvironment>) =>
    jsonResponse(describe(`${originOf(c.req.raw, config.basePath)}/oidc`), 200, PRIVATE);
  return [
    {
      method: 'GET',
      path: '/.well-known/databricks-config',
      summary: 'Say where the SDKs of Databricks get their tokens',
      response: jsonContent(schemas.hostMetadata),
      handle: answer((oidc) => ({ oidc_endpoint: oidc })),
    },
    {
      method: 'GET',
      path: '/oidc/.well-known/oauth-authorization-server',
      summary: 'Say how to get tokens',
      response: jsonContent(schemas.authorizationServer),
      handle: answer((oidc) => ({
        issuer: oidc,
        authorization_endpoint: `${oidc}/v1/authorize`,
        token_endpoint: `${oidc}/v1/token`,
        grant_types_supported: GRANTS,
      })),
    },
    {
      method: 'POST',
      path: '/oidc/v1/token',
      summary: 'Get a token, which no route checks',
      request: { 'application/x-www-form-urlencoded': null },
      isBodyOptional: true,
      response: jsonContent(schemas.tokenResponse),
      handle: () =>
        jsonResponse({ access_token: 'any', token_type: 'Bearer', expires_in: TOKEN_LIFE }, 200, PRIVATE),
    },
  ];
}
