import { promisify } from 'node:util';
import { brotliCompress, constants, deflate, deflateRaw, gzip } from 'node:zlib';
import type { TestRequest } from '../../support/hosts/test-host.ts';
import { BODY_MAKERS, type BodyMaker, suits } from './bodies.ts';
import { jsonPlaces, type Place } from './json-places.ts';
import { JSON_VALUES } from './json-values.ts';
import { VICTIMS } from './models.ts';
import { fillPath, nameOf, type Route, type RouteList, unknownParameters } from './routes.ts';

/** All that a request is made of, by name: the same trial makes the same bytes. */
export interface Trial {
  /** As `POST /models/{model}/predict`. */
  readonly route: string;
  readonly model: string;
  readonly maker: string;
  /** Undefined where the maker needs neither. */
  readonly value?: string | undefined;
  readonly place?: string | undefined;
  /** Approximate number of bytes before compression. */
  readonly bytes: number;
  readonly codings: readonly string[];
  readonly accept?: string | undefined;
  /** How many of it are sent at once; 1 by default. */
  readonly times?: number;
}

/** The parts that trials are put together from. */
export interface Kitchen {
  readonly routes: readonly Route[];
  readonly places: ReadonlyMap<string, Place>;
  readonly makers: readonly BodyMaker[];
}

export interface Prepared {
  /** The trial in a size that fits: with fewer bytes if they did not compress well enough. */
  readonly trial: Trial;
  readonly request: TestRequest;
  /** Bytes of the body before compression. */
  readonly bodyBytes: number;
}

type Compress = (bytes: Uint8Array) => Promise<Buffer>;

const CODINGS: Readonly<Record<string, Compress>> = {
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
  deflate: (bytes) => promisify(deflate)(bytes, { level: 9 }),
  'deflate, raw': (bytes) => promisify(deflateRaw)(bytes, { level: 9 }),
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 24 },
    }),
};

/** In the order in which they are applied. */
export const CODING_LISTS: readonly (readonly string[])[] = [
  [],
  ['gzip'],
  ['deflate'],
  ['deflate, raw'],
  ['br'],
  ['gzip', 'gzip'],
  ['br', 'gzip'],
  ['gzip', 'br'],
  ['deflate', 'deflate'],
];

/** The type of answer to ask for; '' leaves it to the kind of body. */
export const ACCEPTS: readonly string[] = [
  '',
  'application/json',
  'text/csv',
  'application/jsonlines',
  'application/x-npy',
  'application/x-npz',
  'application/octet-stream',
];

export function createKitchen({ routes, members }: RouteList): Kitchen {
  return { routes, places: jsonPlaces(members), makers: BODY_MAKERS };
}

/** Describes routes that nothing can be sent to: their media types, and parameters of their paths. */
export function findGaps({ routes, makers }: Kitchen): readonly string[] {
  return routes.flatMap((route) => [
    ...route.types
      .filter((type) => !makers.some((maker) => suits(maker, type)))
      .map((type) => `${nameOf(route)}: nothing makes ${type}`),
    ...unknownParameters(route).map((name) => `${nameOf(route)}: nothing is known for {${name}}`),
  ]);
}

/**
 * Makes the request of a trial. A body that is too large as sent is made again with fewer bytes.
 *
 * @param limitBytes largest body as it is sent
 */
export async function prepare(trial: Trial, kitchen: Kitchen, limitBytes: number): Promise<Prepared> {
  const route = find(kitchen.routes, (each) => nameOf(each) === trial.route, trial.route);
  const maker = find(kitchen.makers, ({ name }) => name === trial.maker, trial.maker);
  const model = find(VICTIMS, ({ name }) => name === trial.model, trial.model);
  const value = JSON_VALUES.get(trial.value ?? 'ones');
  const place = kitchen.places.get(trial.place ?? 'root');
  if (!value || !place) throw new Error(`there is no value "${trial.value}", or no place "${trial.place}"`);
  const made = await maker.make({ bytes: trial.bytes, model, value: value.make, place });
  const sent = await compress(made.body, trial.codings);
  if (sent.length > limitBytes && trial.bytes > 16) {
    const share = Math.min(0.5, (limitBytes / sent.length) * 0.95);
    return await prepare({ ...trial, bytes: Math.floor(trial.bytes * share) }, kitchen, limitBytes);
  }
  const codings = trial.codings.map((coding) => coding.replace(/,.*/, '')).join(', ');
  return {
    trial,
    bodyBytes: made.body.length,
    request: {
      method: route.method,
      path: fillPath(route, made.name ?? trial.model) + (made.query ?? ''),
      headers: {
        ...made.headers,
        ...(codings && { 'content-encoding': codings }),
        ...(trial.accept && { accept: trial.accept }),
      },
      body: sent,
    },
  };
}

/** The key of a trial: all its parts except the route, the model and the size. */
export function kindOf({ maker, value, times = 1 }: Trial): string {
  return `${maker}${value === undefined ? '' : `: ${value}`}${times === 1 ? '' : `, ${times} at once`}`;
}

async function compress(body: Buffer, codings: readonly string[]): Promise<Buffer> {
  let bytes = body;
  for (const coding of codings) bytes = (await CODINGS[coding]?.(bytes)) ?? bytes;
  return bytes;
}

function find<T>(items: readonly T[], is: (item: T) => boolean, name: string): T {
  const found = items.find(is);
  if (found === undefined) throw new Error(`there is no ${JSON.stringify(name)}`);
  return found;
}
