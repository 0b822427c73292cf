import { createHttpClient, type HttpRequest } from '../http/http-client.ts';
import { limitTimes } from '../http/limit-times.ts';
import { isMembers, parseMembers } from '../json/members.ts';

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A token of Google, which requests have as `Authorization: Bearer`. */
export interface GoogleToken {
  readonly token: string;
  /** When it ends, by this machine's clock; without it, it is asked for only once. */
  readonly expiration?: Date | undefined;
}

export type Members = Readonly<Record<string, unknown>>;

/** The answer of a server with tokens may wait for another server. */
const SILENCE_MS = 5_000;
/** Metadata servers are on the same machine, and elsewhere nobody has their address. */
const CONNECTION_MS = 2_000;
const ATTEMPTS = 3;
const PAUSE_MS = 200;
const UNREACHABLE = { status: 0, text: '' };

/**
 * Sends a request to a server with tokens. A server that is busy, or not there yet as in a new pod, is asked again.
 *
 * @param title what the server is in messages
 * @throws Error with the status and the code of a refusal. No text of the answer is in it, which may repeat a secret
 */
export async function askForText(title: string, request: HttpRequest): Promise<string> {
  const client = createHttpClient(
    title,
    (reason) => new Error(reason),
    limitTimes({ connectionMs: CONNECTION_MS, silenceMs: SILENCE_MS }),
  );
  for (let count = 1; ; count++) {
    const { status, text } = await client
      .send(request, new AbortController().signal)
      .catch((error: unknown) => {
        if (count >= ATTEMPTS) throw error;
        return UNREACHABLE;
      });
    if (status >= 200 && status < 300) return text;
    const isPassing = status < 200 || status === 429 || status >= 500;
    if (!isPassing || count >= ATTEMPTS) throw new Error(`${title} answered with ${status}${codeIn(text)}`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * count));
  }
}

/** As `askForText`, for an answer of JSON. */
export async function ask(title: string, request: HttpRequest): Promise<Members> {
  return parseMembers(await askForText(title, request));
}

/** Sends a form, as the token servers of OAuth 2.0 take it. */
export async function sendForm(
  title: string,
  url: URL,
  form: Readonly<Record<string, string>>,
): Promise<Members> {
  return await ask(title, {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
}

/** The token in an answer by OAuth 2.0. Source: RFC 6749, 5.1. */
export function readToken(answer: Members, title: string): GoogleToken {
  const { access_token: token, expires_in: seconds } = answer;
  if (typeof token !== 'string' || token === '') throw new Error(`${title} answered without a token`);
  const isNumber = typeof seconds === 'number' && Number.isFinite(seconds);
  return { token, expiration: isNumber ? new Date(Date.now() + seconds * 1000) : undefined };
}

/** The code of an error by OAuth 2.0, such as `invalid_grant`, or of Google's other services. */
function codeIn(text: string): string {
  const { error } = parseMembers(text);
  const code = isMembers(error) ? error.status : error;
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? ` ${code}` : '';
}
