import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { parseConfig } from '../../../shared/config.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { buildDocument } from '../../../shared/openapi/build-document.ts';
import { jsonArray, jsonObject } from '../../../shared/protocols/body/envelope.ts';
import type { Operation, Protocol } from '../../../shared/protocols/operation.ts';

const handle = () => new Response();

/** An operation with only what it must have. */
function operation(method: Operation['method'], path: string, more: Partial<Operation> = {}): Operation {
  return { method, path, handle, ...more };
}

async function build(
  operations: readonly Operation[],
  more: Partial<Protocol> = {},
  others: readonly Protocol[] = [],
) {
  const protocol = { name: 'made-up', description: 'For this test.', operations, ...more };
  const config = parseConfig({});
  const document = await buildDocument({
    protocols: [protocol, ...others],
    models: [],
    version: '1',
    config,
  });
  return JSON.parse(writeJson(document));
}

const named = z.object({ a: z.string() });

describe('a route', () => {
  it('is left out if it only refuses, and if it stands for many paths', async () => {
    const { paths } = await build([operation('ALL', '/a'), operation('GET', '/b/*'), operation('GET', '/c')]);
    expect(Object.keys(paths)).toEqual(['/c']);
  });

  it('is described by the first protocol that has it, with the names of its parameters', async () => {
    const second = {
      name: 'second',
      description: 'Another.',
      operations: [operation('GET', '/m/{name}'), operation('POST', '/m/{name}', { summary: 'Do' })],
    };
    const { paths } = await build([operation('GET', '/m/{model}', { summary: 'Look' })], {}, [second]);
    expect(Object.keys(paths)).toEqual(['/m/{model}']);
    const { get, post } = paths['/m/{model}'];
    expect([get.tags, get.summary, get.operationId]).toEqual([['made-up'], 'Look', 'getMByModel']);
    expect([post.tags, post.summary, post.operationId]).toEqual([['second'], 'Do', 'postMByModel']);
    expect(post.parameters).toMatchObject([{ name: 'model', in: 'path', required: true }]);
  });

  it('has its query and its headers as parameters, required where they must be there', async () => {
    const { get } = (
      await build([
        operation('GET', '/a', {
          query: {
            page: z
              .optional(z.int().check(z.minimum(1)))
              .register(z.globalRegistry, { description: 'Which.', examples: [2] }),
          },
          headers: { 'X-Must': () => z.enum(['yes', 'no']) },
        }),
      ])
    ).paths['/a'];
    expect(get.parameters).toEqual([
      {
        name: 'page',
        in: 'query',
        required: false,
        description: 'Which.',
        schema: { type: 'integer', minimum: 1 },
        example: 2,
      },
      { name: 'X-Must', in: 'header', required: true, schema: { type: 'string', enum: ['yes', 'no'] } },
    ]);
  });

  it('has a body that must be there unless it says otherwise', async () => {
    const request = { 'application/json': named };
    const { paths } = await build([
      operation('POST', '/a', { request }),
      operation('POST', '/b', { request, isBodyOptional: true }),
      operation('POST', '/c'),
    ]);
    expect(paths['/a'].post.requestBody.required).toBe(true);
    expect(paths['/b'].post.requestBody.required).toBe(false);
    expect(paths['/c'].post).not.toHaveProperty('requestBody');
  });

  it('describes plain bytes, forms and JSON without a schema', async () => {
    const request = {
      'text/csv': null,
      'image/*': null,
      'multipart/form-data': null,
      'application/x+json': null,
    };
    const { post } = (await build([operation('POST', '/a', { request })])).paths['/a'];
    const bytes = { type: 'string', format: 'binary' };
    expect(post.requestBody.content).toEqual({
      'text/csv': { schema: bytes },
      'image/*': { schema: bytes },
      'multipart/form-data': { schema: { type: 'object', required: ['file'], properties: { file: bytes } } },
      'application/x+json': { schema: {} },
    });
    expect(post.responses[200].content).toEqual({ 'application/json': { schema: {} } });
  });

  it('answers errors with the object for all clients, unless it or its protocol has its own', async () => {
    const encodeError = handle;
    const own = { encodeError, errorContent: { 'text/plain': null } };
    const { paths } = await build([operation('GET', '/a', own), operation('GET', '/b')], {}, [
      { name: 'second', description: 'x', operations: [operation('GET', '/c')], encodeError },
    ]);
    expect(paths['/a'].get.responses['4XX'].content).toEqual({
      'text/plain': { schema: { type: 'string', format: 'binary' } },
    });
    expect(paths['/b'].get.responses['5XX']).toEqual({ $ref: '#/components/responses/ServerError' });
    expect(paths['/c'].get.responses['5XX'].content).toEqual({ 'application/json': { schema: {} } });
  });

  it('describes answers with other statuses', async () => {
    const otherResponses = { 503: { 'application/json': named } };
    const { responses } = (await build([operation('GET', '/a', { otherResponses })])).paths['/a'].get;
    expect(responses[503].content['application/json'].schema.$ref).toBe(
      '#/components/schemas/MadeUpAResponse',
    );
  });
});

