import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openDocumentedShell, readBlocks } from '../support/documented-commands.ts';
import { findFreePort } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';
import { temporaryFolder } from '../support/run-command.ts';
import { startS3Server } from '../support/s3-server.ts';

const PAGE = readFileSync(join(PROJECT, 'docs/mlflow-registry.md'), 'utf8');
const [START = '', POINT = '', CALLS = '', ...OTHERS] = readBlocks(PAGE, 'sh');
const IRIS = join(PROJECT, 'models/iris/1');

/** The page on a server of its own, whose sources are in a small S3. */
async function follow() {
  const s3 = await startS3Server({
    bucket: 'ml-artifacts',
    files: Object.fromEntries(
      ['model.onnx', 'model.json'].map((name) => [`1/model/${name}`, readFileSync(join(IRIS, name))]),
    ),
  });
  onTestFinished(() => s3.close());
  const folder = await temporaryFolder();
  const port = await findFreePort();
  const shell = await openDocumentedShell(port, folder);
  onTestFinished(() => shell.close());
  /** Runs lines that set variables, and gives these. */
  const valuesAfter = async (lines: string, ...names: readonly string[]): Promise<readonly string[]> => {
    const print = names.map((name) => `printf '%s\\n' "$${name}"`).join('\n');
    return (await shell.run(`${lines}\n${print}`)).split('\n');
  };
  const lines = START.split('\n');
  const command = lines.pop() ?? '';
  const [key = '', sources = ''] = await valuesAfter(lines.join('\n'), 'ADMIN_KEY', 'REGISTRY_SOURCES');
  const { credentials, region } = s3.client;
  const server = await shell.serve(command, /Ternion serves/, {
    PORT: String(port),
    ADMIN_KEY: key,
    REGISTRY_SOURCES: sources,
    MODEL_CACHE_FOLDER: await temporaryFolder(),
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: s3.url,
    S3_PATH_STYLE: 'true',
  });
  onTestFinished(() => server.stop());
  const setKey = `export ADMIN_KEY=${key}\n${POINT}`;
  const [url = '', token = ''] = await valuesAfter(setKey, 'MLFLOW_TRACKING_URI', 'MLFLOW_TRACKING_TOKEN');
  return { shell, key, url, token, setKey };
}

describe('docs/mlflow-registry.md', () => {
  it('starts a registry, and its calls show and take back what a client has changed', async () => {
    const { shell, key, url, token, setKey } = await follow();
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    expect(token).toBe(key);
    // What the block in Python sends; test/real/mlflow runs it with MLflow's client.
    const send = async (route: string, body: unknown) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${url}/api/2.0/mlflow/${route}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return [answer.status, await answer.json()];
    };
    const tags = [{ key: 'team', value: 'flowers' }];
    expect(await send('registered-models/create', { name: 'iris', tags })).toMatchObject([200, {}]);
    const source = 's3://ml-artifacts/1/model';
    expect(await send('model-versions/create', { name: 'iris', source, run_id: '4711' })).toMatchObject([
      200,
      { model_version: { version: '1', status: 'READY', source } },
    ]);
    const alias = { name: 'iris', alias: 'champion', version: '1' };
    expect(await send('registered-models/alias', alias)).toMatchObject([200, {}]);

    const commands = CALLS.split(/\n(?=curl )/);
    expect([commands.length, OTHERS]).toEqual([2, []]);
    const answers = [];
    for (const command of commands) answers.push(JSON.parse(await shell.run(`${setKey}\n${command}`)));
    expect(answers).toMatchObject([
      {
        changes: [
          { revision: 3, by: 'admin', action: 'alias champion 1', aliases: { champion: '1' } },
          { revision: 2, action: 'register', aliases: {} },
          { revision: 1, action: 'create', aliases: {} },
        ],
      },
      { registered_model: { name: 'iris', tags, latest_versions: [{ version: '1', status: 'READY' }] } },
    ]);
    expect(answers[1].registered_model).not.toHaveProperty('aliases');
    const [first = ''] = commands;
    expect(JSON.parse(await shell.run(`${setKey}\n${first}`)).changes[0]).toMatchObject({
      revision: 4,
      action: 'rollback 2',
    });
  });
});
