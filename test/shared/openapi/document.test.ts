import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../shared/config.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import { loadProtocols } from '../../../shared/protocols/operation.ts';
import { createProtocols } from '../../../shared/protocols/protocols.ts';
import { VERSION } from '../../../shared/version.ts';
import { badExchanges, get, post, raw } from '../../contracts/exchanges.ts';
import { TEST_ENVIRONMENT } from '../../support/hosts/environment.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import { makeInference } from '../../support/make-inference.ts';
import { NO_PAGES } from '../../support/no-pages.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { SILENT_MONITORING } from '../../support/silent-monitoring.ts';
import {
  createValidator,
  type DescribedOperation,
  jsonSchemaOf,
  listOperations,
  type OpenApi,
  readDocument,
  type Validator,
} from './read-document.ts';

/** Routes that TorchServe shares with others: the first route that fits answers. */
const AMBIGUOUS = ['and `/{model}/predict`', 'and `/{model}/{version}/predict`'];

/** The example of a regression needs a model that the examples of this project do not have. */
const UNANSWERED = /:regress$/;

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const TASK = { inputs: PNG.toString('base64') };

/** Values of parameters that some routes need. */
const QUERY: Readonly<Record<string, string>> = { name: 'iris' };

/** Some routes need the key of the server. */
const ADMIN = { authorization: `Bearer ${TEST_ENVIRONMENT.ADMIN_KEY}` };

const app = openApp();
let document: OpenApi;
let validator: Validator;

beforeAll(async () => {
  document = await readDocument(app);
  validator = createValidator(document);
});

describe('the document', () => {
  it('passes the strictest rules of a linter', async () => {
    const config = await createConfig({ extends: ['recommended-strict'] });
    const source = JSON.stringify(document);
    const all = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    const problems = all.filter(({ message }) => !AMBIGUOUS.some((path) => message.includes(path)));
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual(
      [],
    );
  });

  it('holds only valid schemas', () => {
    const contents = listOperations(document).flatMap(({ operation }) => [
      ...Object.values(operation.requestBody?.content ?? {}),
      ...Object.values(operation.responses).flatMap(({ content = {} }) => Object.values(content)),
      ...operation.parameters,
    ]);
    const schemas = [...Object.values(document.components.schemas), ...contents.map(({ schema }) => schema)];
    expect(schemas.length).toBeGreaterThan(100);
    expect(schemas.map((schema) => validator.problemsOf(schema)).filter(Boolean)).toEqual([]);
  });

  it('has every route of every protocol, except those that only refuse', async () => {
    const { inference } = makeInference(MODELS);
    const logger = createLogger('silent', () => undefined);
    const protocols = await loadProtocols(
      createProtocols({
        inference,
        config: parseConfig({ ADMIN_KEY: TEST_ENVIRONMENT.ADMIN_KEY }),
        version: VERSION,
        logger,
        monitoring: SILENT_MONITORING,
        pages: NO_PAGES,
      }),
    );
    const routes = protocols.flatMap(({ operations }) =>
      operations
        .filter(({ method, isLegacy }) => method !== 'ALL' && !isLegacy)
        .map(({ method, path }) => `${method} ${shapeOf(path)}`),
    );
    const described = listOperations(document)
      .filter(({ operation }) => operation.tags[0] !== 'models')
      .map(({ method, path }) => `${method} ${shapeOf(path)}`);
    expect(routes.length).toBeGreaterThan(30);
    expect(described.sort()).toEqual([...new Set(routes)].sort());
    expect(document.tags.map(({ name }) => name)).toEqual(['models', ...protocols.map(({ name }) => name)]);
  });

  it('calls each operation by a name of its own that does not change', async () => {
    const names = listOperations(document).map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(
      expect.arrayContaining(['predict-iris', 'infer-digits', 'getRoot', 'postV1ModelsByModelPredict']),
    );
    expect(await readDocument(openApp())).toEqual(document);
  });

  it('says its version, and that paths are relative to its own address', () => {
    expect(document.info.version).toBe(VERSION);
    expect(document.servers).toEqual([{ url: '.' }]);
  });

  it('leaves out protocols that are switched off, with their routes for each model', async () => {
    const host = openApp({ PROTOCOLS: 'open-inference' });
    const { paths, tags } = await readDocument(host);
    expect(tags.map(({ name }) => name)).toEqual(['models', 'metrics', 'catalog', 'open-inference']);
    expect(Object.keys(paths).filter((path) => path.includes('predict'))).toEqual([]);
    expect(paths).toHaveProperty(['/v2/models/iris/infer']);
  });
});

