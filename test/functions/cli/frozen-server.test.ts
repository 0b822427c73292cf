import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { openS3Store } from '../../../shared/stores/s3.ts';
import { PROJECT } from '../../support/project.ts';
import { startCommand } from '../../support/run-command.ts';
import { startS3Server } from '../../support/s3-server.ts';

it('asks before the answer after it was frozen, as a cloud freezes functions', async () => {
  const s3 = await startS3Server({ folder: join(PROJECT, 'models') });
  onTestFinished(() => s3.close());
  const { credentials, region } = s3.client;
  const log = createReleaseLog(openS3Store('s3://models', s3.client));
  // A version that an alias names answers at once. A new live version answers when it is in memory.
  const release = async (champion: string) =>
    await log.change('iris', { by: 'ada', why: '', action: champion }, ({ serving }) => ({
      serving: { ...serving, aliases: { champion } },
    }));
  await release('1');
  const server = startCommand(['serve', '-r', 's3://models', '-p', '0'], '', {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: s3.url,
    S3_PATH_STYLE: 'true',
    RELEASE_TTL_SECONDS: '1',
  });
  onTestFinished(async () => {
    server.process.kill('SIGKILL');
    await server.outcome;
  });
  const url = await server.seen(/http:\/\/localhost:\d+/);
  const version = async () => {
    const response = await fetch(`${url}/models/iris/versions/champion/predict`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"features": [5.1, 3.5, 1.4, 0.2]}',
    });
    const answer = await response.text();
    return /"model_version":"(\d+)"/.exec(answer)?.[1] ?? answer;
  };
  expect(await version()).toBe('1');
  for (const champion of ['2', '1']) {
    server.process.kill('SIGSTOP');
    await release(champion);
    await wait(1_100);
    server.process.kill('SIGCONT');
    expect(await version()).toBe(champion);
  }
});
