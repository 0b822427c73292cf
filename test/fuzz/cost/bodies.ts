import { FORM_MAKERS } from './form-bodies.ts';
import { HEADER_MAKERS } from './header-bodies.ts';
import { IMAGE_MAKERS } from './image-bodies.ts';
import type { Place } from './json-places.ts';
import type { JsonMaker } from './json-values.ts';
import { LINE_MAKERS } from './line-bodies.ts';
import type { VictimModel } from './models.ts';
import { TENSOR_MAKERS } from './tensor-bodies.ts';

/** What a body is made of. */
export interface Ingredients {
  /** The wanted size of the body before compression; makers come close to it. */
  readonly bytes: number;
  readonly model: VictimModel;
  readonly value: JsonMaker;
  readonly place: Place;
}

export interface MadeRequest {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** With its question mark, or ''. */
  readonly query?: string;
  /** Replaces the model's name in the path. */
  readonly name?: string;
}

/** One kind of request that is small and may cost much. */
export interface BodyMaker {
  readonly name: string;
  /** Media types of the routes it is for, as their operations name them; none: any route, also those without a body. */
  readonly types: readonly string[];
  /** Whether it uses the value and the place, so that the search changes those as well. */
  readonly usesJson: boolean;
  readonly make: (ingredients: Ingredients) => MadeRequest | Promise<MadeRequest>;
}

const JSON_TYPE = 'application/json';

const JSON_MAKERS: readonly BodyMaker[] = [
  {
    name: 'JSON',
    types: [JSON_TYPE, '*/*'],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(place(await value(bytes), model)),
      headers: { 'content-type': JSON_TYPE },
    }),
  },
  {
    name: 'JSON without a type',
    types: [JSON_TYPE, '*/*', 'text/plain'],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(place(await value(bytes), model)),
      headers: {},
    }),
  },
  {
    name: 'JSON with white space around it',
    types: [JSON_TYPE],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(`${' '.repeat(bytes / 2)}${place(await value(bytes / 2), model)}\n`),
      headers: { 'content-type': JSON_TYPE },
    }),
  },
  {
    name: 'JSON of a CloudEvent',
    types: [JSON_TYPE],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(
        `{"specversion":"1.0","id":"1","source":"a","type":"b","data":${place(await value(bytes), model)}}`,
      ),
      headers: { 'content-type': 'application/cloudevents+json' },
    }),
  },
  {
    name: 'JSON for the container of TensorFlow',
    types: [JSON_TYPE],
    usesJson: true,
    make: async ({ bytes, model, value, place }) => ({
      body: Buffer.from(place(await value(bytes), model)),
      headers: {
        'content-type': JSON_TYPE,
        'x-amzn-sagemaker-custom-attributes': 'tfs-method=predict,tfs-model-name=iris',
      },
    }),
  },
  {
    name: 'plain text',
    types: ['text/plain'],
    usesJson: false,
    make: ({ bytes }) => ({ body: Buffer.alloc(bytes, 'a '), headers: { 'content-type': 'text/plain' } }),
  },
];

/** All kinds. A new one is a line in the list of its family. */
export const BODY_MAKERS: readonly BodyMaker[] = [
  ...JSON_MAKERS,
  ...LINE_MAKERS,
  ...TENSOR_MAKERS,
  ...FORM_MAKERS,
  ...IMAGE_MAKERS,
  ...HEADER_MAKERS,
];

/** Whether a kind of body suits a media type of a route. Both may be ranges. */
export function suits(maker: BodyMaker, type: string): boolean {
  return maker.types.some(
    (own) => own === type || type === '*/*' || matchesRange(own, type) || matchesRange(type, own),
  );
}

function matchesRange(range: string, type: string): boolean {
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}