describe('an example of the document', () => {
  it('is valid by its schema', () => {
    const media = listOperations(document).flatMap(({ operation }) =>
      Object.values(operation.requestBody?.content ?? {}),
    );
    const examples = [...media, ...errorsOf(document)].filter(({ example }) => example !== undefined);
    expect(examples.length).toBeGreaterThanOrEqual(10);
    expect(
      examples.map(({ schema, example }) => validator.problems(schema, example)).filter(Boolean),
    ).toEqual([]);
  });

  it('is answered with 200, and as its operation says', async () => {
    let sent = 0;
    for (const { path, operation } of listOperations(document)) {
      const example = operation.requestBody?.content['application/json']?.example;
      const target = fillPath(path, operation);
      if (example === undefined || target === undefined || UNANSWERED.test(path)) continue;
      await expectDescribed(operation, post(target, example));
      sent += 1;
    }
    expect(sent).toBeGreaterThanOrEqual(9);
  });
});

describe('an answer', () => {
  it('to each GET is what the document says', async () => {
    const gets = listOperations(document).filter(({ method }) => method === 'GET');
    for (const { path, operation } of gets) {
      const target = fillPath(path, operation);
      const needed = operation.parameters.filter((each) => each.in === 'query' && each.required);
      const query = new URLSearchParams(needed.map(({ name }) => [name, QUERY[name] ?? '']));
      if (target === undefined) continue;
      await expectDescribed(operation, {
        ...get(needed.length > 0 ? `${target}?${query}` : target),
        headers: ADMIN,
      });
    }
    expect(gets.length).toBeGreaterThan(15);
  });

  it('to a client of TorchServe that asks for a model is described as well', async () => {
    const operation = listOperations(document).find(({ path }) => path === '/models/{model}')?.operation;
    if (!operation) throw new Error('the document has no /models/{model}');
    await expectDescribed(operation, get('/models/iris?customized=true'));
  });

  it.each([
    ["of Hugging Face at Ternion's route", '/models/{model}/predict', post('/models/digits/predict', TASK)],
    ["of Hugging Face at a model's route", '/models/digits/predict', post('/models/digits/predict', TASK)],
    [
      "of KServe at TorchServe's route",
      '/predictions/{model}',
      post('/predictions/iris', { instances: [{ data: [5.1, 3.5, 1.4, 0.2] }] }),
    ],
    [
      'of an image at rawPredict',
      '/v1/projects/{project}/locations/{location}/endpoints/{endpoint}:rawPredict',
      raw('/v1/projects/p/locations/l/endpoints/digits:rawPredict', PNG, { 'content-type': 'image/png' }),
    ],
  ])('to a request %s is described', async (_, path, request) => {
    const found = listOperations(document).find((each) => each.method === 'POST' && each.path === path);
    if (!found) throw new Error(`the document has no ${path}`);
    await expectDescribed(found.operation, request);
  });

  it('to a method that UbiOps does not have is 405', async () => {
    const path = '/v2.1/projects/p/deployments/iris/requests';
    const statusOf = async (method: string) => (await app.send({ ...get(path), method })).status;
    expect(await Promise.all(['PUT', 'DELETE', 'PATCH', 'TRACE'].map(statusOf))).toEqual([
      405, 405, 405, 405,
    ]);
    expect(await statusOf('GET')).toBe(501);
  });

  it('that refuses a request holds the error object and nothing else', async () => {
    const error = { $ref: '#/components/schemas/Error', unevaluatedProperties: false };
    for (const { request, title } of await badExchanges()) {
      const { body } = await app.send(request);
      expect(validator.problems(error, JSON.parse(body.toString())), title).toBe('');
    }
    expect(validator.problems(error, { error: 'no' })).toContain('error_code');
  });
});

/** Paths that differ in the names of their parameters alone are one. */
function shapeOf(path: string): string {
  return path.replaceAll(/\{\w+\}/g, '{}');
}

function errorsOf({ components }: OpenApi) {
  return Object.values(components.responses).flatMap(({ content }) => Object.values(content));
}

/** The path with the examples of its parameters; undefined where one has none. */
function fillPath(path: string, { parameters }: DescribedOperation): string | undefined {
  const filled = parameters
    .filter((parameter) => parameter.in === 'path' && parameter.example !== undefined)
    .reduce((text, { name, example }) => text.replace(`{${name}}`, String(example)), path);
  return filled.includes('{') ? undefined : filled;
}

/** Tags whose answers are described completely: a member that the document does not describe is a mistake. */
const OWN_TAGS = ['models', 'catalog', 'ternion', 'open-inference'];

async function expectDescribed(operation: DescribedOperation, request: Parameters<typeof app.send>[0]) {
  const answer = await app.send(request);
  expect(answer.status, `${request.path}: ${answer.body}`).toBe(200);
  const content = operation.responses[200]?.content;
  expect(Object.keys(content ?? {})).toContain(answer.headers['content-type']);
  if (answer.headers['content-type'] !== 'application/json') return;
  const schema = jsonSchemaOf(content);
  const isOwn = OWN_TAGS.includes(operation.tags[0] ?? '');
  const whole = isOwn ? { ...schema, unevaluatedProperties: false } : schema;
  expect(validator.problems(whole, JSON.parse(answer.body.toString())), request.path).toBe('');
}
