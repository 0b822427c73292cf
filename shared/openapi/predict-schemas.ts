import type { Limits } from '../config.ts';
import { batchSizeOf } from '../inference/run-batch.ts';
import { ACCEPTED_IMAGE_TYPES } from '../processing/image/decode/sniff.ts';
import type { Column } from '../values/cell.ts';
import type { InputKind } from '../values/input.ts';
import { columnAt, type Feature, type RowFormat } from '../values/row.ts';
import type { ModelFacts } from './describe-models.ts';
import { BYTES_SCHEMA, type JsonSchema, type MediaTypes } from './openapi.ts';
import { nestedSchema } from './tensor-schemas.ts';

/** The schemas of a predict request to one model, by media type. They only state what the server enforces. */
export function describePredictRequest(facts: ModelFacts, limits: Limits): MediaTypes {
  return REQUESTS[facts.kind](facts, limits);
}

const REQUESTS: Record<InputKind, (facts: ModelFacts, limits: Limits) => MediaTypes> = {
  features: (facts, limits) => {
    const row = facts.features ? rowSchema(facts.features) : {};
    const instance = { anyOf: [...alternativesOf(row), only('features', row)] };
    return json(oneOrMore('features', row, instance, facts, limits), facts);
  },
  image: (facts, limits) => {
    const image = {
      type: 'string',
      minLength: 1,
      contentEncoding: 'base64',
      description: 'An encoded image in base64, or as a data URI.',
    };
    const form = {
      type: 'object',
      required: ['file'],
      properties: {
        file: { ...BYTES_SCHEMA, description: 'An image. Several files of this name are a batch.' },
      },
    };
    return {
      'multipart/form-data': { schema: form },
      ...Object.fromEntries(ACCEPTED_IMAGE_TYPES.map((type) => [type, { schema: BYTES_SCHEMA }])),
      ...json(oneOrMore('image', image, only('image', image), facts, limits), facts),
    };
  },
  text: (facts, limits) => {
    const text = { type: 'string', maxLength: limits.textCharacters };
    const beside = facts.textInput?.takesPairs ? { text_pair: SECOND_TEXT } : {};
    const instance = {
      anyOf: [
        text,
        { type: 'object', required: ['text'], properties: { text, ...beside }, additionalProperties: false },
      ],
    };
    return {
      ...json(oneOrMore('text', text, instance, facts, limits, beside), facts),
      // Plain text is one instance.
      ...(Math.max(batchSizeOf(facts), 1) === 1 && { 'text/plain': { schema: { type: 'string' } } }),
    };
  },
  tensors: (facts) => json(withMembers({ inputs: tensorsSchema(facts) }), facts),
};

/** A second text that the model reads together with the first. */
const SECOND_TEXT: JsonSchema = {
  type: 'string',
  description: 'A second text, which the model reads together with the first.',
};

function json(schema: JsonSchema, { example }: ModelFacts): MediaTypes {
  return { 'application/json': { schema, example } };
}

function withMembers(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', required: Object.keys(properties), properties };
}

function only(key: string, schema: JsonSchema): JsonSchema {
  return { ...withMembers({ [key]: schema }), additionalProperties: false };
}

function alternativesOf(schema: JsonSchema): readonly JsonSchema[] {
  return Array.isArray(schema.anyOf) ? schema.anyOf : [schema];
}

/**
 * One instance under its key, or a list of `instances`; a graph with a fixed batch size only takes whole batches.
 *
 * @param beside members allowed next to the single instance
 */
function oneOrMore(
  key: string,
  one: JsonSchema,
  instance: JsonSchema,
  { inputs }: ModelFacts,
  limits: Limits,
  beside: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const portion = Math.max(batchSizeOf({ inputs }), 1);
  const instances = {
    type: 'array',
    description: portion > 1 ? `A batch whose size is a multiple of ${portion}.` : 'A batch.',
    items: instance,
    minItems: portion,
    maxItems: limits.batchSize,
  };
  if (portion > 1) return withMembers({ instances });
  return {
    type: 'object',
    description: `Either "${key}" or "instances".`,
    properties: { [key]: one, ...beside, instances },
    oneOf: [{ required: [key] }, { required: ['instances'] }],
  };
}

/** Most features that are described one by one. */
const MOST_FEATURES = 256;

