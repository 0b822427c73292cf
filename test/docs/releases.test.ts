import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBlobServer } from '../support/blob-server.ts';
import { readSteps } from '../support/documented-commands.ts';
import { startGcsServer } from '../support/gcs-server.ts';
import { PROJECT } from '../support/project.ts';
import { startCommand, temporaryFolder } from '../support/run-command.ts';
import { startS3Server } from '../support/s3-server.ts';

const STEPS = readSteps(readFileSync(join(PROJECT, 'docs/releases.md'), 'utf8'));

/** A repository with the variables that the command needs for it. */
interface Place {
  readonly url: string;
  readonly environment: Readonly<Record<string, string>>;
}

const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  'a folder': async () => ({ url: 'releases-demo', environment: {} }),
  S3: async () => {
    const server = await startS3Server();
    onTestFinished(() => server.close());
    const { credentials, region } = server.client;
    return {
      url: 's3://models/demo',
      environment: {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_REGION: region,
        AWS_ENDPOINT_URL_S3: server.url,
        S3_PATH_STYLE: 'true',
      },
    };
  },
  'Google Cloud Storage': async () => {
    const server = await startGcsServer({ isOpen: true });
    onTestFinished(() => server.close());
    return { url: 'gs://models/demo', environment: { STORAGE_EMULATOR_HOST: server.url } };
  },
  Azure: async () => {
    const server = await startBlobServer();
    onTestFinished(() => server.close());
    return { url: 'az://models/demo', environment: server.environment };
  },
};

describe('docs/releases.md', () => {
  it.each(Object.entries(PLACES))('has commands that print what it says, with %s', async (_, open) => {
    const { url, environment } = await open();
    const folder = await temporaryFolder();
    await cp(join(PROJECT, 'models/iris'), join(folder, 'models/iris'), { recursive: true });
    expect(STEPS.length).toBeGreaterThan(5);
    for (const { command, answer } of STEPS) {
      for (const line of command.split('\n')) {
        const args = [...line.replace('releases-demo', url).matchAll(/"([^"]*)"|(\S+)/g)].map(
          ([, quoted, plain = '']) => quoted ?? plain,
        );
        expect(args.splice(0, 2)).toEqual(['npx', 'ternion']);
        const { code, stdout, stderr } = await startCommand(args, '', environment, folder).outcome;
        expect(code, `${line}: ${stderr}`).toBe(0);
        if (answer !== undefined) expect(stdout.trim()).toBe(answer);
      }
    }
    const verified = await startCommand(['history', 'iris', '--verify', '-r', url], '', environment, folder)
      .outcome;
    expect(verified).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('the history is complete and unchanged'),
    });
  });
});
