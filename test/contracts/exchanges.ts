import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { TEST_ENVIRONMENT } from '../support/hosts/environment.ts';
import type { TestRequest } from '../support/hosts/test-host.ts';
import { PROJECT } from '../support/project.ts';

/** One request and what every host must answer to it. */
export interface Exchange {
  readonly title: string;
  readonly request: TestRequest;
  readonly status: number;
  /** Members of the JSON answer. */
  readonly json?: Readonly<Record<string, unknown>>;
  /** What the error text says. */
  readonly error?: RegExp;
  readonly headers?: Readonly<Record<string, string>>;
  /** Content-Type of an answer that is not JSON. */
  readonly type?: string;
}

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const BASE64 = PNG.toString('base64');
const SETOSA = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const IS_SETOSA = { prediction: 'setosa', class_id: 0, model: 'iris', model_version: '2' };
const IS_SEVEN = { prediction: '7', class_id: 7, model: 'digits', model_version: '1' };
/** Not a JSON type: event sources that pass JSON on as text would damage the bytes before a function sees them. */
const GZIP = { 'content-type': 'application/octet-stream', 'content-encoding': 'gzip' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** What a browser sends when an address is typed in. */
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8' };

/** Requests that succeed. */
export async function goodExchanges(): Promise<Exchange[]> {
  return [
    good('features as a list', post('/predict', { features: SETOSA }), IS_SETOSA),
    good('features by name', post('/predict', { features: NAMED }), IS_SETOSA),
    good('a named model', post('/models/iris/predict', { features: SETOSA }), IS_SETOSA),
    good('a trailing slash', post('/models/iris/predict/', { features: SETOSA }), IS_SETOSA),
    good('a named version', post('/models/iris/versions/1/predict', { features: SETOSA }), {
      model_version: '1',
      prediction: 'setosa',
    }),
    good('a query string', post('/predict?a=1&a=2&b=%20x', { features: SETOSA }), IS_SETOSA),
    good(
      'JSON as curl -d sends it',
      raw('/predict', JSON.stringify({ features: SETOSA }), {
        'content-type': 'application/x-www-form-urlencoded',
      }),
      IS_SETOSA,
    ),
    good('JSON without a type', raw('/predict', JSON.stringify({ features: SETOSA }), {}), IS_SETOSA),
    good(
      'JSON with a charset',
      raw('/predict', JSON.stringify({ features: SETOSA }), {
        'content-type': 'application/json; charset=utf-8',
      }),
      IS_SETOSA,
    ),
    good('a gzip body', raw('/predict', gzipSync(JSON.stringify({ features: SETOSA })), GZIP), IS_SETOSA),
    good('an image as a form', form('/predict', 'file', PNG), IS_SEVEN),
    good('an image as a form, without a file name', form('/predict', 'file', PNG, ''), IS_SEVEN),
    good('an image as the body', raw('/predict', PNG, { 'content-type': 'image/png' }), IS_SEVEN),
    good('an image without a type', raw('/predict', PNG, {}), IS_SEVEN),
    good(
      'an image called octet-stream',
      raw('/predict', PNG, { 'content-type': 'application/octet-stream' }),
      IS_SEVEN,
    ),
    good('an image called by another type', raw('/predict', PNG, { 'content-type': 'image/jpeg' }), IS_SEVEN),
    good(
      'a JPEG',
      raw('/predict', await sharp(PNG).resize(64).jpeg({ quality: 95 }).toBuffer(), {
        'content-type': 'image/jpeg',
      }),
      IS_SEVEN,
    ),
    good('base64', post('/predict', { image: BASE64 }), IS_SEVEN),
    good('base64 as a data URI', post('/predict', { image: `data:image/png;base64,${BASE64}` }), IS_SEVEN),
    good('URL-safe base64 without padding', post('/predict', { image: PNG.toString('base64url') }), IS_SEVEN),
    good(
      'base64 with line breaks',
      post('/predict', { image: BASE64.replace(/.{20}/g, '$&\r\n') }),
      IS_SEVEN,
    ),
    good('HEAD of a page', { method: 'HEAD', path: '/health', headers: {}, body: Buffer.alloc(0) }),
    good('health', get('/health'), { status: 'ok' }),
    good('the index', get('/'), { name: 'Ternion', models: ['digits', 'iris'] }),
    ...pageExchanges(),
    good('the models', get('/models')),
    good('the description', get('/openapi.json'), { openapi: '3.1.0', servers: [{ url: '.' }] }),
    good('one model', get('/models/iris'), {
      name: 'iris',
      version: '2',
      versions: ['1', '2'],
      labels: ['setosa', 'versicolor', 'virginica'],
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }],
    }),
    good('one version', get('/models/iris/versions/1'), {
      version: '1',
      outputs: [
        { name: 'output_label', datatype: 'BYTES', shape: [-1] },
        { name: 'output_probability', datatype: 'FP32', shape: [-1, 3] },
      ],
    }),
    {
      title: 'OPTIONS',
      request: { ...get('/predict'), method: 'OPTIONS' },
      status: 204,
      headers: { allow: 'POST, OPTIONS' },
    },
  ];
}

