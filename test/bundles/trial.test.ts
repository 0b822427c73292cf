import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { post } from '../contracts/exchanges.ts';
import { openAzureBundle, openFunctionsFramework, openServerBundle } from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import { countingTo } from '../support/loops.ts';
import { RUNNABLE } from '../support/targets.ts';
import { writeFiles } from '../support/temporary-folder.ts';

type Environment = Readonly<Record<string, string>>;

const OPENERS = {
  aws: (target: string, environment: Environment) => openLambdaBundle(target, 'http-api', environment),
  'gcp-server': openServerBundle,
  container: openServerBundle,
  gcp: openFunctionsFramework,
  local: openFunctionsFramework,
  azure: openAzureBundle,
};

describe.each(RUNNABLE.filter(({ isNpmPackage }) => !isNpmPackage))('dist/$name', ({ name }) => {
  it('tries a model in a process of its own, and serves it', async () => {
    const [, open] = Object.entries(OPENERS).find(([cloud]) => name.startsWith(cloud)) ?? [];
    const repository = await mkdtemp(join(tmpdir(), 'ternion-trial-'));
    await writeFiles(repository, { 'm/1/model.onnx': countingTo(5000n) });
    const host = await open?.(name, { MODEL_REPOSITORY: repository });
    const answer = await host?.send(post('/models/m/predict', { inputs: { x: [[0, 0]] } }));
    expect(answer?.status, `${answer?.body}`).toBe(200);
    await host?.close();
    await rm(repository, { recursive: true });
  });
});
