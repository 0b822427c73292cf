import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApp } from '../support/hosts/in-process.ts';
import type { TestHost, TestResponse } from '../support/hosts/test-host.ts';
import { PAGES, PROJECT } from '../support/project.ts';
import { badExchanges, type Exchange, form, get, goodExchanges, post, raw } from './exchanges.ts';

const goodOnes = await goodExchanges();
const badOnes = await badExchanges();

const IRIS_ROW = { name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] };

/** In what a host may differ from others. */
interface Differences {
  /** Titles of requests that it answers itself, or whose answers it changes. */
  readonly answersItself?: readonly string[];
  /** Whether it compresses answers itself, so that bytes differ. */
  readonly compressesItself?: boolean;
}

/** What any host of the app must do. Its answers are compared with those of the app without a host. */
export function describeHttpHost(
  name: string,
  open: () => Promise<TestHost> | TestHost,
  { answersItself = [], compressesItself = false }: Differences = {},
): void {
  describe(name, () => {
    const isForApp = ({ title }: Exchange) => !answersItself.includes(title);
    let host: TestHost;
    const app = openApp();
    beforeAll(async () => {
      host = await open();
    });
    afterAll(async () => {
      await host?.close();
      await app.close();
    });

    it.each(goodOnes.filter(isForApp))('answers $title', async (exchange) => {
      await check(exchange, await host.send(exchange.request), await app.send(exchange.request));
    });

    it.each(badOnes.filter(({ title }) => !answersItself.includes(title)))(
      'refuses $title',
      async (exchange) => {
        const response = await host.send(exchange.request);
        await check(exchange, response, await app.send(exchange.request));
        const { error, request_id: requestId } = JSON.parse(response.body.toString());
        expect(error).toMatch(exchange.error ?? /./);
        expect(requestId).toBe(response.headers['x-request-id']);
        expect(response.body.toString()).not.toMatch(/node_modules|\/tmp|\.ts\b|\.js\b|at async/);
      },
    );

    it.each(['text/csv', 'application/jsonlines', 'application/x-npy', 'application/x-npz'])(
      'hands over answers of type %s byte by byte',
      async (accept) => {
        const headers = { 'content-type': 'text/csv', accept };
        const request = raw('/endpoints/iris/invocations', '5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5', headers);
        const [response, expected] = [await host.send(request), await app.send(request)];
        expect([response.status, response.headers['content-type']]).toEqual([200, accept]);
        expect(response.headers['x-amzn-invoked-production-variant']).toBe('2');
        expect(response.body.equals(expected.body)).toBe(true);
      },
    );

    it('hands over the bytes of tensors after JSON whose type ends in +json', async () => {
      const outputs = [{ name: 'logits', parameters: { binary_data: true } }];
      const body = JSON.stringify({ inputs: [IRIS_ROW], outputs });
      const request = raw('/endpoints/iris/invocations', body, {
        'content-type': `application/vnd.sagemaker-triton.binary+json;json-header-size=${body.length}`,
      });
      const [response, expected] = [await host.send(request), await app.send(request)];
      expect([response.status, response.headers['content-type']]).toEqual([
        200,
        expect.stringMatching(/^application\/vnd\.sagemaker-triton\.binary\+json;json-header-size=\d+$/),
      ]);
      // The JSON has an id of its own; the three floats after it are the same.
      expect(response.body.subarray(-12).equals(expected.body.subarray(-12))).toBe(true);
      expect(response.body.length).toBe(expected.body.length);
    });

    it('hands over the errors of a protocol with their own statuses and headers', async () => {
      const request = raw('/endpoints/iris/invocations', '5.1', { 'content-type': 'text/csv' });
      const response = await host.send(request);
      expect([response.status, response.headers['x-amzn-errortype']]).toEqual([424, 'ModelError']);
      expect(JSON.parse(response.body.toString())).toMatchObject({ OriginalStatusCode: 400 });
    });

    it('echoes a harmless request id and replaces any other', async () => {
      const send = async (id: string) => {
        const request = post('/predict', { features: [5.1, 3.5, 1.4, 0.2] });
        return (await host.send({ ...request, headers: { ...request.headers, 'x-request-id': id } })).headers[
          'x-request-id'
        ];
      };
      expect(await send('client-42')).toBe('client-42');
      expect(await send('"><script>')).toMatch(/^[\w-]+$/);
    });

    it('brings the page of the documentation with its files, compressed as they were built', async () => {
      const page = await host.send(get('/docs'));
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.headers['content-security-policy']).toContain("default-src 'none'");
      const built = readFileSync(join(PAGES, 'swagger-ui-bundle.js.br'));
      const ask = (coding: string) =>
        host.send({ ...get('/docs/swagger-ui-bundle.js'), headers: { 'accept-encoding': coding } });
      const script = await ask('gzip');
      expect(script.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(script.body).equals(brotliDecompressSync(built))).toBe(true);
      // A host that compresses itself does not know about the file.
      if (compressesItself) return;
      const small = await ask('gzip, br');
      expect(small.headers['content-encoding']).toBe('br');
      expect(small.body.equals(built)).toBe(true);
    });

    it('reads the reference label of all 20 digits as base64, as a form and raw', async () => {
      const folder = join(PROJECT, 'test/fixtures/digits');
      const files = readdirSync(folder).filter((file) => file.endsWith('.png'));
      expect(files).toHaveLength(20);
      for (const file of files) {
        const png = readFileSync(join(folder, file));
        const label = /label-(\d)/.exec(file)?.[1];
        const requests = [
          post('/models/digits/predict', { image: png.toString('base64') }),
          form('/models/digits/predict', 'file', png),
          raw('/models/digits/predict', png, { 'content-type': 'image/png' }),
        ];
        for (const request of requests) {
          const { prediction } = JSON.parse((await host.send(request)).body.toString());
          expect(prediction, file).toBe(label);
        }
      }
    });
  });
}

const WITHOUT_BODY = [204, 304];

async function check(exchange: Exchange, response: TestResponse, expected: TestResponse): Promise<void> {
  expect(response.status, response.body.toString()).toBe(exchange.status);
  expect(response.headers).toMatchObject(exchange.headers ?? {});
  expect(response.headers['content-type']).toBe(
    exchange.type ?? (WITHOUT_BODY.includes(exchange.status) ? undefined : 'application/json'),
  );
  if (exchange.json) expect(JSON.parse(response.body.toString())).toMatchObject(exchange.json);
  if (exchange.type) expect(response).toMatchObject({ ...expected, headers: exchange.headers ?? {} });
  else expect(comparable(response)).toEqual(comparable(expected));
}

/** The answer without what differs from call to call. */
function comparable({ status, body }: TestResponse): unknown {
  const {
    inference_time_ms: _time,
    request_id: _id,
    models: _states,
    ...rest
  } = body.length > 0 ? JSON.parse(body.toString()) : {};
  return { status, ...rest };
}
