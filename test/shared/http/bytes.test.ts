import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { BytesRequest, BytesResponse, contentOf } from '../../../shared/http/bytes.ts';
import { rejectionOf } from '../../support/error-of.ts';

const URL = 'http://localhost/predict?x=1';

const MEMBERS_OF_REQUEST = [
  'body',
  'bodyUsed',
  'cache',
  'credentials',
  'destination',
  'integrity',
  'keepalive',
  'method',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
  'url',
] as const;
const MEMBERS_OF_RESPONSE = ['bodyUsed', 'ok', 'redirected', 'status', 'statusText', 'type', 'url'] as const;

/** Bytes in the middle of larger memory. */
function part(): Uint8Array {
  return Uint8Array.of(0, 1, 2, 3, 4, 5).subarray(2, 5);
}

describe('BytesRequest', () => {
  it('gives the memory it was made from, not a copy', async () => {
    const body = part();
    const request = new BytesRequest(URL, { method: 'POST', headers: new Headers() }, body);
    const bytes = await request.bytes();
    expect([bytes.buffer, bytes.byteOffset, bytes.byteLength]).toEqual([body.buffer, 2, 3]);
    expect([...bytes]).toEqual([2, 3, 4]);
    expect(bytes.buffer).toBe(body.buffer);
  });

  it('can be read more than once', async () => {
    const request = new BytesRequest(URL, { method: 'POST', headers: new Headers() }, part());
    expect(await request.bytes()).toEqual(await request.bytes());
  });

  it.each([
    '/predict',
    '/a/../b?x=1',
    '/a/./b',
    '/a/%2e%2E/b',
    '/a/.',
    '/..',
    '/a..b/.c',
    '//a//b',
    '/a b?c d',
    '/ä/ü?ö',
    '/a\\b',
    '/a%2fb%zz?%',
    '/?',
    '/a?b=c&d=../e#f',
    '/a"<>`{}|^[]?"<>\'',
    '/v1/models/iris:predict',
  ])('has the URL of %s like a built-in request', (target) => {
    const url = `http://localhost${target}`;
    const request = new BytesRequest(url, { method: 'GET', headers: new Headers() }, part());
    expect(request.url).toBe(new Request(url).url);
  });

  it('has all members of a built-in request, with the same values', () => {
    const request = new BytesRequest(URL, { method: 'GET', headers: new Headers() }, part());
    const built = new Request(URL);
    for (const key of MEMBERS_OF_REQUEST) expect([key, request[key]]).toEqual([key, built[key]]);
    expect(request.signal.aborted).toBe(false);
  });

  it('takes its URL, method and headers', () => {
    const headers = new Headers({ 'content-type': 'text/plain', 'x-twice': 'a' });
    headers.append('x-twice', 'b');
    const request = new BytesRequest(URL, { method: 'PUT', headers }, part());
    expect([request.url, request.method]).toEqual([URL, 'PUT']);
    expect(request.headers.get('content-type')).toBe('text/plain');
    expect(request.headers.get('x-twice')).toBe('a, b');
  });

  it.each(['TRACE', 'CONNECT', 'GET', 'BREW'])('takes the method %s, a body included', async (method) => {
    const request = new BytesRequest(URL, { method, headers: new Headers() }, part());
    expect(request.method).toBe(method);
    expect(await request.bytes()).toHaveLength(3);
  });

  it('copies bytes of shared memory, which no body may be', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(2)).fill(7);
    const request = new BytesRequest(URL, { method: 'POST', headers: new Headers() }, shared);
    const bytes = await request.bytes();
    expect([...bytes]).toEqual([7, 7]);
    expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
  });
});

describe('BytesResponse', () => {
  it('gives the memory it was made from, not a copy', async () => {
    const body = part();
    const bytes = await new BytesResponse(body, { status: 201 }).bytes();
    expect([bytes.byteOffset, bytes.byteLength]).toEqual([2, 3]);
    expect(bytes.buffer).toBe(body.buffer);
  });

  it('is a Response whose body can be read as any other', async () => {
    const make = () => new BytesResponse(Buffer.from('{"a":1}'), { status: 201, headers: { 'x-a': 'b' } });
    const response = make();
    expect([response.status, response.headers.get('x-a')]).toEqual([201, 'b']);
    expect(await make().text()).toBe('{"a":1}');
    expect(await make().json()).toEqual({ a: 1 });
    expect(Buffer.from(await make().arrayBuffer()).toString()).toBe('{"a":1}');
  });

  it.each([200, 204, 304, 404, 500])(
    'has with the status %i the members of a built-in response',
    (status) => {
      const response = new BytesResponse('', { status });
      const built = new Response(null, { status });
      for (const key of MEMBERS_OF_RESPONSE) expect([key, response[key]]).toEqual([key, built[key]]);
    },
  );

  it('may be a text, which is sent as UTF-8', async () => {
    const response = new BytesResponse('{"a":"ä"}', { headers: { 'content-type': 'application/json' } });
    expect(Buffer.from(await response.bytes()).toString()).toBe('{"a":"ä"}');
    expect([await response.text(), await response.json()]).toEqual(['{"a":"ä"}', { a: 'ä' }]);
    expect(await new Response(response.body).text()).toBe('{"a":"ä"}');
    expect(await contentOf(response)).toBe('{"a":"ä"}');
    expect(await response.clone().text()).toBe('{"a":"ä"}');
  });

  it('may be empty', async () => {
    const response = new BytesResponse(new Uint8Array(0), {});
    expect(await response.bytes()).toHaveLength(0);
    expect(await new BytesResponse(new Uint8Array(0), {}).text()).toBe('');
  });
});

describe('the other readers of a BytesRequest', () => {
  const headers = new Headers({ 'content-type': 'application/json' });
  const request = new BytesRequest('http://localhost/', { method: 'POST', headers }, Buffer.from('{"a":1}'));

  it('read the same bytes, any number of times', async () => {
    expect(await request.text()).toBe('{"a":1}');
    expect(await request.json()).toEqual({ a: 1 });
    expect(Buffer.from(await request.arrayBuffer()).toString()).toBe('{"a":1}');
    expect((await request.blob()).size).toBe(7);
    expect(await request.clone().text()).toBe('{"a":1}');
    expect(request.method).toBe('POST');
  });

  it('reject with the reason where there are no bytes', async () => {
    const reason = new InferenceError('TEMPORARILY_UNAVAILABLE', 'There is no room.');
    const unread = new BytesRequest('http://localhost/', { method: 'POST', headers }, reason);
    const reads = [
      unread.bytes(),
      unread.arrayBuffer(),
      unread.blob(),
      unread.formData(),
      unread.json(),
      unread.text(),
      unread.clone().bytes(),
    ];
    expect(await Promise.all(reads.map(rejectionOf))).toEqual(reads.map(() => reason));
  });
});
