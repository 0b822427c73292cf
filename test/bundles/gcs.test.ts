import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { get, post } from '../contracts/exchanges.ts';
import { startGcsServer } from '../support/gcs-server.ts';
import { openFunctionsFramework, openServerBundle } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';
import { RUNNABLE } from '../support/targets.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const SETOSA = { features: [5.1, 3.5, 1.4, 0.2] };

for (const { name } of RUNNABLE.filter((target) => /^(?:gcp|local)/.test(target.name))) {
  const open = name === 'gcp-server' ? openServerBundle : openFunctionsFramework;

  describe(`dist/${name} with its models in Google Cloud Storage`, () => {
    it('loads the models that are requested, and each file once', async () => {
      const { gcs, environment } = await startBucket();
      const host = await open(name, environment);
      onTestFinished(() => host.close());
      const ask = async (path: string) => JSON.parse((await host.send(post(path, SETOSA))).body.toString());

      expect(await ask('/predict')).toMatchObject({ prediction: 'setosa', model_version: '2' });
      expect(await ask('/models/iris/versions/1/predict')).toMatchObject({
        prediction: 'setosa',
        model_version: '1',
      });
      const asked = gcs.requests.length;
      expect(await ask('/models/iris/predict')).toMatchObject({ prediction: 'setosa' });
      expect(gcs.requests.length).toBe(asked);
      expect(gcs.requests.filter((request) => request.name === 'digits/1/model.onnx')).toEqual([]);
    });

    it('answers 503 with a safe reason while the bucket fails, and recovers without a restart', async () => {
      const { gcs, environment } = await startBucket();
      gcs.addFault({ when: () => true, effect: { kind: 'refuse', status: 403, code: 'no access' } });
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
      gcs.clearFaults();
      expect((await host.send(post('/predict', SETOSA))).status).toBe(200);
    });
  });
}

async function startBucket() {
  const gcs = await startGcsServer({
    bucket: 'repository',
    folder: join(PROJECT, 'models'),
    isOpen: true,
  });
  onTestFinished(() => gcs.close());
  return {
    gcs,
    environment: {
      MODEL_REPOSITORY: 'gs://repository',
      MODEL_CACHE_FOLDER: await makeFolder({}),
      STORAGE_EMULATOR_HOST: gcs.url,
    },
  };
}
