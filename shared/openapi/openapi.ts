import type { JsonValue } from '../json/json-value.ts';
import type { WritableJson } from '../json/write-json.ts';

/** A part of an OpenAPI document; absent members may be undefined. */
export type Json = { readonly [key: string]: WritableJson };

/** A JSON Schema, 2020-12. */
export type JsonSchema = Json;

/** A schema with the example that is shown for it. Source: OpenAPI 3.1, Media Type Object. */
export interface MediaType {
  readonly schema: JsonSchema;
  readonly example?: JsonValue | undefined;
}

export type MediaTypes = Readonly<Record<string, MediaType>>;

/** Plain bytes, such as a file. */
export const BYTES_SCHEMA: JsonSchema = { type: 'string', format: 'binary' };