describe('a schema', () => {
  const contentOf = (schema: z.ZodMiniType, path = '/run') =>
    operation('POST', path, { request: { 'application/json': schema } });
  const schemaOf = (document: Awaited<ReturnType<typeof build>>, path = '/run') =>
    document.paths[path].post.requestBody.content['application/json'];

  it('appears once under its id, or under a name made of protocol and path', async () => {
    const withId = z.object({ b: z.string() }).register(z.globalRegistry, { id: 'Own' });
    const document = await build([
      contentOf(named, '/a/{x}:run'),
      contentOf(named, '/b'),
      contentOf(withId, '/c'),
    ]);
    expect(schemaOf(document, '/a/{x}:run').schema).toEqual({
      $ref: '#/components/schemas/MadeUpRunRequest',
    });
    expect(schemaOf(document, '/b').schema).toEqual(schemaOf(document, '/a/{x}:run').schema);
    expect(Object.keys(document.components.schemas).sort()).toEqual(['Error', 'MadeUpRunRequest', 'Own']);
    expect(document.components.schemas.Own).toEqual({
      type: 'object',
      properties: { b: { type: 'string' } },
      required: ['b'],
    });
  });

  it('gets a number where its name is taken', async () => {
    const document = await build([contentOf(named, '/x/run'), contentOf(z.object({ c: z.int() }), '/y/run')]);
    expect(schemaOf(document, '/y/run').schema.$ref).toBe('#/components/schemas/MadeUpRunRequest2');
  });

  it('inside others stands by itself when it has an id', async () => {
    const inner = z.object({ d: z.string() }).register(z.globalRegistry, { id: 'Inner' });
    const { components } = await build([contentOf(z.object({ list: z.array(inner) }))]);
    expect(components.schemas.MadeUpRunRequest.properties.list.items).toEqual({
      $ref: '#/components/schemas/Inner',
    });
    expect(components.schemas.Inner.properties).toEqual({ d: { type: 'string' } });
  });

  it('that says little is written where it is used', async () => {
    const document = await build([
      contentOf(jsonArray, '/a'),
      contentOf(z.object({ list: jsonArray, map: jsonObject }), '/b'),
    ]);
    expect(schemaOf(document, '/a').schema).toEqual({ type: 'array', items: {} });
    expect(document.components.schemas.MadeUpBRequest.properties).toEqual({
      list: { type: 'array', items: {} },
      map: { type: 'object' },
    });
  });

  it('gives its example to the place where it is used', async () => {
    const shown = named.clone().register(z.globalRegistry, { examples: [{ a: 'x' }, { a: 'y' }] });
    const document = await build([contentOf(shown)]);
    expect(schemaOf(document).example).toEqual({ a: 'x' });
    expect(document.components.schemas.MadeUpRunRequest).not.toHaveProperty('examples');
  });

  it('with transforms, or with checks beyond JSON Schema, is described by its input', async () => {
    const odd = z.object({
      at: z.pipe(
        z.string(),
        z.transform((text) => new Date(text)),
      ),
      any: z.custom<Date>(),
    });
    const { components } = await build([contentOf(odd)]);
    expect(components.schemas.MadeUpRunRequest.properties).toEqual({ at: { type: 'string' }, any: {} });
  });
});
