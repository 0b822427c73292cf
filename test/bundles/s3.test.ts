import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { get, post } from '../contracts/exchanges.ts';
import { openFunctionsFramework } from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import { PROJECT } from '../support/project.ts';
import { startS3Server } from '../support/s3-server.ts';
import { RUNNABLE } from '../support/targets.ts';

const SETOSA = { features: [5.1, 3.5, 1.4, 0.2] };

const OPENERS = {
  aws: (target: string, environment: Record<string, string>) =>
    openLambdaBundle(target, 'http-api', environment),
  local: openFunctionsFramework,
};

for (const { name } of RUNNABLE.filter((target) => /^(aws|local)/.test(target.name))) {
  const open = name === 'local' ? OPENERS.local : OPENERS.aws;

  describe(`dist/${name} with its models in S3`, () => {
    it('loads the models that are requested, and each file once', async () => {
      const s3 = await startS3Server({ bucket: 'repository', folder: join(PROJECT, 'models') });
      const cache = await mkdtemp(join(tmpdir(), 'ternion-cache-'));
      const host = await open(name, environmentOf(s3, cache));
      const ask = async (path: string) => JSON.parse((await host.send(post(path, SETOSA))).body.toString());

      expect(await ask('/predict')).toMatchObject({ prediction: 'setosa', model_version: '2' });
      expect(await ask('/models/iris/versions/1/predict')).toMatchObject({
        prediction: 'setosa',
        model_version: '1',
      });
      const asked = s3.requests.length;
      expect(await ask('/models/iris/predict')).toMatchObject({ prediction: 'setosa' });
      expect(s3.requests.length).toBe(asked);
      expect(s3.requests.filter(({ key }) => key === 'digits/1/model.onnx')).toEqual([]);

      await host.close();
      await s3.close();
      await rm(cache, { recursive: true });
    });

    it('answers 503 with a safe reason while the bucket fails, and recovers without a restart', async () => {
      const s3 = await startS3Server({ bucket: 'repository', folder: join(PROJECT, 'models') });
      const cache = await mkdtemp(join(tmpdir(), 'ternion-cache-'));
      s3.addFault({ when: () => true, effect: { kind: 'refuse', status: 403, code: 'AccessDenied' } });
      const host = await open(name, environmentOf(s3, cache));

      const refused = await host.send(post('/predict', SETOSA));
      expect(refused.status).toBe(503);
      expect(JSON.parse(refused.body.toString())).toMatchObject({
        error: 'The model repository cannot be read: it denies access.',
        error_code: 'TEMPORARILY_UNAVAILABLE',
      });
      expect(JSON.parse((await host.send(get('/health'))).body.toString())).toMatchObject({
        status: 'error',
      });
      s3.clearFaults();
      expect((await host.send(post('/predict', SETOSA))).status).toBe(200);

      await host.close();
      await s3.close();
      await rm(cache, { recursive: true });
    });
  });
}

function environmentOf(s3: Awaited<ReturnType<typeof startS3Server>>, cache: string): Record<string, string> {
  return {
    MODEL_REPOSITORY: 's3://repository',
    MODEL_CACHE_FOLDER: cache,
    AWS_REGION: s3.client.region,
    AWS_ENDPOINT_URL_S3: s3.client.endpoint,
    AWS_ACCESS_KEY_ID: s3.client.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.client.credentials.secretAccessKey,
  };
}
