import * as z from 'zod/mini';
import { toJSONSchema } from 'zod/v4/core';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import type { JsonSchema } from './openapi.ts';

/** The schemas of a document, each written once, no matter how often it is used. */
export interface SchemaBook {
  /**
   * A reference to a schema of the document, named by the schema's own id or else by the proposed name. A trivial
   * schema, such as that of any list, is returned inline.
   */
  refer(schema: z.ZodMiniType, proposedName: string): JsonSchema;
  /** Adds a schema that is already JSON. */
  add(name: string, schema: JsonSchema): JsonSchema;
  /** All referenced schemas by name: the `components.schemas` of the document. */
  write(): JsonSchema;
}

const FOLDER = '#/components/schemas/';

export function createSchemaBook(): SchemaBook {
  const names = new Map<z.ZodMiniType, string>();
  const added = new Map<string, JsonSchema>();

  function choose(schema: z.ZodMiniType, proposed: string): string {
    const wanted = z.globalRegistry.get(schema)?.id ?? proposed;
    const taken = new Set([...names.values(), ...added.keys()]);
    let name = wanted;
    for (let copy = 2; taken.has(name); copy++) name = `${wanted}${copy}`;
    return name;
  }

  return {
    refer: (schema, proposed) => {
      const isKnown = names.has(schema) || z.globalRegistry.get(schema)?.id !== undefined;
      if (!isKnown && saysLittle(writeSchema(schema))) return withoutExamples(writeSchema(schema));
      const name = names.get(schema) ?? choose(schema, proposed);
      names.set(schema, name);
      return { $ref: FOLDER + name };
    },
    add: (name, schema) => {
      added.set(name, schema);
      return { $ref: FOLDER + name };
    },
    write: () => ({ ...writeAll(names), ...Object.fromEntries(added) }),
  };
}

function saysLittle(schema: JsonObject): boolean {
  return schema.properties === undefined && schema.$defs === undefined;
}

function withoutExamples({ examples: _examples, ...rest }: JsonObject): JsonObject {
  return rest;
}

/** An inline schema, for parameters. */
export function writeSchema(schema: z.ZodMiniType): JsonObject {
  const { $schema: _dialect, ...rest } = toPlain(toJSONSchema(schema, OPTIONS));
  return rest;
}

/** The first example of a schema. */
export function exampleOf(schema: z.ZodMiniType): JsonValue | undefined {
  const examples: unknown = z.globalRegistry.get(schema)?.examples;
  return Array.isArray(examples) ? toPlain({ example: examples[0] }).example : undefined;
}

/** What clients may rely on. Later versions may add members, so objects are open unless their schema is strict. */
const OPTIONS = {
  io: 'input',
  unrepresentable: 'any',
  override: ({ jsonSchema }) => {
    // The bounds of JavaScript's safe integers say nothing about the interface.
    if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  },
} satisfies z.core.ToJSONSchemaParams;

function writeAll(names: ReadonlyMap<z.ZodMiniType, string>): JsonObject {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = toJSONSchema(registry, { ...OPTIONS, uri: (id) => FOLDER + id });
  // Nested schemas with an id come with their own `$defs`; the document has one for all.
  const { __shared: shared, ...own } = schemas;
  const text = JSON.stringify({ ...own, ...shared?.$defs }, (key, value: unknown) =>
    key === '$schema' || key === '$id' ? undefined : value,
  );
  const all: JsonObject = JSON.parse(text.replaceAll(`${FOLDER}__shared#/$defs/`, FOLDER));
  // Examples are next to the references, where every tool looks for them.
  for (const schema of Object.values(all)) if (isObject(schema)) delete schema.examples;
  return all;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toPlain(value: object): JsonObject {
  const plain: JsonObject = JSON.parse(JSON.stringify(value));
  return plain;
}
