import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from '../proof.ts';
import { MODEL } from './store.ts';

/** Clients that come again. All others come once. */
const RETURNING = 50;
/** Of 10 requests, 2 are from clients that come again, and 1 has no key. */
const KINDS = 10;
const COUNTRIES = ['AT', 'CH', 'DE', 'FR', 'IT'];

/** One request, with what came back. Times are in milliseconds since the epoch. */
export interface Answer {
  /** The place of its server in the list of processes. */
  readonly process: number;
  readonly userId: string | undefined;
  /** Whether no other request has this user. */
  readonly isNew: boolean;
  readonly country: string;
  readonly sentMs: number;
  readonly answeredMs: number;
  /** What is wrong with the answer itself; undefined for a good one. */
  readonly problem: string | undefined;
  readonly requestId: string;
  readonly version: string;
  readonly variant: string;
  readonly sticky: string | undefined;
}

export interface Clients {
  /** How many requests have been sent. */
  sent(): number;
  /** All answers, once all requests have been sent. */
  readonly done: Promise<readonly Answer[]>;
}

export interface ClientsOptions {
  readonly urls: readonly string[];
  readonly requests: number;
  /** How many send at the same time. */
  readonly count: number;
  /** How many all of them together send in a second, if the servers are fast enough. */
  readonly perSecond: number;
  readonly random: Random;
}

/** Sends requests to all servers, until their number is reached. */
export function startClients({ urls, requests, count, perSecond, random }: ClientsOptions): Clients {
  const answers: Answer[] = [];
  const startMs = performance.now();
  let sent = 0;
  const work = async () => {
    while (sent < requests) {
      const number = sent++;
      const dueMs = startMs + ((number + random.next()) * 1000) / perSecond;
      await wait(Math.max(0, dueMs - performance.now()));
      answers.push(await ask(urls, number, random));
    }
  };
  return { sent: () => sent, done: Promise.all(Array.from({ length: count }, work)).then(() => answers) };
}

async function ask(urls: readonly string[], number: number, random: Random): Promise<Answer> {
  const process = random.below(urls.length);
  const kind = random.below(KINDS);
  const userId =
    kind === 0
      ? undefined
      : kind <= 2
        ? `returning-${random.below(RETURNING)}`
        : `new-${number}-${random.below(2 ** 31)}`;
  const country = COUNTRIES[random.below(COUNTRIES.length)] ?? '';
  const x = random.below(1000);
  const asked = { process, userId, isNew: kind === 0 || kind > 2, country, sentMs: Date.now() };
  const none = { requestId: '', version: '', variant: '', sticky: undefined };
  try {
    const response = await fetch(`${urls[process]}/v2/models/${MODEL}/infer`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-country': country,
        ...(userId !== undefined && { 'x-user-id': userId }),
      },
      body: JSON.stringify({ inputs: [{ name: 'x', shape: [1], datatype: 'FP32', data: [x] }] }),
    });
    const text = await response.text();
    const answeredMs = Date.now();
    if (response.status !== 200)
      return { ...asked, ...none, answeredMs, problem: `is ${response.status}: ${text.slice(0, 200)}` };
    const version = response.headers.get('ternion-model-version') ?? '';
    const { model_version, outputs }: Inferred = JSON.parse(text);
    const y = outputs[0]?.data[0];
    const isRight = y === x + Number(version) && model_version === version;
    return {
      ...asked,
      answeredMs,
      problem: isRight ? undefined : `says version ${version}, and is ${text} for ${x}`,
      requestId: response.headers.get('x-request-id') ?? '',
      version,
      variant: response.headers.get('ternion-variant') ?? '',
      sticky: response.headers.get('ternion-sticky') ?? undefined,
    };
  } catch (error) {
    return { ...asked, ...none, answeredMs: Date.now(), problem: `failed: ${String(error)}` };
  }
}

/** The parts of an answer of the Open Inference Protocol that are compared. */
interface Inferred {
  readonly model_version: string;
  readonly outputs: readonly { readonly data: readonly number[] }[];
}
