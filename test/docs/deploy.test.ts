import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeVersions } from '../../functions/cli/deploy/find-versions.ts';
import { packModels } from '../../functions/cli/deploy/packed-models.ts';
import { startBlobServer } from '../support/blob-server.ts';
import {
  comparable,
  type DocumentedServer,
  type DocumentedShell,
  openDocumentedShell,
  readBlocks,
  readExchanges,
} from '../support/documented-commands.ts';
import { startGcsServer } from '../support/gcs-server.ts';
import { findFreePort } from '../support/hosts/child-process.ts';
import { PROJECT } from '../support/project.ts';
import { startS3Server } from '../support/s3-server.ts';

const names = (await readdir(join(PROJECT, 'docs'))).filter((name) => name.startsWith('deploy-'));
const MODEL = 'test/fixtures/formats/tabular/sklearn-columns';
/** What "aws configure export-credentials" sets. */
const CREDENTIALS = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'];
/** The variables of the pages that hold the address of the deployed service. */
const ADDRESSES = ['API_URL', 'SERVICE_URL', 'APP_URL'];

/** Lines of shell that set variables. */
const set = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');

describe.each(names)('docs/%s', async (name) => {
  const page = await readFile(join(PROJECT, 'docs', name), 'utf8');
  const blocks = readBlocks(page, 'sh');
  const [adding = '', ...later] = blocks.filter((block) => block.startsWith('npx ternion add'));
  const [deploying = ''] = blocks.filter((block) => block.includes(' --models '));
  const [, script = '', models = ''] = /^npm run (\S+) -- --models (\S+)/.exec(deploying) ?? [];
  let folder: string;
  let port: number;
  let shell: DocumentedShell;
  let server: DocumentedServer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ternion-deploy-'));
    await cp(join(PROJECT, MODEL), join(folder, MODEL), { recursive: true });
    port = await findFreePort();
    shell = await openDocumentedShell(port, folder);
    await shell.run(adding);
    const target = join(folder, 'dist');
    await mkdir(target);
    const { versions } = packModels(join(folder, models), target);
    expect(describeVersions(versions)).toBe('houses 1');
    server = await shell.serve('npx ternion serve -r dist/models', /Ternion serves/, { PORT: String(port) });
  });
  afterAll(async () => {
    await server.stop();
    await shell.close();
    await rm(folder, { recursive: true });
  });

  it('publishes into the folder that it deploys', async () => {
    const { scripts } = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));
    expect(scripts).toHaveProperty([script]);
    expect(adding).toMatch(new RegExp(`^npx ternion add ${MODEL} --name houses -r ${models}$`));
  });

  it('sets each variable before a command uses it', () => {
    const text = blocks.join('\n');
    const unset = [...text.matchAll(/\$([A-Z_]+)/g)].filter(({ index, 1: variable = '' }) => {
      const isSet = new RegExp(`^(?:export )?${variable}=`, 'm').test(text.slice(0, index));
      return !isSet && !CREDENTIALS.includes(variable);
    });
    expect(unset.map(([variable]) => variable)).toEqual([]);
  });

  it.each(readExchanges(page))('shows the answer to $command', async ({ command, answer }) => {
    const address = `http://127.0.0.1:${port}`;
    const addresses = Object.fromEntries(ADDRESSES.map((variable) => [variable, address]));
    const printed = await shell.run(set({ ...addresses, AWS_REGION: 'eu-west-1' }) + command);
    expect(comparable(printed)).toEqual(comparable(answer));
  });

  it('calls the model once', () => {
    expect(readExchanges(page)).toHaveLength(1);
  });

  it.each(later)('publishes the next version with %s', async (command) => {
    const { url, values, close } = await startStore(command);
    const printed = await shell.run(set(values) + command).finally(close);
    expect(printed).toContain(`houses/1 is in ${url}/houses/1 `);
  });
});

/** The store that a command publishes to, and the variables with which it is found. */
async function startStore(command: string) {
  if (command.includes(' -r gs://')) {
    const gcs = await startGcsServer({ isOpen: true });
    const values = { MODEL_BUCKET: 'models', STORAGE_EMULATOR_HOST: gcs.url };
    return { url: 'gs://models/models', values, close: gcs.close };
  }
  if (command.includes(' -r az://')) {
    const { environment, close } = await startBlobServer();
    return { url: 'az://models', values: environment, close };
  }
  const s3 = await startS3Server();
  const { region, endpoint, credentials } = s3.client;
  const values = {
    MODEL_BUCKET: 'models',
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  return { url: 's3://models/models', values, close: s3.close };
}
