import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { createContext, createHost, type Host, requestUrl } from '../../functions/host.ts';
import { ConfigError } from '../../shared/config.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { prepareOwnCode } from '../../shared/own-requests.ts';
import type { AnswerRecord, OwnCode } from '../../shared/processors/own-code.ts';
import { defineConfig, PredictError } from '../../shared/processors/own-code.ts';
import { invalid } from '../../shared/processors/processor.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import { PAGES, PROJECT } from '../support/project.ts';

const hosts: Host[] = [];
afterAll(async () => {
  await Promise.all(hosts.map((host) => host.app.close()));
});

function serve(code: OwnCode, environment: Readonly<Record<string, string>> = {}) {
  const host = createHost({
    environment: { LOG_LEVEL: 'silent', ...environment },
    modelRepository: `${PROJECT}/models`,
    pagesFolder: PAGES,
    stores: { file: openFilesystemStore },
    own: prepareOwnCode(defineConfig(code)),
  });
  hosts.push(host);
  return async (method: string, path: string, body?: object, own: Readonly<Record<string, string>> = {}) => {
    const headers = new Headers({ ...(body && { 'content-type': 'application/json' }), ...own });
    const bytes = Buffer.from(body ? JSON.stringify(body) : '');
    const request = new BytesRequest(requestUrl(path), { method, headers }, bytes);
    const context = createContext(headers, 'id-1');
    const response = await host.app.fetch(request, context);
    await host.runWaitingWork(context);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      json: text === '' ? undefined : JSON.parse(text),
    };
  };
}

const FLOWER = { features: [5.1, 3.5, 1.4, 0.2] };

describe('own routes', () => {
  it('get the trace of their request, for requests to others', async () => {
    const traces: string[] = [];
    const ask = serve({
      routes: [
        {
          method: 'GET',
          path: '/trace',
          handle: (_, { traceparent }) => {
            traces.push(traceparent);
            return new Response('{}');
          },
        },
      ],
    });
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const caller = '00f067aa0ba902b7';
    await ask('GET', '/trace', undefined, { traceparent: `00-${trace}-${caller}-00` });
    expect(traces).toEqual([expect.stringMatching(`^00-${trace}-[\\da-f]{16}-00$`)]);
    expect(traces[0]).not.toContain(caller);
  });

  it('get the request, the parameters of the path, and the models', async () => {
    const ask = serve({
      routes: [
        {
          method: 'POST',
          path: '/customers/{id}/flower',
          summary: "Predict a customer's flower",
          handle: async (request, { params, requestId, predict }) => {
            const sent: unknown = await request.json();
            const { prediction } = await predict('iris', FLOWER);
            const { model_version: older } = await predict('iris/versions/1', FLOWER);
            return Response.json({ id: params.id, requestId, sent, prediction, older });
          },
        },
      ],
    });
    const { status, json, headers } = await ask('POST', '/customers/c%2F7/flower', { a: 1 });
    expect([status, json]).toEqual([
      200,
      { id: 'c/7', requestId: 'id-1', sent: { a: 1 }, prediction: 'setosa', older: '1' },
    ]);
    expect(headers.get('x-request-id')).toBe('id-1');
    expect((await ask('GET', '/customers/7/flower')).status).toBe(405);
    const document = (await ask('GET', '/openapi.json')).json;
    expect(document.paths['/customers/{id}/flower'].post.summary).toBe("Predict a customer's flower");
    expect((await ask('POST', '/models/iris/predict', FLOWER)).json.prediction).toBe('setosa');
  });

  it('go before those of Ternion', async () => {
    const ask = serve({ routes: [{ method: 'GET', path: '/ping', handle: () => Response.json('mine') }] });
    expect((await ask('GET', '/ping')).json).toBe('mine');
  });

  it('answer as the model does when they do not handle its error', async () => {
    const ask = serve({
      routes: [
        {
          method: 'GET',
          path: '/wrong',
          handle: async (_, { predict }) => Response.json(await predict('iris', { features: [1] })),
        },
        {
          method: 'GET',
          path: '/handled',
          handle: async (_, { predict }) => {
            try {
              return Response.json(await predict('nope', FLOWER));
            } catch (error) {
              if (!(error instanceof PredictError)) throw error;
              return Response.json({ status: error.status, code: error.code }, { status: 418 });
            }
          },
        },
      ],
    });
    const wrong = await ask('GET', '/wrong');
    expect([wrong.status, wrong.json.error]).toEqual([
      400,
      expect.stringContaining('has 1 value; expected 4'),
    ]);
    expect(await ask('GET', '/handled')).toMatchObject({
      status: 418,
      json: { status: 404, code: 'RESOURCE_DOES_NOT_EXIST' },
    });
  });

  it.each<[string, () => Response, number, string]>([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      500,
      'The route "GET /bad" failed; the log of the server says why.',
    ],
    [
      'refuses',
      () => {
        throw invalid('q', 'is missing.');
      },
      400,
      'Field "q" is missing.',
    ],
    ['gives no Response', () => JSON.parse('{"a":1}'), 500, 'The route "GET /bad" returned no Response.'],
  ])('that %s are answered with an error', async (_, handle, status, error) => {
    const ask = serve({ routes: [{ method: 'GET', path: '/bad', handle }] });
    const answer = await ask('GET', '/bad');
    expect([answer.status, answer.json.error]).toEqual([status, error]);
    expect(JSON.stringify(answer.json)).not.toContain('secret');
  });

  it('must have a path', () => {
    const route = { method: 'GET' as const, path: 'hello', handle: () => new Response() };
    expect(() => serve({ routes: [route] })).toThrow(
      new ConfigError(
        'ternion.config.ts has the route "GET hello"; expected one of GET, POST, PUT, DELETE and a path that begins with /.',
      ),
    );
  });
});

