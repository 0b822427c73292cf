import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { RUNNABLE } from '../bundles/targets.ts';
import { hasSharedFixtures, SHARED_FIXTURES } from '../fixtures/shared-fixtures.ts';
import { type ChildHost, openAzureBundle, openFunctionsFramework } from '../hosts/child-process.ts';
import { openLambdaBundle } from '../hosts/lambda-bundle.ts';

const environment = { MODEL_REPOSITORY: join(SHARED_FIXTURES, 'model-repository'), MAX_JSON_DEPTH: '32' };
const isRunnable = (target: string) => RUNNABLE.some(({ name }) => name === target);

const HOSTS: readonly (readonly [string, () => Promise<ChildHost>])[] = [
  ['local', () => openFunctionsFramework('local', environment)],
  ['aws-x64', () => openLambdaBundle('aws-x64', 'http-api', environment)],
  ['azure', () => openAzureBundle('azure', environment)],
];

describe.runIf(hasSharedFixtures)('the Open Inference Protocol cases (need the shared fixtures)', () => {
  it.each(HOSTS.filter(([target]) => isRunnable(target)))('pass on %s', async (_, open) => {
    const host = await open();
    const { stdout } = await promisify(execFile)(process.execPath, [
      join(SHARED_FIXTURES, 'run-cases.mjs'),
      `http://127.0.0.1:${host.port}`,
      join(SHARED_FIXTURES, 'cases/open-inference.json'),
    ]);
    await host.close();
    expect(stdout).toContain('total pass 22 fail 0');
  });
});
