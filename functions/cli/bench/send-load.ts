/** Sends one request; resolves to what was wrong with its answer, or to undefined. It does not reject. */
export type Send = () => Promise<string | undefined>;

export interface LoadOptions {
  /** Requests that are sent at the same time, each the next one as soon as it has its answer. */
  readonly connections: number;
  readonly seconds: number;
  /** Called after each answer, with the seconds so far. */
  readonly onAnswer?: (seconds: number, answers: number) => void;
}

export interface Load {
  /** Milliseconds of each right answer, from the shortest to the longest. */
  readonly latenciesMs: Float64Array;
  /** How often each problem came. */
  readonly problems: ReadonlyMap<string, number>;
  readonly seconds: number;
}

/** Sends requests for a while, and waits for the last answers. */
export async function sendLoad(send: Send, { connections, seconds, onAnswer }: LoadOptions): Promise<Load> {
  const latencies: number[] = [];
  const problems = new Map<string, number>();
  const startMs = performance.now();
  const endMs = startMs + seconds * 1000;
  let answers = 0;
  const work = async () => {
    for (let nowMs = performance.now(); nowMs < endMs; ) {
      const problem = await send();
      const sentMs = nowMs;
      nowMs = performance.now();
      answers += 1;
      if (problem === undefined) latencies.push(nowMs - sentMs);
      else problems.set(problem, (problems.get(problem) ?? 0) + 1);
      onAnswer?.((nowMs - startMs) / 1000, answers);
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  return {
    latenciesMs: Float64Array.from(latencies).sort(),
    problems,
    seconds: (performance.now() - startMs) / 1000,
  };
}
