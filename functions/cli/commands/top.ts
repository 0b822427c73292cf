import { setTimeout as wait } from 'node:timers/promises';
import { compareReadings } from '../../../shared/scrapes/changes.ts';
import { type Reading, readMetrics } from '../../../shared/scrapes/read-metrics.ts';
import { printable } from '../../printable.ts';
import { CommandError, type Console } from '../console.ts';
import { describePicture, pictureOf } from '../top/picture.ts';
import { readWhole } from '../words.ts';

export interface TopOptions {
  readonly interval: string;
  readonly once?: boolean;
}

/** A server that does not answer for this long is not there. */
const TIMEOUT_MS = 10_000;

/** A server with a thousand versions of models gives about ten megabytes. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Puts the cursor of a terminal to its first place and clears what is below it. */
const CLEAR = '\u001b[H\u001b[J';

/** `ternion top`: shows what a server does, from its metrics. */
export async function top(url: string, options: TopOptions, output: Console): Promise<void> {
  const seconds = readWhole(options.interval, '--interval', 1, 3600);
  const address = addressOf(url);
  const isRedrawn = process.stdout.isTTY === true && !output.isJson && !options.once;
  let earlier = await read(address);
  for (;;) {
    await wait(seconds * 1000);
    const later = await read(address);
    const picture = pictureOf(compareReadings(earlier, later));
    const words = () => describePicture(address.origin, picture);
    if (isRedrawn) process.stdout.write(`${CLEAR}${printable(words())}\n`);
    else output.result({ ...picture }, options.once ? words : () => `${words()}\n`);
    if (options.once) return;
    earlier = later;
  }
}

/** The address of the metrics of a server; a URL with a path names them itself. */
function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new CommandError(
      `${JSON.stringify(text.slice(0, 100))} must be the URL of a server, such as http://localhost:8080.`,
      2,
    );
  }
  if (url.pathname === '/') url.pathname = '/metrics';
  return url;
}

/** @throws CommandError when there are no metrics, with what to do about it */
async function read(url: URL): Promise<Reading> {
  const token = process.env.METRICS_TOKEN?.trim();
  const headers = { accept: 'text/plain', ...(token && { authorization: `Bearer ${token}` }) };
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    text = await readText(response, url);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    // OpenSSL ends its messages with a line break.
    const reason = (cause instanceof Error ? cause.message : String(cause)).trim();
    throw new CommandError(`${url} does not answer: ${reason}.`, 1, error);
  }
  if (response.status === 401) {
    throw new CommandError(`${url} needs a token: set METRICS_TOKEN to that of the server.`);
  }
  const samples = readMetrics(text);
  if (!response.ok || !samples.has('ternion_info')) {
    const hint = response.ok && samples.size > 0 ? ' If it is Ternion, add "ternion" to its METRICS.' : '';
    throw new CommandError(
      `${url} gives no metrics of Ternion; it answered with the status ${response.status}.${hint}`,
    );
  }
  return { atMs: performance.now(), samples };
}

/** @throws CommandError for an answer that does not end */
async function readText({ body }: Response, url: URL): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new CommandError(`${url} answers with more than ${MOST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
