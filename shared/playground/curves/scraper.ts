import { type Reading, readMetrics } from '../../scrapes/read-metrics.ts';
import { type Failure, failureOf } from '../outcome.ts';
import { parseText } from '../parse.ts';
import { urlOf } from '../server.ts';

/** What the page asks for, and gets. */
export interface Listener {
  readonly read: (reading: Reading) => void;
  /** There is no reading now; the next one comes as usual. */
  readonly miss: (failure: Failure) => void;
  /** There is none until something changes: a server without metrics. */
  readonly end: (failure: Failure) => void;
  /** There is none without a token, or the one that was given is wrong. */
  readonly askToken: (failure: Failure, isWrong: boolean) => void;
}

export interface Scraper {
  /** Reads every two seconds while the page is visible. */
  start(): void;
  stop(): void;
  /** Reads with a token. It is kept in memory alone. */
  use(token: string): void;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

const EVERY_MS = 2000;
const TIMEOUT_MS = 10_000;

const NO_ANSWER: Failure = {
  title: 'No answer',
  message: 'The server cannot be reached. The page tries it again every two seconds.',
};

const OTHER_NAMES: Failure = {
  title: 'Other names',
  message: 'The metrics of this server have the names of other servers alone: add "ternion" to METRICS.',
};

/** Reads the metrics again and again: one request after the other, and none while the page is hidden. */
export function createScraper(listener: Listener): Scraper {
  let token: string | undefined;
  let isRunning = false;
  let isAsking = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const isWanted = (): boolean => isRunning && document.visibilityState === 'visible';

  function stop(): void {
    isRunning = false;
    clearTimeout(timer);
  }

  async function turn(): Promise<void> {
    clearTimeout(timer);
    if (isAsking || !isWanted()) return;
    isAsking = true;
    const start = performance.now();
    // A mistake in what draws the values is not taken for a server that does not answer.
    const answer = await ask().catch(() => undefined);
    isAsking = false;
    const leftMs = Math.max(0, EVERY_MS - (performance.now() - start));
    if (isWanted()) timer = setTimeout(() => void turn(), leftMs);
    if (!isRunning) return;
    if (answer) report(answer);
    else listener.miss(NO_ANSWER);
  }

  async function ask(): Promise<Answer> {
    const response = await fetch(urlOf('metrics'), {
      headers: { accept: 'text/plain', ...(token && { authorization: `Bearer ${token}` }) },
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  }

  function report({ status, text }: Answer): void {
    if (status === 200) {
      const samples = readMetrics(text);
      if (samples.has('ternion_info')) listener.read({ atMs: performance.now(), samples });
      else end(OTHER_NAMES);
      return;
    }
    const failure = failureOf({ status, text, json: parseText(text) }) ?? NO_ANSWER;
    if (status === 404) end(failure);
    else if (status !== 401) listener.miss(failure);
    else {
      stop();
      listener.askToken(failure, token !== undefined);
    }
  }

  function end(failure: Failure): void {
    stop();
    listener.end(failure);
  }

  document.addEventListener('visibilitychange', () => void turn());
  const start = (): void => {
    isRunning = true;
    void turn();
  };
  return {
    start,
    stop,
    use: (given) => {
      token = given;
      start();
    },
  };
}
