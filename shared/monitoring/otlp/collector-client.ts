import { promisify } from 'node:util';
import { createHttpClient } from '../../http/http-client.ts';
import { memberOf } from '../../json/json-file.ts';
import { VERSION } from '../../version.ts';
import { attributesOf } from './any-value.ts';
import type { Signal, SignalSettings } from './settings.ts';

/** Sends one signal to a collector. */
export interface CollectorClient {
  /**
   * Sends a message. It never rejects; what goes wrong is reported.
   *
   * @param what it has, for the report
   * @returns whether the collector may take it later
   */
  send(message: string, what: string, signal: AbortSignal): Promise<boolean>;
}

/** Gets what keeps a signal from a collector. */
export type Report = (what: string, error?: unknown) => void;

/** Answers that ask to try again later. Source: OTLP 1.x, failures of OTLP/HTTP. */
const RETRYABLE: readonly number[] = [429, 502, 503, 504];

/** Longest part of a collector's own words in the log. */
const LONGEST_REASON = 200;

/** What each message says about who made its records. */
export const SCOPE = { name: 'ternion', version: VERSION };

export function resourceOf(values: Readonly<Record<string, string | number>>): object {
  return { attributes: attributesOf(values) };
}

export function createCollectorClient(
  { url, headers, timeoutMs, isCompressed }: SignalSettings,
  signalName: Signal,
  report: Report,
): CollectorClient {
  const noun = signalName === 'traces' ? 'spans' : 'metrics';
  const client = createHttpClient('the collector', (reason) => new Error(reason));
  return {
    send: async (message, what, signal) => {
      const body = isCompressed ? await compress(message) : Buffer.from(message);
      const sent = {
        ...headers,
        'content-type': 'application/json',
        ...(isCompressed && { 'content-encoding': 'gzip' }),
        'content-length': String(body.length),
      };
      const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        const { status, text } = await client.send({ method: 'POST', url, headers: sent, body }, inTime);
        if (status >= 200 && status < 300) {
          const refused = describePartial(text);
          if (refused) report(`the collector at ${url.host} took only a part of ${what}: ${refused}`);
          return false;
        }
        report(`the collector at ${url.host} answered ${status} to ${what}`);
        return RETRYABLE.includes(status);
      } catch (error) {
        report(`${noun} could not be sent`, error);
        return true;
      }
    },
  };
}

/** Loaded only for those who want it. */
async function compress(message: string): Promise<Uint8Array> {
  return await promisify(process.getBuiltinModule('node:zlib').gzip)(message);
}

/** Source: OTLP 1.x, partial success: an answer can take a message and refuse a part of it. */
function describePartial(text: string): string | undefined {
  if (!text.includes('partialSuccess')) return undefined;
  try {
    const partial = memberOf(JSON.parse(text), 'partialSuccess');
    const count = Number(memberOf(partial, 'rejectedSpans') ?? memberOf(partial, 'rejectedDataPoints') ?? 0);
    const reason = String(memberOf(partial, 'errorMessage') ?? '');
    return count > 0 ? `${count} refused. ${reason.slice(0, LONGEST_REASON)}` : undefined;
  } catch {
    return undefined;
  }
}
