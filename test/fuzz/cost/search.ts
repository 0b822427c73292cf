import { createRandom } from '../mutate.ts';
import { type BodyMaker, suits } from './bodies.ts';
import { JSON_VALUES, type Purpose } from './json-values.ts';
import { VICTIMS, type VictimModel } from './models.ts';
import { nameOf, type Route } from './routes.ts';
import type { Cost } from './server.ts';
import { ACCEPTS, CODING_LISTS, type Kitchen, type Trial } from './trials.ts';

/** A trial with what it cost. */
export interface Outcome {
  readonly trial: Trial;
  readonly cost: Cost;
  readonly sentBytes: number;
  readonly bodyBytes: number;
}

export interface Bounds {
  readonly cpuMs: number;
  readonly peakBytes: number;
  readonly healthMs: number;
  /** How much later the health may come for each megabyte of the body and of the answer. */
  readonly healthMsPerMegabyte: number;
  /** The same where the body is JSON: all of it is parsed in one turn of the event loop. */
  readonly healthMsPerMegabyteOfJson: number;
}

/** Proposes one trial after the other, and learns from what they cost. */
export interface Search {
  next(): Trial;
  learn(outcome: Outcome): void;
}

/** How many are kept by each measure. */
const KEPT = 10;
/** Below MAX_BODY_BYTES, with room for what stands around a value. */
const LARGEST = 32_000_000;

const GZIP = ['gzip'];

/** Places that lead to a text or image model. */
const PLACES: Readonly<Record<Exclude<Purpose, 'any'>, readonly string[]>> = {
  texts: ['member "text"', 'member "inputs"', 'text of an instance', 'member "data"', 'root', 'an instance'],
  images: [
    'member "image"',
    'member "inputs"',
    'image of an instance',
    'b64 of an instance',
    'member "data"',
  ],
};

/** The share of a bound that a request takes, by the bound it comes nearest to. */
export function loadOf(
  { trial, cost: { cpuMs, peakBytes, healthMs, answerBytes }, bodyBytes }: Omit<Outcome, 'sentBytes'>,
  bounds: Bounds,
): number {
  const { healthMsPerMegabyte, healthMsPerMegabyteOfJson } = bounds;
  const msPerMegabyte = trial.value === undefined ? healthMsPerMegabyte : healthMsPerMegabyteOfJson;
  const mostHealthMs =
    bounds.healthMs + (bodyBytes / 1e6) * msPerMegabyte + (answerBytes / 1e6) * healthMsPerMegabyte;
  const mostCpuMs = bounds.cpuMs * (trial.times ?? 1);
  return Math.max(cpuMs / mostCpuMs, peakBytes / bounds.peakBytes, healthMs / mostHealthMs);
}

/**
 * Tries the known costly requests first; then each route, kind of body, value and place once, in a random order, with
 * parts that suit it; and after that changes of those that cost most.
 */
