import { afterAll, describe, expect, it } from 'vitest';
import { get } from '../../contracts/exchanges.ts';
import { openApp } from '../../support/hosts/in-process.ts';
import type { TestHost } from '../../support/hosts/test-host.ts';
import { makeRepository } from '../../support/make-repository.ts';

const VERTEX = '/v1/projects/p/locations/l/endpoints';
const UBIOPS = '/v2.1/projects/p';

const plain = openApp();
const mapped = openApp({ ENDPOINT_MODELS: 'blue=iris/1, 4711=digits, gone=tulips, old=iris/9' });
afterAll(async () => {
  await plain.close();
  await mapped.close();
});

async function read(host: TestHost, path: string, headers: Readonly<Record<string, string>> = {}) {
  const request = get(path);
  const answer = await host.send({ ...request, headers: { ...request.headers, ...headers } });
  return { status: answer.status, headers: answer.headers, json: JSON.parse(answer.body.toString()) };
}

/** Each list, with how its entries are named and where one of them is. */
const LISTS: readonly (readonly [string, string, (json: unknown) => readonly unknown[]])[] = [
  ['the gateway of MLflow', '/api/2.0/endpoints', namesWithin('endpoints', 'name')],
  ['Databricks', '/api/2.0/serving-endpoints', namesWithin('endpoints', 'name')],
  ['Vertex AI', VERTEX, namesWithin('endpoints', 'displayName')],
  ['UbiOps, as deployments', `${UBIOPS}/deployments`, namesOf('name')],
  ['UbiOps, as pipelines', `${UBIOPS}/pipelines`, namesOf('name')],
];

function namesOf(member: string) {
  return (json: unknown): readonly unknown[] => {
    const items: unknown[] = Array.isArray(json) ? json : [];
    return items.map((item) => Object.entries(item ?? {}).find(([key]) => key === member)?.[1]);
  };
}

function namesWithin(list: string, member: string) {
  return (json: unknown) => {
    const [, items] = Object.entries(json ?? {}).find(([key]) => key === list) ?? [];
    return namesOf(member)(items);
  };
}

