import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { buildModel, buildNode, FLOAT, identityModel, STRING, tensorValue } from '../support/build-model.ts';
import { serveModels } from '../support/serve-models.ts';
import { testLimits } from '../support/test-budget.ts';
import { ask } from './protocols/sagemaker/ask.ts';

/** The default limits of a server; other tests have small ones. */
const limits = testLimits();
const USUAL = {
  MAX_BODY_BYTES: String(limits.bodyBytes),
  MAX_IMAGE_PIXELS: String(limits.imagePixels),
  MAX_BATCH_SIZE: String(limits.batchSize),
  MAX_JSON_DEPTH: String(limits.jsonDepth),
};
const JSON_TYPE = { 'content-type': 'application/json' };
const matrix = identityModel(FLOAT, ['n', 4]);
/** Returns only the sum of its input, so that only the request is large. */
const sum = buildModel({
  nodes: [buildNode('ReduceSum', ['x'], ['y'])],
  inputs: [tensorValue('x', FLOAT, ['n', 4])],
  outputs: [tensorValue('y', FLOAT, ['a', 'b'])],
});
const texts = buildModel({
  nodes: [buildNode('Shape', ['x'], ['y'])],
  inputs: [tensorValue('x', STRING, ['n'])],
  outputs: [tensorValue('y', 7, ['r'])],
});

describe('a large honest request is answered', () => {
  it('a million rows of four numbers in nested lists', async () => {
    const host = await serveModels({ sum }, USUAL);
    const body = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1000000,4],"data":[${'[5.1,3.5,1.4,0.2],'.repeat(999_999)}[5.1,3.5,1.4,0.2]]}]}`;
    const { status, body: answer } = await ask(host, '/v2/models/sum/infer', body, JSON_TYPE);
    expect([status, JSON.parse(answer.toString()).outputs[0].data[0]]).toEqual([
      200,
      expect.closeTo(10_200_000, -5),
    ]);
  });

  it('four million numbers in one list, some of them NaN, compressed', async () => {
    const host = await serveModels({ sum }, USUAL);
    const data = `${'0.25,'.repeat(3_999_999)}NaN`;
    const body = gzipSync(`{"inputs":[{"name":"x","datatype":"FP32","shape":[1000000,4],"data":[${data}]}]}`);
    const answer = await ask(host, '/v2/models/sum/infer', body, {
      ...JSON_TYPE,
      'content-encoding': 'gzip',
    });
    expect([answer.status, JSON.parse(answer.body.toString()).outputs[0].data]).toEqual([200, [null]]);
  });

  it('thirty megabytes of zeros in binary, compressed a thousandfold', async () => {
    const host = await serveModels({ sum }, USUAL);
    const shape = [1_900_000, 4];
    const head = Buffer.from(
      JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP32', shape, parameters: { binary_data_size: 30_400_000 } }],
      }),
    );
    const body = gzipSync(Buffer.concat([head, Buffer.alloc(30_400_000)]), { level: 9 });
    expect(body.length).toBeLessThan(40_000);
    const { status, body: answer } = await ask(host, '/v2/models/sum/infer', body, {
      'content-encoding': 'gzip',
      'inference-header-content-length': String(head.length),
    });
    expect([status, JSON.parse(answer.toString()).outputs[0].data]).toEqual([200, [0]]);
  });

  it('half a million texts', async () => {
    const host = await serveModels({ texts }, USUAL);
    const data = `${'"Oslo",'.repeat(499_999)}"Rome"`;
    const body = `{"inputs":[{"name":"x","datatype":"BYTES","shape":[500000],"data":[${data}]}]}`;
    const { status, body: answer } = await ask(host, '/v2/models/texts/infer', body, JSON_TYPE);
    expect([status, JSON.parse(answer.toString()).outputs[0].data]).toEqual([200, [500_000]]);
  });

  it('sixteen megabytes of text, and no more', async () => {
    const host = await serveModels({ texts }, USUAL);
    const send = async (count: number) => {
      const data = `${`"${'ä'.repeat(500)}",`.repeat(count - 1)}"Rome"`;
      const body = `{"inputs":[{"name":"x","datatype":"BYTES","shape":[${count}],"data":[${data}]}]}`;
      const { status, body: answer } = await ask(host, '/v2/models/texts/infer', body, JSON_TYPE);
      return [status, JSON.parse(answer.toString())];
    };
    expect(await send(16_778)).toEqual([200, expect.objectContaining({ model_name: 'texts' })]);
    expect(await send(16_779)).toEqual([
      413,
      expect.objectContaining({
        error:
          'Input "x" brings the texts of the request to more than 16777216 bytes, the limit (half of MAX_BODY_BYTES).',
      }),
    ]);
  });

  it('two hundred thousand rows of CSV, and their answers', async () => {
    const host = await serveModels({ matrix }, USUAL);
    const body = '5.1,3.5,1.4,0.2\n'.repeat(200_000);
    const csv = { 'content-type': 'text/csv', accept: 'text/csv' };
    const { status, body: answer } = await ask(host, '/models/matrix/invoke', body, csv);
    expect([status, answer.toString() === body]).toEqual([200, true]);
  });

  it('an answer of two million numbers in JSON', async () => {
    const host = await serveModels({ matrix }, USUAL);
    const body = `{"inputs":{"x":[${'[5.1,3.5,1.4,0.2],'.repeat(499_999)}[5.1,3.5,1.4,0.2]]}}`;
    const { status, body: answer } = await ask(host, '/models/matrix/predict', body, JSON_TYPE);
    expect([status, JSON.parse(answer.toString()).outputs.y.length]).toEqual([200, 500_000]);
  });

  it('a batch of a thousand named rows with two hundred features each', async () => {
    const names = Array.from({ length: 200 }, (_, index) => `feature_${index}`);
    const wide = buildModel({
      nodes: [buildNode('Identity', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 200])],
      outputs: [tensorValue('y', FLOAT, ['n', 200])],
    });
    const host = await serveModels({ wide }, USUAL, {
      wide: { task: 'tabular-regression', features: names.map((name) => ({ name })) },
    });
    const row = Object.fromEntries(names.map((name, index) => [name, index / 7]));
    const body = JSON.stringify({ instances: new Array(1000).fill(row) });
    const { status, body: answer } = await ask(host, '/models/wide/predict', body, JSON_TYPE);
    expect([status, JSON.parse(answer.toString()).predictions.length]).toEqual([200, 1000]);
  });

  it('a photo of twelve megapixels, and fifty small ones in a form', async () => {
    const host = await serveModels({}, { ...USUAL, MODEL_REPOSITORY: 'models' });
    const photo = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: '#7a5' } })
      .jpeg()
      .toBuffer();
    const type = { 'content-type': 'image/jpeg' };
    expect((await ask(host, '/models/digits/predict', photo, type)).status).toBe(200);
    const small = await sharp(photo).resize(224).png().toBuffer();
    const boundary = 'x'.repeat(30);
    const part = Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n`),
      small,
      Buffer.from('\r\n'),
    ]);
    const form = Buffer.concat([...new Array<Buffer>(50).fill(part), Buffer.from(`--${boundary}--\r\n`)]);
    const sent = await ask(host, '/models/digits/predict', form, {
      'content-type': `multipart/form-data; boundary=${boundary}`,
    });
    expect([sent.status, JSON.parse(sent.body.toString()).predictions.length]).toEqual([200, 50]);
  });
});
