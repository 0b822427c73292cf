import { attempt, type Outcome } from '../outcome.ts';

/** The calls of the registry, for a holder of the server's key. */
export interface Registry {
  /** Undefined when `signal` has aborted. */
  history(model: string, from: string | undefined, signal: AbortSignal): Promise<Outcome | undefined>;
  /** @param call `promote`, `split` or `rollback` */
  change(call: string, fields: Readonly<Record<string, unknown>>): Promise<Outcome | undefined>;
}

const CALLS = 'api/2.0/ternion/registered-models/';
const PAGE_SIZE = '20';
const NEVER = new AbortController().signal;

/**
 * Opens the registry. The key stays in memory.
 *
 * @param name of the person, for the history; it may be empty
 */
export function openRegistry(key: string, name: string): Registry {
  const authorization =
    name === '' ? `Bearer ${key}` : `Basic ${encode(`${name.replaceAll(':', ' ')}:${key}`)}`;
  return {
    history: (model, from, signal) =>
      attempt(`${CALLS}history`, signal, undefined, {
        authorization,
        query: { name: model, max_results: PAGE_SIZE, ...(from !== undefined && { page_token: from }) },
      }),
    change: (call, fields) =>
      attempt(
        CALLS + call,
        NEVER,
        { type: 'application/json', body: JSON.stringify(fields) },
        { authorization },
      ),
  };
}

/** Base64 of UTF-8. */
function encode(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