/** The playground, for those who ask for a page. */
function pageExchanges(): Exchange[] {
  const request = { ...get('/'), headers: BROWSER };
  const headers = { vary: 'accept', 'cache-control': 'no-cache', 'referrer-policy': 'no-referrer' };
  const page = { request, status: 200, type: 'text/html; charset=utf-8', headers };
  return [
    { ...page, title: 'the playground to a browser' },
    { ...page, title: 'HEAD of the playground', request: { ...request, method: 'HEAD' } },
    {
      ...page,
      title: 'the playground compressed',
      request: { ...request, headers: { ...BROWSER, 'accept-encoding': 'gzip, br' } },
      headers: { ...headers, vary: 'accept, accept-encoding', 'content-encoding': 'gzip' },
    },
    {
      title: 'that the playground is still the same',
      request: { ...request, headers: { ...BROWSER, 'if-none-match': '*' } },
      status: 304,
      headers,
    },
    { ...good('the index to a program', get('/'), { name: 'Ternion' }), headers: { vary: 'accept' } },
  ];
}

/** Requests that fail. */
export async function badExchanges(): Promise<Exchange[]> {
  const bomb = await sharp({ create: { width: 1100, height: 1000, channels: 3, background: '#000' } })
    .png()
    .toBuffer();
  const instances = new Array(51).fill(SETOSA);
  return [
    bad(
      'malformed JSON',
      raw('/predict', '{"features":[5.1,', JSON_TYPE),
      400,
      'BAD_REQUEST',
      /not valid JSON.*line 1, column 18/,
    ),
    bad('an empty body', raw('/predict', '', JSON_TYPE), 400, 'BAD_REQUEST', /body is empty/),
    bad('invalid UTF-8', raw('/predict', Buffer.from([0x7b, 0xff, 0x7d]), {}), 400, 'BAD_REQUEST', /UTF-8/),
    bad(
      'deep JSON',
      raw('/predict', '['.repeat(9) + ']'.repeat(9), JSON_TYPE),
      400,
      'BAD_REQUEST',
      /8 levels/,
    ),
    bad(
      'no features',
      post('/models/iris/predict', {}),
      400,
      'INVALID_PARAMETER_VALUE',
      /"features" is missing/,
    ),
    bad(
      'two inputs',
      post('/predict', { features: SETOSA, image: BASE64 }),
      400,
      'INVALID_PARAMETER_VALUE',
      /only one/,
    ),
    bad(
      'a wrong length',
      post('/models/iris/predict', { features: [1, 2, 3] }),
      400,
      'INVALID_PARAMETER_VALUE',
      /"features" has 3 values; expected 4 numbers \(sepal_length, /,
    ),
    bad(
      'a wrong type',
      post('/models/iris/predict', { features: [5.1, 3.5, 'x', 0.2] }),
      400,
      'INVALID_PARAMETER_VALUE',
      /"features\[2\]" \(petal_length\) is the string "x"; expected a number/,
    ),
    bad(
      'NaN',
      raw('/models/iris/predict', '{"features":[5.1,NaN,1.4,0.2]}', JSON_TYPE),
      400,
      'INVALID_PARAMETER_VALUE',
      /"features\[1\]" \(sepal_width\) is NaN/,
    ),
    bad(
      'a value out of range',
      post('/models/iris/predict', { features: [5.1, 3.5, 1.4, 21] }),
      400,
      'INVALID_PARAMETER_VALUE',
      /"features\[3\]" \(petal_width\) is 21; expected a number from 0 to 20 cm/,
    ),
    bad(
      'an unknown feature',
      post('/models/iris/predict', { features: { ...NAMED, colour: 1 } }),
      400,
      'INVALID_PARAMETER_VALUE',
      /unknown features "colour"/,
    ),
    bad(
      'a missing feature',
      post('/models/iris/predict', { features: { sepal_length: 5 } }),
      400,
      'INVALID_PARAMETER_VALUE',
      /lacks "sepal_width", "petal_length", "petal_width"/,
    ),
    bad(
      'a bad row of a batch',
      post('/predict', { instances: [SETOSA, [1]] }),
      400,
      'INVALID_PARAMETER_VALUE',
      /"instances\[1\]" has 1 value/,
    ),
    bad(
      'an empty batch',
      post('/predict', { instances: [] }),
      400,
      'INVALID_PARAMETER_VALUE',
      /"instances" is empty/,
    ),
    bad(
      'too large a batch',
      post('/predict', { instances }),
      413,
      'PAYLOAD_TOO_LARGE',
      /51 instances; the limit is 50/,
    ),
    bad(
      'too large a body',
      raw('/predict', Buffer.alloc(200_001, 32), JSON_TYPE),
      413,
      'PAYLOAD_TOO_LARGE',
      /200000 bytes/,
    ),
    bad(
      'a gzip bomb',
      raw('/predict', gzipSync(Buffer.alloc(5_000_000, 32)), GZIP),
      413,
      'PAYLOAD_TOO_LARGE',
      /200000 bytes/,
    ),
    bad('damaged gzip', raw('/predict', 'not gzip', GZIP), 400, 'BAD_REQUEST', /not valid gzip/),
    bad(
      'an unknown coding',
      raw('/predict', 'x', { ...JSON_TYPE, 'content-encoding': 'zstd' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /"zstd" is not accepted; accepted codings are gzip, deflate, br/,
    ),
    bad(
      'a wrong media type',
      raw('/predict', 'a,b', { 'content-type': 'text/csv' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /"text\/csv" is not accepted; accepted types are application\/json, multipart\/form-data, image\/jpeg/,
    ),
    bad(
      'bytes that are nothing',
      raw('/predict', Buffer.from([1, 2, 3]), {}),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /neither JSON nor an image/,
    ),
    bad(
      'text called an image',
      raw('/predict', 'hello', { 'content-type': 'image/png' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /not an image/,
    ),
    bad(
      'SVG',
      raw('/predict', '<svg xmlns="http://www.w3.org/2000/svg"/>', { 'content-type': 'image/svg+xml' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /image\/svg\+xml; accepted types are image\/jpeg/,
    ),
    bad(
      'SVG called PNG',
      post('/predict', { image: Buffer.from('<?xml version="1.0"?><svg/>').toString('base64') }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      /image\/svg\+xml/,
    ),
    bad(
      'a truncated image',
      raw('/predict', PNG.subarray(0, 80), { 'content-type': 'image/png' }),
      400,
      'INVALID_PARAMETER_VALUE',
      /truncated or damaged/,
    ),
    bad(
      'too many pixels',
      raw('/predict', bomb, { 'content-type': 'image/png' }),
      413,
      'PAYLOAD_TOO_LARGE',
      /more than 1000000 pixels/,
    ),
    bad(
      'text that is not base64',
      post('/predict', { image: 'a*b' }),
      400,
      'INVALID_PARAMETER_VALUE',
      /"image" is not base64: unexpected "\*" at position 1/,
    ),
    bad(
      'a number for an image',
      post('/predict', { image: 7 }),
      400,
      'INVALID_PARAMETER_VALUE',
      /"image" is the number 7/,
    ),
    bad(
      'a form without the file',
      form('/predict', 'picture', PNG),
      400,
      'INVALID_PARAMETER_VALUE',
      /no field "file" \(its fields: "picture"\)/,
    ),
    bad(
      'a broken form',
      raw('/predict', 'x', { 'content-type': 'multipart/form-data; boundary=b' }),
      400,
      'BAD_REQUEST',
      /multipart\/form-data/,
    ),
    bad(
      'an image for a model of features',
      raw('/models/iris/predict', PNG, { 'content-type': 'image/png' }),
      400,
      'INVALID_PARAMETER_VALUE',
      /this model takes features/,
    ),
    bad(
      'features for an image model',
      post('/models/digits/predict', { features: SETOSA }),
      400,
      'INVALID_PARAMETER_VALUE',
      /this model takes an image/,
    ),
    bad(
      'tensors no model takes',
      post('/predict', { inputs: [[1]] }),
      400,
      'BAD_REQUEST',
      /The models are: digits, iris/,
    ),
    bad(
      'an unknown model',
      post('/models/rose/predict', { features: SETOSA }),
      404,
      'RESOURCE_DOES_NOT_EXIST',
      /"rose"; the models are: digits, iris/,
    ),
    bad(
      'an unknown version',
      post('/models/iris/versions/9/predict', { features: SETOSA }),
      404,
      'RESOURCE_DOES_NOT_EXIST',
      /no version "9"; its versions are 1, 2/,
    ),
    bad('an unknown page', get('/nothing/here'), 404, 'ENDPOINT_NOT_FOUND', /nothing at "\/nothing\/here"/),
    bad('a favicon', get('/favicon.ico'), 404, 'ENDPOINT_NOT_FOUND', /favicon/),
    bad(
      'a climb out of the folder',
      get('/models/..%2f..%2fetc'),
      404,
      'RESOURCE_DOES_NOT_EXIST',
      /no model/,
    ),
    bad('a bad escape', get('/models/%E0%A4%A'), 404, 'RESOURCE_DOES_NOT_EXIST', /no model/),
    ...['DELETE registered-models/delete', 'PATCH registered-models/update'].map((call) => {
      const [method = '', route = ''] = call.split(' ');
      const body = post(`/api/2.0/mlflow/${route}`, { name: 'nobody' });
      const headers = { ...body.headers, authorization: `Bearer ${TEST_ENVIRONMENT.ADMIN_KEY}` };
      return bad(
        `the body of ${method}`,
        { ...body, method, headers },
        404,
        'RESOURCE_DOES_NOT_EXIST',
        /no registered model "nobody"/,
      );
    }),
    {
      ...bad(
        'a wrong method',
        { ...get('/predict'), method: 'DELETE' },
        405,
        'METHOD_NOT_ALLOWED',
        /DELETE is not allowed/,
      ),
      headers: { allow: 'POST, OPTIONS' },
    },
    {
      ...bad('GET of a POST route', get('/predict'), 405, 'METHOD_NOT_ALLOWED', /GET is not allowed/),
      headers: { allow: 'POST, OPTIONS' },
    },
    {
      ...bad('POST of a page', post('/health', {}), 405, 'METHOD_NOT_ALLOWED', /POST is not allowed/),
      headers: { allow: 'GET, HEAD, OPTIONS' },
    },
  ];
}

export function get(path: string): TestRequest {
  return { method: 'GET', path, headers: {}, body: Buffer.alloc(0) };
}

export function post(path: string, body: unknown): TestRequest {
  return raw(path, JSON.stringify(body), JSON_TYPE);
}

export function raw(
  path: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
): TestRequest {
  return { method: 'POST', path, headers, body: Buffer.from(body) };
}

export function form(
  path: string,
  field: string,
  file: Buffer,
  fileName = '; filename="my \\"x\\".png"',
): TestRequest {
  const boundary = '----ternion-boundary';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${field}"${fileName}\r\nContent-Type: image/png\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return raw(path, body, { 'content-type': `multipart/form-data; boundary=${boundary}` });
}

function good(title: string, request: TestRequest, json?: Exchange['json']): Exchange {
  return { title, request, status: 200, ...(json && { json }) };
}

function bad(title: string, request: TestRequest, status: number, code: string, error: RegExp): Exchange {
  return { title, request, status, json: { error_code: code, code: status }, error };
}
