import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { raw } from '../../../contracts/exchanges.ts';
import { ask } from '../../../support/ask.ts';
import { INT64, identityModel } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { readRecording } from '../../../support/hosts/read-recording.ts';
import { serveModels } from '../../../support/serve-models.ts';

const B64 = readFileSync(join(import.meta.dirname, '../../../fixtures/digits/07-label-7.png')).toString(
  'base64',
);
const ROWS = { instances: [[5.1, 3.5, 1.4, 0.2]] };
const EVENT = { specversion: '1.0', id: '1', source: '/garden', type: 'flower' };
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const HEADERS = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/garden', 'ce-type': 'flower' };
const app = openApp({ MAX_JSON_DEPTH: '32' });
const sent = readRecording('kserve-v1');

const UUID = expect.stringMatching(/^[\da-f-]{36}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
const send = async (body: unknown, headers: Readonly<Record<string, string>>, model = 'iris') => {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return await ask(app, raw(`/v1/models/${model}:predict`, text, headers));
};

describe('an event in the body', () => {
  it('is answered with one', async () => {
    const { status, headers, json } = await ask(app, sent('structured event'));
    expect([status, headers['content-type']]).toEqual([200, 'application/cloudevents+json']);
    expect(json).toEqual({
      specversion: '1.0',
      id: UUID,
      source: 'io.kserve.inference.iris',
      type: 'io.kserve.inference.response',
      time: TIME,
      datacontenttype: 'application/json',
      data: { predictions: [[7.113542, -1.969219, -9.984419], expect.any(Array)] },
    });
  });

  it.each<[string, unknown]>([
    ['JSON', { data: ROWS }],
    ['text', { data: JSON.stringify(ROWS), datacontenttype: 'application/json' }],
    ['base64', { data_base64: Buffer.from(JSON.stringify(ROWS)).toString('base64') }],
  ])('brings the request as %s', async (_, payload) => {
    const { json } = await send({ ...EVENT, ...Object(payload) }, STRUCTURED);
    expect(json.data).toEqual({ predictions: [[7.113542, -1.969219, -9.984419]] });
  });

  it('brings an image', async () => {
    const event = { ...EVENT, datacontenttype: 'image/png', data_base64: B64 };
    const { json } = await send(event, STRUCTURED, 'digits');
    expect(json.data.predictions[0]).toHaveLength(10);
  });

  it('keeps all digits of whole numbers', async () => {
    const host = await serveModels({ m: identityModel(INT64, ['n']) });
    const body = JSON.stringify({ ...EVENT, data: {} }).replace('{}', '{"instances":[9007199254740993]}');
    const { text } = await ask(host, raw('/v1/models/m:predict', body, STRUCTURED));
    expect(text).toContain('"data":{"predictions":[9007199254740993]}');
  });

  it.each<[string, unknown, string]>([
    ['has no payload', EVENT, 'Field "data" is missing; expected the inference request in it.'],
    ['has no id', { ...EVENT, id: undefined, data: ROWS }, 'Field "id" is nothing; expected a text.'],
    [
      'has an empty source',
      { ...EVENT, source: '', data: ROWS },
      'Field "source" is the string ""; expected a text.',
    ],
    [
      'is of another version',
      { ...EVENT, specversion: '2.0', data: ROWS },
      'Field "specversion" is the string "2.0"; expected "1.0".',
    ],
    ['is not an object', [EVENT], 'The request is an array of 1; expected a CloudEvent.'],
    [
      'brings a wrong request',
      { ...EVENT, data: { instances: [[1]] } },
      'Input "features" has the shape [1,1]; expected [-1,4], where -1 is any size.',
    ],
    [
      'has a type with a line break',
      { ...EVENT, datacontenttype: 'text/csv\r\na: b', data: ROWS },
      'Field "datacontenttype" is the string "text/csv\\r\\na: b"; expected a media type.',
    ],
    [
      'brings invalid base64',
      { ...EVENT, data_base64: '*' },
      expect.stringMatching(/^Field "data_base64" is not base64/),
    ],
  ])('is refused as plain JSON when it %s', async (_, event, message) => {
    const { status, headers, json } = await send(event, STRUCTURED);
    expect([status, headers['content-type'], json.error]).toEqual([400, 'application/json', message]);
  });

  it('under the type of JSON is opened, but answered plainly, as KServe does', async () => {
    const event = { ...EVENT, time: '2026-01-02T03:04:05Z', data: ROWS };
    const { headers, json } = await send(event, { 'content-type': 'application/json' });
    expect(headers['content-type']).toBe('application/json');
    expect(json).toEqual({ predictions: [[7.113542, -1.969219, -9.984419]] });
  });

  it.each([
    ['application/cloudevents-batch+json', /^Batches of CloudEvents are not accepted; send one event as/],
    ['application/cloudevents+avro', /^The event format "application\/cloudevents\+avro" is not accepted/],
  ])('of the format %s is refused', async (type, message) => {
    const { status, json } = await send([EVENT], { 'content-type': type });
    expect([status, json.error]).toEqual([415, expect.stringMatching(message)]);
  });
});

describe('an event in headers', () => {
  it('is answered with one', async () => {
    const { status, headers, json } = await ask(app, sent('binary event'));
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': UUID,
      'ce-source': 'io.kserve.inference.iris',
      'ce-type': 'io.kserve.inference.response',
      'ce-time': TIME,
    });
    expect(json.predictions).toHaveLength(2);
  });

  it('is not there while a required one is missing', async () => {
    const { 'ce-id': _, ...rest } = HEADERS;
    const { status, headers } = await send(ROWS, rest);
    expect([status, headers['ce-id']]).toEqual([200, undefined]);
  });

  it('is refused when it is of another version', async () => {
    const { status, json } = await send(ROWS, { ...HEADERS, 'ce-specversion': '9' });
    expect([status, json.error]).toEqual([400, 'Header "ce-specversion" is the string "9"; expected "1.0".']);
  });

  it('is refused without headers of an event', async () => {
    const { status, headers } = await send({ instances: [] }, HEADERS);
    expect([status, headers['ce-id']]).toEqual([400, undefined]);
  });
});
