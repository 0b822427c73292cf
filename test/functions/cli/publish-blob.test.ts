import { chmod } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBlobServer } from '../../support/blob-server.ts';
import { PROJECT } from '../../support/project.ts';
import { startCommand, temporaryFolder } from '../../support/run-command.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

// Published without lineage: a checkout has a commit, and the same files from an archive have none.
const IRIS = join(PROJECT, 'models/iris/2');
const FILES = ['files.json', 'model.json', 'model.onnx', 'reference.json'];
/** What a repository has beside its models. */
const INDEX = 'prod/index.json';
const keysOf = (version: string) => FILES.map((name) => `prod/iris/${version}/${name}`);

/** @param environment what proves who asks, instead of the key of the account */
async function startContainer(environment?: (endpoint: string) => Readonly<Record<string, string>>) {
  const blobs = await startBlobServer();
  onTestFinished(() => blobs.close());
  const variables = {
    MODEL_CACHE_FOLDER: await temporaryFolder(),
    MODEL_REPOSITORY: 'az://models/prod',
    ...(environment?.(blobs.endpoint) ?? blobs.environment),
  };
  const run = (...args: readonly string[]) => startCommand(args, '', variables).outcome;
  return { blobs, run };
}

/** The Azure CLI, as far as it gives tokens. */
async function makeAzureCli(answer: string): Promise<string> {
  const folder = await makeFolder({ az: `#!/bin/sh\n${answer}\n` });
  await chmod(join(folder, 'az'), 0o755);
  return `${folder}${delimiter}${process.env.PATH}`;
}

describe('ternion add to Azure', () => {
  it('first uploads the file that claims the version, and last the one that makes it a version', async () => {
    const { blobs, run } = await startContainer();
    const { code, stdout, stderr } = await run('add', IRIS, '-n', 'iris', '--no-lineage');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^iris\/1 is in az:\/\/models\/prod\/iris\/1 \(3 files, \d\d\.\d kB\)\n/);
    const puts = blobs.requests.filter(({ operation }) => operation === 'Put Blob');
    expect(puts.map(({ key }) => key).sort()).toEqual([INDEX, ...keysOf('1')]);
    expect(puts.at(0)).toMatchObject({ key: 'prod/iris/1/files.json', headers: { 'if-none-match': '*' } });
    expect(puts.slice(-2).map(({ key }) => key)).toEqual(['prod/iris/1/model.onnx', INDEX]);
    const served = await run('predict', 'iris', '[5.1, 3.5, 1.4, 0.2]', '--json');
    expect(JSON.parse(served.stdout)).toMatchObject({ prediction: 'setosa', model_version: '1' });
  });

  it('leaves a version to the publisher that claims it first', async () => {
    const { blobs, run } = await startContainer();
    // Another publisher comes between the listing and the upload.
    blobs.addFault({
      when: ({ operation }) => operation === 'Put Blob',
      times: 1,
      effect: { kind: 'run', action: () => blobs.put('prod/iris/1/files.json', '{"files": []}') },
    });
    const { stdout, stderr } = await run('add', IRIS, '-n', 'iris', '--no-lineage', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ version: '2', path: 'az://models/prod/iris/2' });
    expect(stderr).toBe('');
    expect(blobs.keys()).toEqual([INDEX, 'prod/iris/1/files.json', ...keysOf('2')]);
  });

  it('uses the token of the Azure CLI if there are no other credentials', async () => {
    const call = 'account get-access-token --resource https://storage.azure.com/ --output json';
    const answer = JSON.stringify({ accessToken: 'token-of-a-person', expires_on: 4_000_000_000 });
    const path = await makeAzureCli(`[ "$*" = "${call}" ] && echo '${answer}'`);
    const { blobs, run } = await startContainer((endpoint) => ({
      AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${endpoint}`,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1',
      PATH: path,
    }));
    blobs.tokens.add('token-of-a-person');
    expect(await run('add', IRIS, '-n', 'iris', '--no-lineage')).toMatchObject({ code: 0, stderr: '' });
    expect(blobs.keys()).toEqual([INDEX, ...keysOf('1')]);
  });

  it('says what to do if the Azure CLI gives no token, and nothing that it prints', async () => {
    const path = await makeAzureCli('echo "a-secret"; echo "a-secret" >&2; exit 1');
    const { run } = await startContainer((endpoint) => ({
      AZURE_STORAGE_CONNECTION_STRING: `BlobEndpoint=${endpoint}`,
      AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://127.0.0.1:1',
      PATH: path,
    }));
    const { code, stderr } = await run('add', IRIS, '-n', 'iris', '--no-lineage');
    expect([code, stderr]).toEqual([1, expect.stringContaining('There are no credentials for Azure')]);
    expect(stderr).toContain('run "az login", or set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN');
    expect(stderr).not.toContain('a-secret');
  });
});
