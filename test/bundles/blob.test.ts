import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { get, post } from '../contracts/exchanges.ts';
import { startBlobServer } from '../support/blob-server.ts';
import { openAzureBundle, openFunctionsFramework } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';
import { RUNNABLE } from '../support/targets.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const SETOSA = { features: [5.1, 3.5, 1.4, 0.2] };

for (const { name } of RUNNABLE.filter((target) => /^(?:azure|local)/.test(target.name))) {
  const open = name === 'local' ? openFunctionsFramework : openAzureBundle;

  describe(`dist/${name} with its models in Azure`, () => {
    it('loads the models that are requested, and each file once', async () => {
      const { blobs, environment } = await startContainer();
      const host = await open(name, environment);
      onTestFinished(() => host.close());
      const ask = async (path: string) => JSON.parse((await host.send(post(path, SETOSA))).body.toString());

      expect(await ask('/predict')).toMatchObject({ prediction: 'setosa', model_version: '2' });
      expect(await ask('/models/iris/versions/1/predict')).toMatchObject({
        prediction: 'setosa',
        model_version: '1',
      });
      const asked = blobs.requests.length;
      expect(await ask('/models/iris/predict')).toMatchObject({ prediction: 'setosa' });
      expect(blobs.requests.length).toBe(asked);
      expect(blobs.requests.filter(({ key }) => key === 'digits/1/model.onnx')).toEqual([]);
    });

    it('answers 503 with a safe reason while the container fails, and recovers without a restart', async () => {
      const { blobs, environment } = await startContainer();
      blobs.addFault({
        when: () => true,
        effect: { kind: 'refuse', status: 403, code: 'AuthorizationPermissionMismatch' },
      });
      const host = await open(name, environment);
      onTestFinished(() => host.close());

      const refused = await host.send(post('/predict', SETOSA));
      expect(refused.status).toBe(503);
      expect(JSON.parse(refused.body.toString())).toMatchObject({
        error: 'The model repository cannot be read: it denies access.',
        error_code: 'TEMPORARILY_UNAVAILABLE',
      });
      expect(JSON.parse((await host.send(get('/health'))).body.toString())).toMatchObject({
        status: 'error',
      });
      blobs.clearFaults();
      expect((await host.send(post('/predict', SETOSA))).status).toBe(200);
    });
  });
}

async function startContainer() {
  const blobs = await startBlobServer({ folder: join(PROJECT, 'models') });
  onTestFinished(() => blobs.close());
  const environment = {
    ...blobs.environment,
    MODEL_REPOSITORY: 'az://models',
    MODEL_CACHE_FOLDER: await makeFolder({}),
  };
  return { blobs, environment };
}
