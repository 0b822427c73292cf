import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceClient } from '@huggingface/inference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FLOAT, identityModel } from '../../../support/build-model.ts';
import { type HttpServer, openHttpServer } from '../../../support/hosts/http-server.ts';
import { makeRepository } from '../../../support/make-repository.ts';
import { PROJECT } from '../../../support/project.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const TABLE = {
  petal_width: ['0.2', '2.5'],
  petal_length: ['1.4', '6.0'],
  sepal_width: ['3.5', '3.3'],
  sepal_length: ['5.1', '6.3'],
};
const TOP_FIVE = [
  { label: '7', score: expect.closeTo(0.7923, 4) },
  { label: '2', score: expect.closeTo(0.1108, 4) },
  { label: '0', score: expect.any(Number) },
  { label: '8', score: expect.any(Number) },
  { label: '9', score: expect.any(Number) },
];

describe("Hugging Face's client for JavaScript with only its address changed", () => {
  let server: HttpServer;
  const client = (path: string) => new InferenceClient(undefined, { endpointUrl: server.url + path });

  beforeAll(async () => {
    server = await openHttpServer();
  });

  afterAll(async () => {
    await server.close();
  });

  it.each([
    ['of a typed Blob', new Blob([PNG], { type: 'image/png' })],
    ['of a Blob without a type', new Blob([PNG])],
  ])('gets the five best labels %s', async (_, inputs) => {
    expect(await client('').imageClassification({ inputs })).toEqual(TOP_FIVE);
    expect(await client('/models/digits').imageClassification({ inputs })).toEqual(TOP_FIVE);
  });

  it('gets as many labels as the query string of its address says', async () => {
    const inputs = new Blob([PNG]);
    expect(await client('/hf/digits?top_k=2').imageClassification({ inputs })).toEqual(TOP_FIVE.slice(0, 2));
  });

  it('gets the numbers of classes for a table, as it takes no texts', async () => {
    const answer = await client('/hf/iris').tabularClassification({ inputs: { data: TABLE } });
    expect(answer).toEqual([0, 2]);
  });

  it('gets the numbers of a regression', async () => {
    const onnx = identityModel(FLOAT, ['n', 1]);
    const config = { task: 'tabular-regression', features: [{ name: 'weight' }] };
    const folder = await makeRepository({ fish: { onnx, config } });
    const own = await openHttpServer({ MODEL_REPOSITORY: folder });
    const fish = new InferenceClient(undefined, { endpointUrl: own.url });
    const inputs = { data: { weight: ['242', '1.5e1'] } };
    expect(await fish.tabularRegression({ inputs })).toEqual([242, 15]);
    await own.close();
  });

  it('stops for a model that cannot be loaded, instead of retrying forever', async () => {
    const folder = await makeRepository({ broken: { onnx: Buffer.from('no model') } });
    const own = await openHttpServer({ MODEL_REPOSITORY: folder });
    const broken = new InferenceClient(undefined, { endpointUrl: own.url });
    await expect(broken.imageClassification({ inputs: new Blob([PNG]) })).rejects.toMatchObject({
      message: expect.stringContaining('its model.onnx is not an ONNX file'),
      httpResponse: { status: 500 },
    });
    await own.close();
  });

  it('reads what is wrong with a request', async () => {
    const { sepal_length: _, ...rest } = TABLE;
    await expect(client('/hf/iris').tabularClassification({ inputs: { data: rest } })).rejects.toThrow(
      'Failed to perform inference: Field "inputs.data" has no column "sepal_length"; its columns are "petal_width", "petal_length", "sepal_width".',
    );
    await expect(client('/hf/rose').imageClassification({ inputs: new Blob([PNG]) })).rejects.toThrow(
      'There is no model "rose"',
    );
  });
});