describe.each(LISTS)('endpoints as %s lists them', (_, path, names) => {
  it('are the models by their names', async () => {
    const { status, json } = await read(plain, path);
    expect([status, names(json)]).toEqual([200, ['digits', 'iris']]);
  });

  it('begin with those of ENDPOINT_MODELS, without models that do not exist', async () => {
    const { json } = await read(mapped, path);
    expect(names(json)).toEqual(['blue', '4711', 'digits', 'iris']);
  });

  it('are answered one by one as well, with 404 for an unknown one', async () => {
    for (const name of ['blue', '4711', 'digits', 'iris']) {
      const { status, json } = await read(mapped, `${path}/${name}`);
      expect([status, JSON.stringify(json)]).toEqual([200, expect.stringContaining(`"${name}"`)]);
    }
    for (const name of ['gone', 'old', 'rose']) {
      const { status, json } = await read(mapped, `${path}/${name}`);
      expect([status, JSON.stringify(json)], name).toEqual([
        404,
        expect.stringMatching(/no (?:model|version) /),
      ]);
    }
  });

  it('load no model, and one of them loads it only for its fields', async () => {
    const host = openApp();
    await read(host, path);
    if (!path.startsWith(UBIOPS)) await read(host, `${path}/iris`);
    const { json } = await read(host, '/health');
    expect(json.models).toMatchObject([{ state: 'idle' }, { state: 'idle' }]);
    await host.close();
  });

  it('are listed with a model that cannot be loaded, and one whose config is broken', async () => {
    const folder = await makeRepository({
      broken: { onnx: Buffer.from('no model') },
      config: { onnx: Buffer.from('no model'), config: 'no json' },
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const { status, json } = await read(host, path);
    expect([status, names(json)]).toEqual([200, ['broken', 'config']]);
    await host.close();
  });
});

describe('an endpoint', () => {
  it("is described as MLflow's client reads it", async () => {
    expect((await read(mapped, '/api/2.0/endpoints/blue')).json).toEqual({
      name: 'blue',
      endpoint_type: 'tabular-classification',
      model: { name: 'iris', provider: 'ternion', version: '1' },
      endpoint_url: '/endpoints/blue/invocations',
      limit: null,
    });
  });

  it('is described as the SDKs of Databricks read it, with its address for the data plane', async () => {
    const { json, headers } = await read(mapped, '/api/2.0/serving-endpoints/blue', {
      host: 'models.example.org',
      'x-forwarded-proto': 'https',
    });
    const url = 'https://models.example.org/serving-endpoints/blue/invocations';
    expect(json).toMatchObject({
      name: 'blue',
      task: 'tabular-classification',
      state: { ready: 'READY', config_update: 'NOT_UPDATING' },
      config: {
        served_entities: [{ name: 'iris-1', entity_name: 'iris', entity_version: '1' }],
        traffic_config: { routes: [{ served_model_name: 'iris-1', traffic_percentage: 100 }] },
      },
      endpoint_url: url,
      data_plane_info: { query_info: { endpoint_url: url } },
    });
    expect(headers['cache-control']).toBe('no-store');
  });

  it('of Databricks is not ready after its model failed to load', async () => {
    const host = openApp({ MODEL_REPOSITORY: await makeRepository({ broken: { onnx: Buffer.from('no') } }) });
    await read(host, '/models/broken');
    const { json } = await read(host, '/api/2.0/serving-endpoints/broken');
    expect([json.state.ready, json.task]).toEqual(['NOT_READY', 'unknown']);
    await host.close();
  });

  it('cannot be changed, and has no metrics', async () => {
    for (const part of ['metrics', 'openapi', 'config']) {
      const { status, json } = await read(plain, `/api/2.0/serving-endpoints/iris/${part}`);
      expect([status, json.error_code]).toEqual([501, 'NOT_IMPLEMENTED']);
    }
  });
});

describe('endpoints of Vertex AI', () => {
  const listed = async (query: string, host = mapped) => {
    const { status, json } = await read(host, `${VERTEX}?${query}`);
    return [status, (json.endpoints ?? []).map((each: { displayName: string }) => each.displayName)];
  };

  it.each([
    ['display_name="blue"', ['blue']],
    ['displayName=blue', ['blue']],
    ['endpoint="4711"', ['4711']],
    ['display_name="none"', []],
    ['labels.team="a"', []],
    ['', ['blue', '4711', 'digits', 'iris']],
  ])('are filtered by %s', async (filter, names) => {
    expect(await listed(`filter=${encodeURIComponent(filter)}`)).toEqual([200, names]);
  });

  it('are not listed by a filter that is not supported', async () => {
    const { status, json } = await read(
      mapped,
      `${VERTEX}?filter=${encodeURIComponent('create_time>"2026"')}`,
    );
    expect([status, json.error]).toEqual([
      400,
      {
        code: 400,
        status: 'INVALID_ARGUMENT',
        message:
          'Parameter "filter" is "create_time>\\"2026\\""; expected display_name="..." or endpoint="...".',
      },
    ]);
  });

  it.each([
    ['GET', '/models'],
    ['GET', '/models/iris'],
    ['POST', '/models'],
    ['POST', '/batchPredictionJobs'],
  ])('are all there is below a location: %s %s', async (method, path) => {
    const request = get(`/v1/projects/p/locations/l${path}`);
    const answer = await plain.send({ ...request, method });
    expect([answer.status, JSON.parse(answer.body.toString()).error]).toEqual([
      501,
      { code: 501, status: 'UNIMPLEMENTED', message: expect.stringContaining('there are endpoints') },
    ]);
  });

  it.each([
    ['POST', '/endpoints'],
    ['DELETE', '/endpoints/iris'],
    ['PATCH', '/endpoints/iris'],
  ])('cannot be created or changed: %s %s', async (method, path) => {
    const request = get(`/v1/projects/p/locations/l${path}`);
    const answer = await plain.send({ ...request, method });
    expect([answer.status, answer.headers.allow, JSON.parse(answer.body.toString()).error]).toEqual([
      405,
      'GET, HEAD',
      {
        code: 405,
        status: 'UNIMPLEMENTED',
        message:
          'Endpoints are the models of the repository: they can be listed and read, and not be created or changed here.',
      },
    ]);
  });

  it.each(['deployModel', 'generateContent'])('know no %s', async (verb) => {
    const answer = await plain.send({ ...get(`${VERTEX}/iris:${verb}`), method: 'POST' });
    expect([answer.status, JSON.parse(answer.body.toString()).error.message]).toEqual([
      501,
      `Method ${verb} is not supported; use predict or rawPredict.`,
    ]);
  });

  it('come in pages', async () => {
    const { json } = await read(mapped, `${VERTEX}?pageSize=3`);
    expect(json.endpoints).toHaveLength(3);
    expect(await listed(`pageSize=3&pageToken=${json.nextPageToken}`)).toEqual([200, ['iris']]);
    expect((await read(mapped, `${VERTEX}?pageSize=0`)).status).toBe(400);
  });

  it('are private for the class that asks for it, with the version that answers first', async () => {
    const client = {
      'x-goog-api-client':
        'model-builder/2.7.0+top_google_constructor_method+google.cloud.aiplatform.models.PrivateEndpoint.__init__ gl-python/3.11.7',
    };
    const { json } = await read(plain, `${VERTEX}/iris`, { ...client, host: 'localhost:8080' });
    expect(json.network).toBe('projects/p/global/networks/default');
    expect(json.deployedModels).toMatchObject([
      {
        id: '2',
        privateEndpoints: {
          predictHttpUri: 'http://localhost:8080/v1/endpoints/iris/deployedModels/2:predict',
          healthHttpUri: 'http://localhost:8080/v1/endpoints/iris/deployedModels/2',
        },
      },
      { id: '1' },
    ]);
    const { json: usual } = await read(plain, `${VERTEX}/iris`);
    expect([usual.network, usual.deployedModels.map(({ id }: { id: string }) => id)]).toEqual([
      undefined,
      ['1', '2'],
    ]);
    expect(JSON.stringify(usual)).not.toContain('privateEndpoints');
  });
});

describe('UbiOps', () => {
  it('has a status, and a project of any name', async () => {
    expect((await read(plain, '/v2.1/status')).json).toEqual({ status: 'ok' });
    expect((await read(plain, '/v2.1/projects')).json).toMatchObject([{ name: 'default' }]);
    expect((await read(plain, '/v2.1/projects/mine')).json).toMatchObject({ name: 'mine' });
  });

  it.each([
    [
      'iris',
      ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name) => ({
        name,
        data_type: 'double',
      })),
      [{ name: 'logits', data_type: 'array_double' }],
    ],
    [
      'blue',
      expect.arrayContaining([{ name: 'petal_width', data_type: 'double' }]),
      [
        { name: 'output_label', data_type: 'string' },
        { name: 'output_probability', data_type: 'array_double' },
      ],
    ],
    ['4711', [{ name: 'image', data_type: 'string' }], [{ name: 'logits', data_type: 'array_double' }]],
  ])('says which fields the deployment %s has', async (name, inputs, outputs) => {
    for (const kind of ['deployments', 'pipelines']) {
      const { json } = await read(mapped, `${UBIOPS}/${kind}/${name}`);
      expect([json.name, json.project, json.input_fields, json.output_fields]).toEqual([
        name,
        'p',
        inputs,
        outputs,
      ]);
    }
  });

  it('has versions; one of them answers if the request names none', async () => {
    const versionsOf = async (host: TestHost, name: string) => {
      const { json } = await read(host, `${UBIOPS}/deployments/${name}/versions`);
      return json.map((each: { version: string; default: boolean }) => [each.version, each.default]);
    };
    expect(await versionsOf(plain, 'iris')).toEqual([
      ['1', false],
      ['2', true],
    ]);
    expect(await versionsOf(mapped, 'blue')).toEqual([
      ['1', true],
      ['2', false],
    ]);
    const { json } = await read(mapped, `${UBIOPS}/deployments/blue/versions/1`);
    expect(json).toMatchObject({ deployment: 'blue', version: '1', default: true, status: 'available' });
    expect((await read(mapped, `${UBIOPS}/pipelines/iris/versions/2`)).json).toMatchObject({
      pipeline: 'iris',
      version: '2',
      default: true,
    });
    expect((await read(plain, `${UBIOPS}/deployments/iris/versions/9`)).status).toBe(404);
  });

  it('has no labels to filter by', async () => {
    expect((await read(plain, `${UBIOPS}/deployments?labels=team:a`)).json).toEqual([]);
    expect((await read(plain, `${UBIOPS}/deployments/iris/versions?labels=team:a`)).json).toEqual([]);
  });
});

describe('what the SDKs of Databricks ask before', () => {
  const client = { host: 'localhost:8080' };

  it('is where to get tokens, and a token that is not checked', async () => {
    const { json, headers } = await read(plain, '/.well-known/databricks-config', client);
    expect([json, headers['cache-control']]).toEqual([
      { oidc_endpoint: 'http://localhost:8080/oidc' },
      'no-store',
    ]);
    const server = await read(plain, '/oidc/.well-known/oauth-authorization-server', client);
    expect(server.json).toMatchObject({
      issuer: 'http://localhost:8080/oidc',
      token_endpoint: 'http://localhost:8080/oidc/v1/token',
    });
    const answer = await plain.send({
      method: 'POST',
      path: '/oidc/v1/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from('grant_type=client_credentials&scope=all-apis'),
    });
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
      200,
      { access_token: 'any', token_type: 'Bearer', expires_in: 3600 },
    ]);
  });
});
