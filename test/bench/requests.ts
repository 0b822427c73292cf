import type { LoadRequest } from './load/load.ts';

/** A request with a body of JSON. */
export function postJson(path: string, value: unknown): LoadRequest {
  const headers = { 'content-type': 'application/json' };
  return { method: 'POST', path, headers, body: Buffer.from(JSON.stringify(value)) };
}

export function get(path: string): LoadRequest {
  return { method: 'GET', path, headers: {}, body: Buffer.alloc(0) };
}

/** A flower for the iris model. The request is the same for all contenders. */
export const FLOWER = postJson('/predict', { features: [5.1, 3.5, 1.4, 0.2] });
