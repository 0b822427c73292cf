import { cp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../support/project.ts';
import { runCommand, temporaryFolder } from '../../support/run-command.ts';

async function copyOf(format: string): Promise<string> {
  const folder = join(await temporaryFolder(), 'export');
  await cp(join(PROJECT, 'test/fixtures/formats', format), folder, { recursive: true });
  await rm(join(folder, 'golden.json'));
  return folder;
}

async function add(path: string, ...options: readonly string[]) {
  const repository = await temporaryFolder();
  const { code, stdout, stderr } = await runCommand(['add', path, '-r', repository, '--json', ...options]);
  expect([code, stderr]).toEqual([0, '']);
  const { model, version, warnings } = JSON.parse(stdout);
  return { model, version, warnings, repository };
}

describe('a folder from another server', () => {
  it('from MLServer is published under the name that its clients ask for', async () => {
    const { repository, ...added } = await add(await copyOf('mlserver'));
    expect(added).toEqual({
      model: 'flowers',
      version: '1',
      warnings: [
        'it is called flowers, as in its model-settings.json, because its clients ask for that name',
        'its model-settings.json has the version v0.3.0, which --version keeps',
      ],
    });
    const row = '{"sepal length": 5.1, "sepal width": 3.5, "petal length": 1.4, "petal width": 0.2}';
    const { stdout } = await runCommand(['predict', 'flowers', row, '-r', repository]);
    expect(stdout).toContain('setosa');
  });

  it('from KServe is published with the graph that its storageUri names', async () => {
    const { repository: _, ...added } = await add(await copyOf('kserve'));
    expect(added).toEqual({
      model: 'flowers',
      version: '1',
      warnings: [
        'it is called flowers, as in its inference-service.yaml, because its clients ask for that name',
      ],
    });
  });

  it('gets the name and version of the options', async () => {
    const { repository: _, ...added } = await add(await copyOf('mlserver'), '-n', 'iris', '-v', '7');
    expect(added).toEqual({ model: 'iris', version: '7', warnings: [] });
    expect(await add(await copyOf('mlserver'), '-n', 'iris')).toMatchObject({
      model: 'iris',
      warnings: ['its model-settings.json has the version v0.3.0, which --version keeps'],
    });
  });

  it('gets warnings if the files contradict each other, or ask for what Ternion does not have', async () => {
    const folder = await copyOf('mlserver');
    await writeFile(
      join(folder, 'service.yaml'),
      'kind: InferenceService\nmetadata: {name: blooms}\nspec: {predictor: {model: {protocolVersion: grpc-v2}}}\n',
    );
    await rename(folder, join(folder, '../flowers'));
    expect((await add(join(folder, '../flowers'))).warnings).toEqual([
      'its model-settings.json calls it flowers, its service.yaml blooms',
      'its model-settings.json has the version v0.3.0, which --version keeps',
      'its service.yaml has the protocolVersion grpc-v2; there is no gRPC here',
    ]);
  });
});
