import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { compileConfig } from '../../functions/cli/project/compile-config.ts';
import {
  type ChildHost,
  openAzureBundle,
  openFunctionsFramework,
  openServerBundle,
  type Prepare,
} from '../support/hosts/child-process.ts';
import { openLambdaBundle } from '../support/hosts/lambda-bundle.ts';
import { PROJECT } from '../support/project.ts';
import { RUNNABLE } from '../support/targets.ts';
import { makeFolder } from '../support/temporary-folder.ts';

const CONFIG = `
import { defineConfig, defineProcessor, invalid } from 'ternion';
import * as z from 'zod';
import { flowers } from './flowers.ts';

const byName = defineProcessor({
  name: 'by-name',
  takes: 'features',
  options: z.object({ field: z.string() }),
  before: (rows, { options, count }) =>
    rows.map((row, index) => {
      count('looked_up');
      const name = typeof row === 'object' && row !== null && options.field in row ? String(Reflect.get(row, options.field)) : '';
      const flower = flowers.get(name);
      if (!flower) throw invalid(\`instances[\${index}].\${options.field}\`, 'is not the name of a flower.');
      return flower;
    }),
  after: (results) => results.map((result) => ({ species: Reflect.get(result, 'prediction') })),
});

export default defineConfig({
  processors: [byName],
  routes: [{ method: 'GET', path: '/hello/{name}', handle: (_, { params }) => Response.json({ hello: params.name }) }],
});
`;
const FLOWERS = 'export const flowers = new Map([["a", [5.1, 3.5, 1.4, 0.2]]]);\n';

/** Compiles own code beside a bundle, and lets its iris model use it. */
const addOwnCode: Prepare = async (folder) => {
  const project = await makeFolder({ 'ternion.config.ts': CONFIG, 'flowers.ts': FLOWERS });
  await symlink(join(PROJECT, 'node_modules'), join(project, 'node_modules'));
  await compileConfig(join(project, 'ternion.config.ts'), join(folder, 'own-code.mjs'));
  const path = join(folder, 'models/iris/2/model.json');
  const config: object = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...config, processors: [{ step: 'by-name', field: 'name' }] }));
};

/** The models of the bundle, and not those of the tests. */
const OWN_MODELS = { MODEL_REPOSITORY: '' };

const OPENERS: Readonly<Record<string, (target: string, prepare: Prepare) => Promise<ChildHost>>> = {
  aws: (target, prepare) => openLambdaBundle(target, 'http-api', OWN_MODELS, prepare),
  'gcp-server': (target, prepare) => openServerBundle(target, OWN_MODELS, prepare),
  gcp: (target, prepare) => openFunctionsFramework(target, OWN_MODELS, prepare),
  azure: (target, prepare) => openAzureBundle(target, OWN_MODELS, prepare),
};

const post = (host: ChildHost, path: string, body: object) =>
  host.send({
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });

const BUNDLES = RUNNABLE.flatMap(({ name }) => {
  const [, open] = Object.entries(OPENERS).find(([cloud]) => name.startsWith(cloud)) ?? [];
  return open ? [{ name, open }] : [];
});

it('is tried with all clouds', () => {
  expect(BUNDLES.map(({ name }) => name.split('-')[0])).toEqual(
    expect.arrayContaining(['aws', 'gcp', 'azure']),
  );
});

describe.each(BUNDLES)('dist/$name', ({ name, open }) => {
  it('runs own code that is compiled beside it', async () => {
    const host = await open(name, addOwnCode);
    onTestFinished(() => host.close());
    const answer = await post(host, '/models/iris/predict', { features: { name: 'a' } });
    expect([answer.status, JSON.parse(answer.body.toString())]).toEqual([
      200,
      expect.objectContaining({ species: 'setosa', model: 'iris' }),
    ]);
    const refused = await post(host, '/v1/models/iris:predict', { instances: [{ name: 'b' }] });
    expect([refused.status, JSON.parse(refused.body.toString()).error]).toEqual([
      400,
      'Field "instances[0].name" is not the name of a flower.',
    ]);
    const hello = await host.send({ method: 'GET', path: '/hello/you', headers: {}, body: Buffer.alloc(0) });
    expect(JSON.parse(hello.body.toString())).toEqual({ hello: 'you' });
  });
});
