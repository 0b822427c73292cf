import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v1 } from '@google-cloud/aiplatform';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpServer, openHttpServer } from '../../../support/hosts/http-server.ts';
import { PROJECT } from '../../../support/project.ts';

const PNG = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png'));
const endpoint = (name: string) => `projects/p/locations/europe-west1/endpoints/${name}`;
const listOf = (...values: number[]) => ({
  listValue: { values: values.map((numberValue) => ({ numberValue })) },
});
const SETOSA = listOf(5.1, 3.5, 1.4, 0.2);
const V2 = { inputs: [{ name: 'features', shape: [1, 4], datatype: 'FP32', data: [5.1, 3.5, 1.4, 0.2] }] };

describe("Google's own client with only its address changed", () => {
  let server: HttpServer;
  let client: v1.PredictionServiceClient;

  beforeAll(async () => {
    server = await openHttpServer();
    client = new v1.PredictionServiceClient({
      fallback: true,
      protocol: 'http',
      apiEndpoint: '127.0.0.1',
      port: server.port,
      projectId: 'p',
      apiKey: 'none',
    });
  });

  afterAll(async () => {
    await client.close();
    await server.close();
  });

  it('gets predictions for instances, with the model that made them', async () => {
    const [answer] = await client.predict({ endpoint: endpoint('iris'), instances: [SETOSA, SETOSA] });
    expect(answer).toMatchObject({
      predictions: [
        { listValue: { values: [{ numberValue: expect.closeTo(7.1135, 3) }, {}, {}] } },
        { listValue: { values: [{ numberValue: expect.closeTo(7.1135, 3) }, {}, {}] } },
      ],
      deployedModelId: '2',
      model: 'projects/p/locations/europe-west1/models/iris',
      modelDisplayName: 'iris',
      modelVersionId: '2',
    });
  });

  it('gets the labels of an image from an endpoint whose number names no model', async () => {
    const content = { stringValue: PNG.toString('base64') };
    const [{ predictions, modelDisplayName }] = await client.predict({
      endpoint: endpoint('4611686018427387904'),
      instances: [{ structValue: { fields: { content } } }],
      parameters: { structValue: { fields: { maxPredictions: { numberValue: 1 } } } },
    });
    expect(modelDisplayName).toBe('digits');
    const one = (value: unknown) => ({ listValue: { values: [value] } });
    expect(predictions).toMatchObject([
      {
        structValue: {
          fields: {
            ids: one({ stringValue: '7' }),
            displayNames: one({ stringValue: '7' }),
            confidences: one({ numberValue: expect.closeTo(0.7923, 4) }),
          },
        },
      },
    ]);
  });

  it('sends any body with rawPredict, and gets its answer in one', async () => {
    const httpBody = { contentType: 'application/json', data: Buffer.from(JSON.stringify(V2)) };
    const [answer] = await client.rawPredict({ endpoint: endpoint('iris'), httpBody });
    expect(answer.contentType).toBe('application/json');
    expect(JSON.parse(String(answer.data))).toMatchObject({
      model_name: 'iris',
      outputs: [{ name: 'logits', shape: [1, 3] }],
    });
  });

  it('reads what is wrong with a request, and what is not supported', async () => {
    await expect(
      client.predict({ endpoint: endpoint('iris'), instances: [listOf(1, 2)] }),
    ).rejects.toMatchObject({
      code: 3,
      message: expect.stringContaining('has the shape [1,2]; expected [-1,4]'),
    });
    await expect(client.explain({ endpoint: endpoint('iris'), instances: [SETOSA] })).rejects.toMatchObject({
      code: 12,
    });
  });
});
