import { parseText } from './parse.ts';
import { parseTimings, type Timings } from './timings.ts';

/** The parameter that names a page. */
const PAGE = 'page';

/** The server's answer to one request. */
export interface Answer {
  readonly status: number;
  /** The body as it came. */
  readonly text: string;
  /** The body as JSON; undefined if it is not JSON. */
  readonly json: unknown;
  readonly timings: Timings;
}

/** The body of a predict request. */
export interface Payload {
  readonly type: string;
  readonly body: string | File;
}

/** What few requests have. */
export interface Extras {
  readonly authorization?: string | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
}

/**
 * The URL of a path of the server. This page is the server's root, with any prefix that a gateway puts in front of it
 * and with or without a slash at the end. The query is kept: some hosts take their access key there.
 *
 * @param page the page of this server that the URL opens, instead of the playground
 */
export function urlOf(path: string, page?: string): string {
  const url = new URL(location.href);
  url.pathname = url.pathname.replace(/\/*$/, '/') + path;
  url.hash = '';
  url.searchParams.delete(PAGE);
  if (page !== undefined) url.searchParams.set(PAGE, page);
  return url.href;
}

/** @param parts names, which may contain any characters */
export function pathOf(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join('/');
}

/**
 * Sends a request: POST if there is a body, GET otherwise.
 *
 * @throws TypeError when the server cannot be reached, DOMException when `signal` aborts
 */
export async function ask(
  path: string,
  signal?: AbortSignal,
  payload?: Payload,
  { authorization, query = {} }: Extras = {},
): Promise<Answer> {
  const start = performance.now();
  const url = new URL(urlOf(path));
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const response = await fetch(url, {
    headers: {
      accept: 'application/json',
      ...(authorization && { authorization }),
      ...(payload && { 'content-type': payload.type }),
    },
    cache: 'no-store',
    ...(signal && { signal }),
    ...(payload && { method: 'POST', body: payload.body }),
  });
  const text = await response.text();
  const roundTripMs = performance.now() - start;
  const timings = parseTimings(response.headers.get('server-timing') ?? '', roundTripMs);
  return { status: response.status, text, json: parseText(text), timings };
}