export function createSearch(kitchen: Kitchen, seed: number, seeds: readonly Trial[]): Search {
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]): T => {
    const item = items[random(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const queue = [...seeds, ...shuffle(everything(), random)];
  const measures: readonly ((outcome: Outcome) => number)[] = [
    ({ cost }) => cost.cpuMs,
    ({ cost }) => cost.peakBytes,
    ({ cost }) => cost.healthMs,
    ({ cost }) => cost.answerBytes,
    // Requests that were answered show where there is more to find.
    ({ cost, bodyBytes }) => (cost.status === 200 ? cost.cpuMs / (bodyBytes + 10_000) : 0),
    ({ cost, sentBytes }) => cost.cpuMs / (sentBytes + 200),
  ];
  const best = measures.map((): Outcome[] => []);

  function everything(): Trial[] {
    return [
      ...kitchen.routes.flatMap((route) => [
        ...route.types.map((type) =>
          combine(pick(kitchen.makers.filter((maker) => suits(maker, type))), route),
        ),
        combine(pick(headerMakers()), route),
      ]),
      ...kitchen.makers.map((maker) => combine(maker, pick(routesFor(maker)))),
      ...[...JSON_VALUES.keys()].map((value) => ({ ...anyJson(), value, ...suitedTo(value) })),
      ...[...kitchen.places.keys()].map((place) => ({ ...anyJson(), place })),
    ];
  }

  function headerMakers(): readonly BodyMaker[] {
    return kitchen.makers.filter(({ types }) => types.length === 0);
  }

  function routesFor(maker: BodyMaker): readonly Route[] {
    const suited = kitchen.routes.filter(({ types }) => types.some((type) => suits(maker, type)));
    return suited.length > 0 ? suited : kitchen.routes;
  }

  function combine(maker: BodyMaker, route: Route): Trial {
    const value = maker.usesJson ? pick([...JSON_VALUES.keys()]) : undefined;
    return {
      route: nameOf(route),
      maker: maker.name,
      model: pick(VICTIMS).name,
      bytes: pick([LARGEST, LARGEST, LARGEST / 2, 4_000_000, 1_000_000]),
      codings: pickCodings(),
      value,
      place: maker.usesJson ? pick([...kitchen.places.keys()]) : undefined,
      accept: random(3) === 0 ? pick(ACCEPTS) : '',
      ...(value === undefined ? modelFor(maker) : suitedTo(value)),
    };
  }

  /** Mostly gzip: what compresses far better than it may not be sent in large. */
  function pickCodings(): readonly string[] {
    return random(3) > 0 ? GZIP : pick(CODING_LISTS);
  }

  function anyJson(): Trial {
    const maker = pick(kitchen.makers.filter(({ usesJson }) => usesJson));
    return combine(maker, pick(routesFor(maker)));
  }

  /** A model and mostly a place that the value is for. */
  function suitedTo(value: string): Partial<Trial> {
    const purpose = JSON_VALUES.get(value)?.purpose ?? 'any';
    if (purpose === 'any' || random(4) === 0) return {};
    return { model: pick(taking(purpose)).name, ...(random(3) > 0 && { place: pick(PLACES[purpose]) }) };
  }

  function modelFor({ name }: BodyMaker): Partial<Trial> {
    if (/image|AVIF|WebP|PNG|GIF/.test(name)) return { model: pick(taking('images')).name };
    if (/marks/.test(name)) return { model: pick(taking('texts')).name };
    return {};
  }

  function mutate(trial: Trial, other: Trial): Trial {
    const maker = kitchen.makers.find(({ name }) => name === trial.maker);
    const change = random(10);
    switch (change) {
      case 0:
      case 1:
        return { ...trial, bytes: Math.min(LARGEST, trial.bytes * 2) };
      case 2:
        return { ...trial, bytes: Math.max(16, Math.floor(trial.bytes / 4)) };
      case 3:
        return { ...trial, codings: pick(CODING_LISTS) };
      case 4:
        return maker ? { ...trial, route: nameOf(pick(routesFor(maker))) } : trial;
      case 5:
        // Also where it does not suit: values that a route does not read must cost nothing.
        return { ...trial, route: nameOf(pick(kitchen.routes.filter(({ method }) => method !== 'GET'))) };
      case 6:
        return { ...trial, model: pick(VICTIMS).name };
      case 7:
        return { ...trial, accept: pick(ACCEPTS) };
      case 8:
        return trial.value === undefined
          ? combine(pick(kitchen.makers), pick(kitchen.routes))
          : { ...trial, value: other.value ?? pick([...JSON_VALUES.keys()]) };
      default:
        return trial.value === undefined
          ? { ...trial, maker: pick(kitchen.makers.filter(({ usesJson }) => !usesJson)).name }
          : { ...trial, place: pick([...kitchen.places.keys()]) };
    }
  }

  return {
    next: () => {
      const queued = queue.shift();
      if (queued) return queued;
      const pools = best.filter((kept) => kept.length > 0);
      // Now and then something else, so that the search does not stay with what it knows.
      if (pools.length === 0 || random(5) === 0) {
        const maker = pick(kitchen.makers);
        return combine(maker, pick(routesFor(maker)));
      }
      return mutate(pick(pick(pools)).trial, pick(pick(pools)).trial);
    },
    learn: (outcome) => {
      // The cost of many requests says nothing about one.
      if (outcome.trial.times !== undefined) return;
      for (const [index, measure] of measures.entries()) {
        const kept = best[index];
        if (!kept) continue;
        const value = measure(outcome);
        if (value <= 0) continue;
        kept.push(outcome);
        kept.sort((a, b) => measure(b) - measure(a));
        // One of each kind and route: starting from different requests finds more than only from the worst.
        const isNew = (each: Outcome, at: number) =>
          kept.findIndex(({ trial }) => sameShape(trial, each.trial)) === at;
        best[index] = kept.filter(isNew).slice(0, KEPT);
      }
    },
  };
}

function sameShape(a: Trial, b: Trial): boolean {
  return a.route === b.route && a.maker === b.maker && a.value === b.value;
}

function taking(purpose: VictimModel['takes']): readonly VictimModel[] {
  return VICTIMS.filter(({ takes }) => takes === purpose);
}

function shuffle<T>(items: readonly T[], random: (below: number) => number): T[] {
  return items
    .map((item) => ({ item, order: random(2 ** 30) }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