describe('functions around requests', () => {
  it('run outermost first, and may change the request and the answer', async () => {
    const order: string[] = [];
    const ask = serve({
      middleware: [
        async (request, next) => {
          order.push('first');
          const response = await next(request);
          order.push('first again');
          return Response.json({ wrapped: await response.json() }, { status: 201 });
        },
        async (request, next) => {
          order.push('second');
          const changed = new Request(new URL('/models/iris/versions/1/predict', request.url), {
            method: 'POST',
            headers: request.headers,
            body: JSON.stringify(FLOWER),
          });
          return await next(changed);
        },
      ],
    });
    const { status, json, headers } = await ask('POST', '/anything', { x: 1 });
    expect([status, json.wrapped.prediction, json.wrapped.model_version]).toEqual([201, 'setosa', '1']);
    expect(headers.get('x-request-id')).toBe('id-1');
    expect(order).toEqual(['first', 'second', 'first again']);
  });

  it('may answer themselves, as for a key that is missing', async () => {
    const ask = serve({
      middleware: [
        (request, next) =>
          request.headers.get('x-key') === 'k'
            ? next(request)
            : Response.json({ error: 'no key' }, { status: 401 }),
      ],
    });
    expect(await ask('POST', '/models/iris/predict', FLOWER)).toMatchObject({
      status: 401,
      json: { error: 'no key' },
    });
  });

  it('get requests and answers as the Fetch standard has them', async () => {
    const ask = serve({
      middleware: [
        async (request, next) => {
          const body: unknown = await request.clone().json();
          const response = await next(new Request('http://localhost/models/iris/predict', request));
          response.headers.set('x-rows', JSON.stringify(body));
          return response;
        },
      ],
    });
    const { status, json, headers } = await ask('POST', '/elsewhere', FLOWER);
    expect([status, json.prediction, headers.get('x-rows')]).toEqual([200, 'setosa', JSON.stringify(FLOWER)]);
    expect(headers.get('content-type')).toBe('application/json');
  });

  it('that pass everything on change nothing', async () => {
    const ask = serve({ middleware: [(request, next) => next(request)] });
    expect(await ask('POST', '/models/iris/predict', FLOWER)).toMatchObject({
      status: 200,
      json: { prediction: 'setosa' },
    });
    expect((await ask('GET', '/ping')).status).toBe(200);
    expect((await ask('TRACE', '/ping')).status).toBe(405);
    expect((await ask('OPTIONS', '/predict')).status).toBe(204);
  });

  it('that throw are answered with 500, and the log has the model', async () => {
    const records: AnswerRecord[] = [];
    const ask = serve({
      middleware: [
        async (request, next) => {
          await next(request);
          throw new Error('secret');
        },
      ],
      onAnswer: (record) => void records.push(record),
    });
    const { status, json } = await ask('POST', '/models/iris/predict', FLOWER);
    expect([status, json.error]).toEqual([
      500,
      'The function "middleware" failed; the log of the server says why.',
    ]);
    expect(records).toMatchObject([{ status: 500, errorCode: 'PROCESSOR_FAILED', model: 'iris' }]);
  });
});

describe('onAnswer', () => {
  it('gets what the log line has, after the answer', async () => {
    const records: AnswerRecord[] = [];
    const ask = serve({
      onAnswer: async (record) => {
        await wait(1);
        records.push(record);
      },
    });
    await ask('POST', '/models/iris/predict', { instances: [FLOWER, FLOWER] });
    await ask('POST', '/models/iris/predict', { features: 'x' });
    await ask('GET', '/nothing');
    expect(records).toEqual([
      {
        requestId: 'id-1',
        method: 'POST',
        path: '/models/iris/predict',
        status: 200,
        errorCode: undefined,
        model: 'iris',
        modelVersion: '2',
        instances: 2,
        coldStart: expect.any(Boolean),
        durationMs: expect.any(Number),
        runMs: expect.any(Number),
      },
      expect.objectContaining({ status: 400, errorCode: 'INVALID_PARAMETER_VALUE', model: 'iris' }),
      expect.objectContaining({ status: 404, errorCode: 'ENDPOINT_NOT_FOUND', model: undefined }),
    ]);
  });

  it('that fails does not change the answer', async () => {
    const ask = serve({
      onAnswer: () => {
        throw new Error('secret');
      },
    });
    expect((await ask('POST', '/models/iris/predict', FLOWER)).status).toBe(200);
  });
});
