/** How long the parts of a request took. */
export interface Timings {
  /** Loading the model; undefined when the server does not say. */
  readonly loadMs: number | undefined;
  readonly runMs: number | undefined;
  /** Everything the server did, including loading and running. */
  readonly totalMs: number | undefined;
  /** From sending the request until the answer has arrived, including the network. */
  readonly roundTripMs: number;
}

/** Reads a Server-Timing header as Ternion writes it: `load;dur=0, run;dur=0.1, total;dur=1.2`. */
export function parseTimings(header: string, roundTripMs: number): Timings {
  const durations = new Map(
    [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, duration]) => [name, Number(duration)]),
  );
  return {
    loadMs: durations.get('load'),
    runMs: durations.get('run'),
    totalMs: durations.get('total'),
    roundTripMs,
  };
}
