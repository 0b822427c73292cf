import { describe, expect, it } from 'vitest';
import { get, post, raw } from '../../../contracts/exchanges.ts';
import { ask } from '../../../support/ask.ts';
import { FLOAT, INT64, identityModel, STRING } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { serveModels } from '../../../support/serve-models.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

const app = openApp({ MAX_JSON_DEPTH: '32' });
const OK = { error_code: 'OK', error_message: '' };
const BODY = { instances: [[5.1, 3.5, 1.4, 0.2]] };

describe('status', () => {
  it('lists all versions, the newest first, for TensorFlow Serving, KServe and OpenAI in one', async () => {
    expect((await ask(app, get('/v1/models/iris'))).json).toEqual({
      model_version_status: [
        { version: '2', state: 'AVAILABLE', status: OK },
        { version: '1', state: 'AVAILABLE', status: OK },
      ],
      name: 'iris',
      ready: true,
      id: 'iris',
      object: 'model',
    });
  });

  it('of one version describes that alone', async () => {
    const { json } = await ask(app, get('/v1/models/iris/versions/1'));
    expect(json.model_version_status).toEqual([{ version: '1', state: 'AVAILABLE', status: OK }]);
  });

  it('of a model that cannot be loaded is a 503, or END next to versions that can', async () => {
    const folder = await makeFolder({
      'm/1/model.onnx': 'broken',
      'm/2/model.onnx': identityModel(FLOAT, ['n']),
    });
    const host = openApp({ MODEL_REPOSITORY: folder });
    const broken = await ask(host, get('/v1/models/m/versions/1'));
    expect([broken.status, broken.json.error]).toEqual([503, expect.stringMatching(/not an ONNX file/)]);
    const { json } = await ask(host, get('/v1/models/m'));
    expect(json.model_version_status).toEqual([
      { version: '2', state: 'AVAILABLE', status: OK },
      {
        version: '1',
        state: 'END',
        status: { error_code: 'UNAVAILABLE', error_message: 'The model failed to load.' },
      },
    ]);
    await host.close();
  });
});

describe('metadata', () => {
  it('is a signature with sizes as texts', async () => {
    const { json } = await ask(app, get('/v1/models/iris/metadata'));
    const tensor = (name: string, size: string) => ({
      dtype: 'DT_FLOAT',
      tensor_shape: {
        dim: [
          { size: '-1', name: '' },
          { size, name: '' },
        ],
        unknown_rank: false,
      },
      name,
    });
    expect(json).toEqual({
      model_spec: { name: 'iris', signature_name: '', version: '2' },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: { features: tensor('features', '4') },
              outputs: { logits: tensor('logits', '3') },
              method_name: 'tensorflow/serving/predict',
              defaults: {},
            },
          },
        },
      },
    });
  });

  it.each([
    ['DT_STRING', STRING],
    ['DT_INT64', INT64],
  ])('names %s', async (dtype, elementType) => {
    const host = await serveModels({ m: identityModel(elementType, []) });
    const { json } = await ask(host, get('/v1/models/m/versions/1/metadata'));
    const { inputs } = json.metadata.signature_def.signature_def.serving_default;
    expect(inputs.x).toEqual({ dtype, tensor_shape: { dim: [], unknown_rank: false }, name: 'x' });
  });
});

describe('paths', () => {
  it.each([
    '/v1/models/iris:predict',
    '/V1/MODELS/iris:Predict',
    '/v1/models/iris%3Apredict',
    '/v1/models/iris/versions/2:predict',
    '/v1/Models/iris/Versions/2:PREDICT',
    '/v1/models/%69ris/versions/2%3apredict/',
  ])('work as %s', async (path) => {
    const { status, json } = await ask(app, post(path, BODY));
    expect([status, json.predictions]).toEqual([200, [[7.113542, -1.969219, -9.984419]]]);
  });

  it('keep the case of names', async () => {
    const { status, json } = await ask(app, post('/v1/models/IRIS:predict', BODY));
    expect([status, json.error]).toEqual([404, 'There is no model "IRIS"; the models are: digits, iris.']);
  });

  it.each([
    ['/v1/models/rose', 'There is no model "rose"; the models are: digits, iris.'],
    ['/v1/models/iris/versions/9', 'Model "iris" has no version "9"; its versions are 1, 2.'],
    ['/v1/models/iris/versions/two/metadata', 'Model "iris" has no version "two"; its versions are 1, 2.'],
    ['/v1/models/iris/labels/canary', 'Model "iris" has no alias "canary"; its aliases are: none.'],
  ])('of what is not there are 404: %s', async (path, message) => {
    const { status, json } = await ask(app, get(path));
    expect([status, json.error, json.error_code]).toEqual([404, message, 'RESOURCE_DOES_NOT_EXIST']);
  });

  it.each([
    ['GET', '/v1/models/iris:predict', 'POST, OPTIONS'],
    ['POST', '/v1/models/iris/metadata', 'GET, HEAD, OPTIONS'],
    ['DELETE', '/v1/models/iris/versions/1:classify', 'POST, OPTIONS'],
  ])('refuse the method %s on %s', async (method, path, allow) => {
    const { status, headers } = await ask(app, { ...get(path), method });
    expect([status, headers.allow]).toEqual([405, allow]);
  });

  it.each(['/v1/models/iris:embed', '/v1/models/iris/versions/1/labels/a', '/v1/models/iris/metadata/x'])(
    'that no protocol serves are 404: %s',
    async (path) => {
      expect((await ask(app, get(path))).json).toMatchObject({ code: 404, error_code: 'ENDPOINT_NOT_FOUND' });
    },
  );

  it('report an unknown model before they look at the body', async () => {
    expect((await ask(app, raw('/v1/models/rose:predict', 'no JSON', {}))).status).toBe(404);
  });

  it('are not there when the protocol is switched off', async () => {
    const host = openApp({ PROTOCOLS: 'ternion' });
    for (const path of ['/v1/models', '/v1/models/iris', '/v1/models/iris/metadata']) {
      expect((await ask(host, get(path))).status).toBe(404);
    }
  });
});
