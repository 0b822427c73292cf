import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLambdaHandler } from '../../../functions/aws/handler.ts';
import { createTestHost } from '../../support/hosts/in-process.ts';
import { invocationOf } from '../../support/lambda-invocation.ts';
import { PROJECT } from '../../support/project.ts';
import { WHOLE_EVENTS } from '../../support/whole-events.ts';

const context = invocationOf('invoke-id');
const handler = createLambdaHandler(createTestHost());
const SETOSA = JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] });
const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/03-label-3.png'));

describe('a direct invoke', () => {
  it('predicts from a plain payload and answers a plain value', async () => {
    expect(await handler({ features: [5.1, 3.5, 1.4, 0.2] }, context)).toMatchObject({
      prediction: 'setosa',
      model: 'iris',
      model_version: '2',
    });
  });

  it('takes the model and the version from the payload', async () => {
    const payload = { model: 'iris', version: 1, instances: [[5.1, 3.5, 1.4, 0.2]] };
    expect(await handler(payload, context)).toMatchObject({
      model_version: '1',
      predictions: [{ prediction: 'setosa' }],
    });
  });

  it.each([
    [{ model: 'iris', features: [5.1, 3.5, 1.4, 0.2], foo: 1 }, { prediction: 'setosa' }],
    [{ instances: [[5.1, 3.5, 1.4, 0.2]], session_id: 'a' }, { predictions: [{ prediction: 'setosa' }] }],
    [
      { model: 'iris', inputs: { features: [[5.1, 3.5, 1.4, 0.2]] } },
      { code: 400, error: expect.stringMatching(/^The request brings tensors/) },
    ],
    [
      { model: 'iris', table: { sepal_length: [5.1] } },
      { code: 400, error: expect.stringMatching(/sepal_width/) },
    ],
    [{ text: 'hello' }, { code: 400, error: expect.stringMatching(/no model takes such input/) }],
  ])('recognises %j as one', async (payload, answer) => {
    expect(await handler(payload, context)).toMatchObject(answer);
  });

  it('reads an image in base64', async () => {
    expect(await handler({ image: PNG.toString('base64') }, context)).toMatchObject({ prediction: '3' });
  });

  it.each([
    ['a model without an input', { model: 'iris' }, /"features" is missing/],
    ['two inputs', { features: [1], text: 'a' }, /has "features" and "text"/],
    ['a feature that is not a number', { features: [5.1, 'x', 1.4, 0.2] }, /"features\[1\]" \(sepal_width\)/],
    ['an unknown model', { model: 'rose', features: [1] }, /no model "rose"/],
    ['a model name that climbs', { model: '../iris', features: [1] }, /no model "..\/iris"/],
    [
      'a model name that a path would swallow',
      { model: '..', features: [1] },
      /"model" is ".."; expected the name/,
    ],
    ['a version without a model', { version: '1', features: [1] }, /"version" needs the field "model"/],
    [
      'a model that is not a name',
      { model: {}, features: [1] },
      /"model" is {}; expected the name of a model/,
    ],
  ])('answers %s with an error value', async (_, payload, text) => {
    expect(await handler(payload, context)).toMatchObject({
      error: expect.stringMatching(text),
      request_id: 'invoke-id',
    });
  });
});

describe('an event with everything that its source sends', () => {
  it.each(Object.entries(WHOLE_EVENTS))('of %s carries JSON and an image', async (_, event) => {
    const json = await handler({ ...event, body: SETOSA, isBase64Encoded: false }, context);
    expect(readBody(json)).toMatchObject({ prediction: 'setosa' });
    const image = await handler({ ...event, body: PNG.toString('base64'), isBase64Encoded: true }, context);
    expect(readBody(image)).toMatchObject({ prediction: '3' });
  });

  it('gets a JSON 404 with the request id of the platform, if there is one', async () => {
    const alb = await handler({ ...WHOLE_EVENTS['a load balancer'], path: '/nothing/' }, context);
    expect(readBody(alb)).toMatchObject({
      error_code: 'ENDPOINT_NOT_FOUND',
      code: 404,
      request_id: 'invoke-id',
    });
    const v2 = await handler({ ...WHOLE_EVENTS['a function URL'], rawPath: '/nothing' }, context);
    expect(readBody(v2)).toMatchObject({ code: 404, request_id: 'platform-id' });
  });
});

function readBody(result: unknown): unknown {
  const { body, isBase64Encoded }: { body?: unknown; isBase64Encoded?: unknown } = Object(result);
  expect(isBase64Encoded).toBe(false);
  return JSON.parse(String(body));
}
