import type { JsonValue } from '../json/json-value.ts';
import {
  type Content,
  loadSchema,
  type Operation,
  type Protocol,
  type SchemaSource,
} from '../protocols/operation.ts';
import { BYTES_SCHEMA, type Json, type MediaType, type MediaTypes } from './openapi.ts';
import { exampleOf, type SchemaBook, writeSchema } from './schema-book.ts';

/** Additions to the description of an operation, such as when it is described for one model. */
export interface Particulars {
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary?: string;
  readonly description?: string | undefined;
  /** Replaces the operation's own. */
  readonly request?: MediaTypes;
  readonly response?: MediaTypes;
  /** Values for the parameters of the path. */
  readonly pathExamples?: Readonly<Record<string, string>>;
  /** A body in JSON. */
  readonly bodyExample?: JsonValue | undefined;
}

/** An Operation Object of OpenAPI 3.1. */
export async function describeOperation(
  operation: Operation,
  protocol: Protocol,
  particulars: Particulars,
  book: SchemaBook,
): Promise<Json> {
  const { path, operationId, tag, summary = operation.summary, description } = particulars;
  const name = proposeName(protocol.name, operation.path);
  const request = particulars.request ?? (await writeContent(operation.request, `${name}Request`, book));
  const response =
    particulars.response ?? (await writeContent(operation.response ?? ANY_JSON, `${name}Response`, book));
  return {
    operationId,
    tags: [tag],
    summary: summary ?? `${operation.method} ${path}`,
    description,
    parameters: [
      ...parameterNames(path).map((each) => describePathParameter(each, particulars.pathExamples?.[each])),
      ...(await describeParameters('query', operation.query)),
      ...(await describeParameters('header', operation.headers)),
    ],
    requestBody: operation.request && {
      required: operation.isBodyOptional !== true,
      content: toJson(request, particulars.bodyExample),
    },
    responses: {
      200: { description: 'The answer', content: toJson(response) },
      ...(await describeOthers(operation, `${name}Response`, book)),
      ...(await describeErrors(operation, protocol, book)),
    },
  };
}

/** Names of the parameters in a path. */
function parameterNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

/** `tensorflow-serving` and `/v1/models/{model}:predict` → `TensorflowServingPredict`. */
function proposeName(protocol: string, path: string): string {
  const words = path.split(/[/:]/).filter((word) => word !== '' && !word.startsWith('{'));
  return capitalize(`${protocol}-${words.at(-1) ?? ''}`);
}

/** The words of a text, each capitalised: `a-b/c` → `ABC`. */
export function capitalize(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** For operations that do not describe their answer. */
const ANY_JSON: Content = { 'application/json': null };

const FORM_SCHEMA = { type: 'object', required: ['file'], properties: { file: BYTES_SCHEMA } };

/** The content of media types without a schema. */
function schemaWithout(mediaType: string): Json {
  if (mediaType === 'multipart/form-data') return FORM_SCHEMA;
  return /^application\/(?:[\w.-]+\+)?json$/.test(mediaType) ? {} : BYTES_SCHEMA;
}

async function writeContent(
  content: Content | undefined,
  name: string,
  book: SchemaBook,
): Promise<MediaTypes> {
  const written: Record<string, MediaType> = {};
  for (const [type, source] of Object.entries(content ?? {})) {
    const schema = source && (await loadSchema(source));
    written[type] = schema
      ? { schema: book.refer(schema, name), example: exampleOf(schema) }
      : { schema: schemaWithout(type) };
  }
  return written;
}

function toJson(content: MediaTypes, bodyExample?: JsonValue): Json {
  const entries = Object.entries(content).map(([type, { schema, example }]): [string, Json] => [
    type,
    { schema, example: type === 'application/json' ? (bodyExample ?? example) : example },
  ]);
  return Object.fromEntries(entries);
}

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  model: 'Name of a model.',
  version: 'Version of the model.',
  label: 'Alias of a version of the model.',
};

function describePathParameter(name: string, example: string | undefined): Json {
  return {
    name,
    in: 'path',
    required: true,
    description: PATH_PARAMETERS[name],
    schema: { type: 'string' },
    example,
  };
}

async function describeParameters(
  where: 'query' | 'header',
  parameters: Readonly<Record<string, SchemaSource>> = {},
): Promise<Json[]> {
  const described: Json[] = [];
  for (const [name, source] of Object.entries(parameters)) {
    const schema = await loadSchema(source);
    const { description, examples: _examples, ...rest } = writeSchema(schema);
    const required = !schema.safeParse(undefined).success;
    described.push({ name, in: where, required, description, schema: rest, example: exampleOf(schema) });
  }
  return described;
}

async function describeOthers(
  { otherResponses = {} }: Operation,
  name: string,
  book: SchemaBook,
): Promise<Json> {
  const described: Record<string, Json> = {};
  for (const [status, content] of Object.entries(otherResponses)) {
    const description = `The answer with status ${status}`;
    described[status] = { description, content: toJson(await writeContent(content, name, book)) };
  }
  return described;
}

/** Errors have the same form for all clients, unless a route or its protocol has its own. */
async function describeErrors(operation: Operation, protocol: Protocol, book: SchemaBook): Promise<Json> {
  const own = [operation, protocol].find(({ encodeError }) => encodeError !== undefined);
  if (!own) {
    return {
      '4XX': { $ref: '#/components/responses/ClientError' },
      '5XX': { $ref: '#/components/responses/ServerError' },
    };
  }
  const name = `${capitalize(protocol.name)}Error`;
  const content = toJson(await writeContent(own.errorContent ?? ANY_JSON, name, book));
  return {
    '4XX': { description: CLIENT_ERROR, content },
    '5XX': { description: SERVER_ERROR, content },
  };
}

export const CLIENT_ERROR = 'The request is wrong and must be changed';
export const SERVER_ERROR = 'The server failed, or cannot answer now; `retry-after` says when to try again';
