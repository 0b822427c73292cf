import { afterAll, describe, expect, it } from 'vitest';
import { get, post } from '../../contracts/exchanges.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';

const SETOSA = [5.1, 3.5, 1.4, 0.2];
const NAMED = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
/** What version 1 of iris gives; version 2, which is live, gives logits. */
const FIRST = expect.objectContaining({ output_label: 'setosa' });
const LIVE = [7.113542, -1.969219, -9.984419];
const VERTEX = '/v1/projects/p/locations/l/endpoints';

const plain = openApp({ DEFAULT_MODEL: 'iris' });
const mapped = openApp({ DEFAULT_MODEL: 'iris', ENDPOINT_MODELS: 'blue=iris/1, 4711=iris/1, 42=digits' });
afterAll(async () => {
  await plain.close();
  await mapped.close();
});

async function ask(
  host: TestHost,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
) {
  const request = post(path, body);
  const answer = await host.send({ ...request, headers: { ...request.headers, ...headers } });
  return { status: answer.status, json: JSON.parse(answer.body.toString()) };
}

const vertex = (host: TestHost, endpoint: string) =>
  ask(host, `${VERTEX}/${endpoint}:predict`, { instances: [SETOSA] });
const container = (host: TestHost, path: string) =>
  ask(host, `/v1/endpoints/${path}:predict`, { instances: [SETOSA] });
const azure = (host: TestHost, query: string, deployment?: string) =>
  ask(
    host,
    `/score${query}`,
    { data: [SETOSA] },
    deployment === undefined ? {} : { 'azureml-model-deployment': deployment },
  );
const databricks = (host: TestHost, endpoint: string) =>
  ask(host, `/serving-endpoints/${endpoint}/invocations`, { dataframe_records: [NAMED] });
const ubiops = (host: TestHost, path: string) =>
  ask(host, `/v2.1/projects/p/deployments/${path}/requests`, NAMED);

describe('ENDPOINT_MODELS says which version of which model is meant', () => {
  it.each(['blue', '4711'])('by the endpoint %s of Vertex AI', async (endpoint) => {
    const { status, json } = await vertex(mapped, endpoint);
    expect([status, json.modelDisplayName, json.modelVersionId]).toEqual([200, 'iris', '1']);
    expect(json.predictions).toEqual([FIRST]);
    const described = JSON.parse((await mapped.send(get(`${VERTEX}/${endpoint}`))).body.toString());
    expect([described.displayName, described.trafficSplit]).toEqual([endpoint, { 1: 100 }]);
  });

  it('by ids that Vertex AI gives to a container', async () => {
    for (const path of ['4711/deployedModels/9', '9/deployedModels/4711', 'blue/deployedModels/9'])
      expect((await container(mapped, path)).json, path).toEqual({ predictions: [FIRST] });
  });

  it('but a version in the path of a container has priority, by its name or an alias', async () => {
    expect((await container(mapped, 'blue/deployedModels/2')).json).toEqual({ predictions: [LIVE] });
    expect((await container(plain, 'iris/deployedModels/1')).json).toEqual({ predictions: [FIRST] });
    expect((await container(plain, 'iris/deployedModels/77')).json).toEqual({ predictions: [LIVE] });
    expect((await container(plain, 'iris/deployedModels/old')).status).toBe(404);
  });

  it('by the deployment of Azure ML, or the model in the query', async () => {
    expect((await azure(mapped, '', 'blue')).json).toEqual([FIRST]);
    expect((await azure(mapped, '?model_name=blue')).json).toEqual([FIRST]);
    expect((await azure(mapped, '?model_name=iris', '1')).json).toEqual([FIRST]);
    expect((await azure(mapped, '?model_name=iris', 'blue')).json).toEqual([FIRST]);
    expect((await azure(mapped, '?model_name=blue', '2')).json).toEqual([LIVE]);
    expect((await azure(mapped, '?model_name=iris')).json).toEqual([LIVE]);
    expect((await azure(plain, '', '1')).json).toEqual([FIRST]);
  });

  it('by the endpoint of Databricks and the deployment of UbiOps', async () => {
    expect((await databricks(mapped, 'blue')).json).toEqual({ predictions: [FIRST] });
    expect((await ubiops(mapped, 'blue')).json).toMatchObject({
      deployment: 'iris',
      version: '1',
      success: true,
    });
    expect((await ubiops(mapped, 'blue/versions/2')).json).toMatchObject({
      deployment: 'iris',
      version: '2',
    });
  });
});

describe('an unknown name is not answered by another model', () => {
  it.each<[string, () => Promise<{ status: number; json: unknown }>]>([
    ['an endpoint of Vertex AI', () => vertex(plain, 'irsi')],
    ['one with digits in it', () => vertex(plain, 'iris2')],
    ['an endpoint in a container', () => container(plain, 'irsi/deployedModels/1')],
    ['a number, where others are known', () => vertex(mapped, '4712')],
    ['a number in a container, where others are known', () => container(mapped, '9/deployedModels/8')],
    ['a model of Azure ML', () => azure(plain, '?model_name=irsi')],
    ['a deployment of Azure ML', () => azure(mapped, '', 'green')],
    ['an endpoint of Databricks', () => databricks(plain, 'irsi')],
    ['a deployment of UbiOps', () => ubiops(plain, 'irsi')],
    ['a version of a deployment of UbiOps', () => ubiops(mapped, 'blue/versions/9')],
  ])('%s', async (_, send) => {
    const { status, json } = await send();
    expect([status, JSON.stringify(json)]).toEqual([404, expect.stringMatching(/no (?:model|version) /i)]);
  });

  it('is not described either', async () => {
    expect((await plain.send(get(`${VERTEX}/irsi`))).status).toBe(404);
    expect((await mapped.send(get(`${VERTEX}/4712`))).status).toBe(404);
  });

  it('but a number of Vertex AI means the default model, as there are only numbers', async () => {
    expect((await vertex(plain, '4711')).json).toMatchObject({
      predictions: [LIVE],
      modelDisplayName: 'iris',
    });
    expect((await container(plain, '1/deployedModels/2')).json).toEqual({ predictions: [LIVE] });
  });
});
