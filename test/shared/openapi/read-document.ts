import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import * as z from 'zod/mini';
import { get } from '../../contracts/exchanges.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';

const schema = z.record(z.string(), z.unknown());

const content = z.record(z.string(), z.looseObject({ schema, example: z.optional(z.unknown()) }));

const parameter = z.looseObject({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  schema,
  example: z.optional(z.unknown()),
});

const operation = z.looseObject({
  operationId: z.string(),
  tags: z.array(z.string()).check(z.length(1)),
  summary: z.string().check(z.minLength(1)),
  description: z.optional(z.string()),
  parameters: z.array(parameter),
  requestBody: z.optional(z.object({ required: z.boolean(), content })),
  responses: z.record(z.string(), z.looseObject({ content: z.optional(content) })),
});

const documentSchema = z.looseObject({
  openapi: z.literal('3.1.0'),
  info: z.looseObject({ version: z.string() }),
  servers: z.array(z.object({ url: z.string() })),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({
    schemas: z.record(z.string(), schema),
    responses: z.record(z.string(), z.looseObject({ content })),
  }),
});

export type OpenApi = z.infer<typeof documentSchema>;

export type DescribedOperation = z.infer<typeof operation>;

const listing = z.object({ models: z.array(z.object({ name: z.string() })) });

/** The document of a host, checked for the form that these tests need. All models are loaded first: others are not described. */
export async function readDocument(host: TestHost): Promise<OpenApi> {
  const { models } = listing.parse(JSON.parse((await host.send(get('/models'))).body.toString()));
  for (const { name } of models) await host.send(get(`/models/${name}`));
  const answer = await host.send(get('/openapi.json'));
  if (answer.status !== 200) throw new Error(answer.body.toString());
  return documentSchema.parse(JSON.parse(answer.body.toString()));
}

/** All operations of a document. */
export function listOperations({
  paths,
}: OpenApi): { path: string; method: string; operation: DescribedOperation }[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]) => ({
      path,
      method: method.toUpperCase(),
      operation: each,
    })),
  );
}

export interface Validator {
  /** What is wrong with a value by a schema of the document; '' when nothing is. */
  problems(schema: Readonly<Record<string, unknown>>, value: unknown): string;
  /** What is wrong with a schema itself, by JSON Schema 2020-12; '' when nothing is. */
  problemsOf(schema: Readonly<Record<string, unknown>>): string;
}

const ROOT = 'https://ternion.test/openapi.json';

/** A validator that finds what the schemas of a document refer to. */
export function createValidator(document: OpenApi): Validator {
  const ajv = new Ajv2020({ strict: false, formats: { binary: true } });
  ajv.addSchema(document, ROOT);
  const absolute = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('"$ref":"#/', `"$ref":"${ROOT}#/`));
  const compiled = new WeakMap<object, ValidateFunction>();
  return {
    problems: (given, value) => {
      const validate = compiled.get(given) ?? ajv.compile(schema.parse(absolute(given)));
      compiled.set(given, validate);
      return validate(value) ? '' : ajv.errorsText(validate.errors);
    },
    problemsOf: (given) => (ajv.validateSchema(given) === true ? '' : ajv.errorsText()),
  };
}

/** The schema of a request or answer in JSON. */
export function jsonSchemaOf(given: z.infer<typeof content> | undefined): z.infer<typeof schema> {
  const found = given?.['application/json']?.schema;
  if (!found) throw new Error('there is no JSON');
  return found;
}
