import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../shared/playground/outcome.ts';

function fail(status: number, text: string): ReturnType<typeof failureOf> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return failureOf({ status, text, json });
}

describe('the failure of an answer', () => {
  it('is not there when all went well', () => {
    expect(fail(200, '{"prediction": 1}')).toBeUndefined();
  });

  it('names code, message, field and request id of an error of Ternion', () => {
    const error = 'Field "features.petal_width" is 21; expected a number from 0 to 20 cm.';
    const body = { error, error_code: 'INVALID_PARAMETER_VALUE', code: 400, request_id: 'id-1' };
    expect(fail(400, JSON.stringify(body))).toEqual({
      title: '400 INVALID_PARAMETER_VALUE',
      message: error,
      field: 'features.petal_width',
      requestId: 'id-1',
    });
  });

  it('shows what a gateway in front says', () => {
    expect(fail(403, '{"message":"Forbidden"}')).toMatchObject({ title: '403', message: 'Forbidden' });
    expect(fail(502, '<h1>Bad Gateway</h1>\n')).toMatchObject({
      title: '502',
      message: '<h1>Bad Gateway</h1>',
    });
    expect(fail(401, '')).toMatchObject({ title: '401', message: 'The answer is empty.' });
    expect(fail(200, '<p>login</p>')).toMatchObject({ title: '200', message: '<p>login</p>' });
  });
});
