import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { OWN_RUNTIME } from './hosts/lambda-bundle.ts';
import { type LambdaOptions, openLambdaEnvironment } from './lambda-environment.ts';

/** A function of these files, with the handler in index.mjs, in an environment of Lambda for one test. */
export async function openLambdaFunction(
  files: Readonly<Record<string, string>>,
  options: Partial<LambdaOptions> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'ternion-lambda-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const lambda = await openLambdaEnvironment({ folder, runtime: OWN_RUNTIME, ...options });
  onTestFinished(async () => void (await lambda.shutdown()));
  const ask = async (event: unknown) => {
    const { isError, payload } = await lambda.invoke(event);
    return [isError, JSON.parse(payload.toString())];
  };
  return { folder, lambda, ask };
}
