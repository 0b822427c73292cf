import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openHttpServer } from './hosts/http-server.ts';
import { MODELS } from './project.ts';
import { makeFolder } from './temporary-folder.ts';

export const KEY = 'the admin key';

export interface Answered {
  readonly status: number;
  /** Its members; those of an error are `error_code` and `message`, among others. */
  readonly body: Record<string, unknown>;
  readonly headers: Headers;
}

export interface OpenRegistry {
  readonly url: string;
  readonly folder: string;
  /** Calls a route below `/api/2.0/`, with JSON or, for GET, a query. */
  call(method: string, route: string, fields?: Record<string, unknown>): Promise<Answered>;
  /** The same for MLflow's routes; the status must be 200. */
  ask(method: string, route: string, fields?: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** A server over HTTP with the flower models in two versions, and a registry. */
export async function openRegistry(
  environment: Readonly<Record<string, string>> = {},
): Promise<OpenRegistry> {
  const folder = await makeFolder({});
  cpSync(join(MODELS, 'iris'), join(folder, 'iris'), { recursive: true });
  const server = await openHttpServer({ MODEL_REPOSITORY: folder, ADMIN_KEY: KEY, ...environment });
  onTestFinished(() => server.close());
  const call = async (
    method: string,
    route: string,
    fields: Record<string, unknown> = {},
  ): Promise<Answered> => {
    const url = new URL(`/api/2.0/${route}`, server.url);
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    if (method === 'GET')
      for (const [name, value] of Object.entries(fields))
        for (const each of Array.isArray(value) ? value : [value])
          url.searchParams.append(name, String(each));
    const response = await fetch(url, {
      method,
      headers,
      ...(method !== 'GET' && { body: JSON.stringify(fields) }),
    });
    const body: unknown = await response.json();
    return { status: response.status, headers: response.headers, body: toMembers(body) };
  };
  return {
    url: server.url,
    folder,
    call,
    ask: async (method, route, fields) => {
      const { status, body } = await call(method, `mlflow/${route}`, fields);
      if (status !== 200) throw new Error(`${route}: ${status} ${JSON.stringify(body)}`);
      return body;
    },
  };
}

function toMembers(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return Object.fromEntries(Object.entries(value));
}
