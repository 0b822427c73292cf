import { describe, expect, it } from 'vitest';
import { InferenceError } from '../../../shared/errors.ts';
import { errorResponse, jsonResponse } from '../../../shared/http/respond.ts';

describe('jsonResponse', () => {
  it("is JSON of Ternion's own writer, its type without a charset", async () => {
    const response = jsonResponse({ map: new Map([['9', 1n]]), nan: Number.NaN }, 201, { 'x-a': 'b' });
    expect(response.status).toBe(201);
    expect([...response.headers]).toEqual([
      ['content-type', 'application/json'],
      ['x-a', 'b'],
    ]);
    expect(Buffer.from(await response.bytes()).toString()).toBe('{"map":{"9":1},"nan":null}');
  });
});

describe('errorResponse', () => {
  it('names the error, its code, its status and the request', async () => {
    const error = new InferenceError('MODEL_UNAVAILABLE', 'not now', {
      cause: new Error('/secret/path'),
      headers: { 'retry-after': '7' },
    });
    const response = errorResponse(error, 'request-1');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('7');
    expect(await response.json()).toEqual({
      error: 'not now',
      error_code: 'MODEL_UNAVAILABLE',
      code: 503,
      type: 'ServiceUnavailableException',
      message: 'not now',
      error_message: 'not now',
      request_id: 'request-1',
    });
  });
});