/** A row: a list in the model's order or, if the features have names, an object by name. */
function rowSchema({ named: features, width, columns }: RowFormat): JsonSchema {
  const count = features?.length ?? width;
  const size = count !== undefined && { minItems: count, maxItems: count };
  if (!features || features.length > MOST_FEATURES) return { ...itemsSchema(columns), ...size };
  const cells = features.map((feature, index) => featureSchema(feature, columnAt(columns, index)));
  const named = {
    type: 'object',
    title: 'By name',
    required: features.map(({ name }) => name),
    properties: Object.fromEntries(features.map(({ name }, index) => [name, cells[index] ?? {}])),
    additionalProperties: false,
  };
  const listed = {
    type: 'array',
    title: "In the model's order",
    prefixItems: cells,
    items: false,
    ...size,
  };
  return { anyOf: [named, listed] };
}

/** Values of columns without names, or of too many columns; described one by one only if they differ. */
function itemsSchema(columns: RowFormat['columns']): JsonSchema {
  const kinds = new Map(
    columns.map((column) => cellSchema(column)).map((cell) => [JSON.stringify(cell), cell]),
  );
  const [first = {}, ...others] = kinds.values();
  if (others.length === 0) return { type: 'array', items: first };
  if (columns.length > MOST_FEATURES) return { type: 'array', items: { anyOf: [first, ...others] } };
  return { type: 'array', prefixItems: columns.map((column) => cellSchema(column)), items: false };
}

/** The range and values of a feature are enforced, so they can be stated. */
function featureSchema(feature: Feature, column: Column): JsonSchema {
  const { name, unit, description } = feature;
  return {
    title: name,
    description: [description, unit && `In ${unit}.`].filter(Boolean).join(' ') || undefined,
    ...cellSchema(column, feature),
  };
}

type Bounds = Pick<Feature, 'range' | 'values' | 'minLength'>;

/** The JSON schema of one value of a row. */
function cellSchema(column: Column, { range, values, minLength }: Bounds = {}): JsonSchema {
  const { wideIntegers, isBoolean = false, allowsMissing = false } = column;
  if (column.type === 'string') {
    const isNullable = allowsMissing && values === undefined && minLength === undefined;
    return {
      type: isNullable ? ['string', 'null'] : 'string',
      ...(minLength !== undefined && { minLength }),
      ...(values && { enum: values }),
    };
  }
  const whole = column.integers ? 'integer' : 'number';
  // Bounds of 64-bit integers cannot be written exactly.
  const integers = wideIntegers ? undefined : column.integers;
  const minimum = Math.max(range?.[0] ?? Number.NEGATIVE_INFINITY, integers?.[0] ?? Number.NEGATIVE_INFINITY);
  const maximum = Math.min(range?.[1] ?? Number.POSITIVE_INFINITY, integers?.[1] ?? Number.POSITIVE_INFINITY);
  const isTaken = (value: number) =>
    value >= minimum && value <= maximum && (values === undefined || values.includes(value));
  // True and false are accepted as 1 and 0, if these are allowed.
  const booleans = isBoolean ? [] : [false, true].filter((value) => isTaken(Number(value)));
  const areBothTaken = isBoolean || (booleans.length === 2 && !values);
  const types = [whole, ...(areBothTaken ? ['boolean'] : []), ...(allowsMissing ? ['null'] : [])];
  const numbers = {
    type: types.length > 1 ? types : whole,
    // If true counts as 1, the values would have to be listed twice.
    ...(values && !isBoolean && { enum: values }),
    ...(Number.isFinite(minimum) && { minimum }),
    ...(Number.isFinite(maximum) && { maximum }),
  };
  return booleans.length > 0 && !areBothTaken ? { anyOf: [numbers, { enum: booleans }] } : numbers;
}

/** Nested lists by the name of the input, or just the list if there is only one input. */
function tensorsSchema({ inputs }: ModelFacts): JsonSchema {
  const named = {
    ...withMembers(Object.fromEntries(inputs.map((spec) => [spec.name, nestedSchema(spec)]))),
    additionalProperties: false,
  };
  const [first, ...others] = inputs;
  const isList = first && others.length === 0 && !first.isRankDynamic && first.shape.length > 0;
  return isList ? { anyOf: [named, nestedSchema(first)] } : named;
}
