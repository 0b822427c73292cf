import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { FUNCTION_TARGETS } from '../../functions/cli/deploy/function-targets.ts';
import type { PackedPackage } from '../../functions/cli/deploy/npm.ts';
import { stagePackages } from '../../infra/build/packages.ts';
import { SHARP_RANGE } from '../../shared/processing/image/decode/image-file.ts';
import { NODE_FLAGS } from '../support/node-flags.ts';
import { PROJECT } from '../support/project.ts';
import {
  type Consumer,
  install,
  librariesOf,
  PLATFORM,
  packAll,
  packInstalled,
  sizeOf,
} from './npm/installed.ts';

const manifest = JSON.parse(await readFile(join(PROJECT, 'package.json'), 'utf8'));

/** What npm installs for sharp on this machine. */
const SHARP = ['sharp', '@img', 'detect-libc', 'semver'];

const RUNTIME = `@ternion/runtime-${PLATFORM}`;
const KOFFI = `@koromix/koffi-${PLATFORM}`;
const IRIS = JSON.stringify(join(PROJECT, 'models/iris'));

/** Whether a problem that attw found is about ES modules. */
function isOfModules(problem: unknown): boolean {
  const kind =
    typeof problem === 'object' && problem !== null && 'resolutionKind' in problem && problem.resolutionKind;
  return kind !== 'node10' && kind !== 'node16-cjs';
}

let packed: ReadonlyMap<string, PackedPackage>;
let folder: string;

function packedAs(name: string): PackedPackage {
  const found = packed.get(name);
  if (!found) throw new Error(`there is no package ${name}`);
  return found;
}

beforeAll(async () => {
  ({ folder, packages: packed } = await packAll());
});

afterAll(() => rm(folder, { recursive: true }));

describe('the npm packages', () => {
  it('are the command and library, and ONNX Runtime for four platforms', () => {
    const libraries = Object.fromEntries([...packed].map(([name, each]) => [name, librariesOf(each)]));
    expect(libraries).toEqual({
      '@ternion/runtime-darwin-arm64': ['libonnxruntime.1.dylib', 'onnxruntime_binding.node'],
      '@ternion/runtime-linux-arm64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
      '@ternion/runtime-linux-x64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
      '@ternion/runtime-win32-x64': ['DirectML.dll', 'onnxruntime.dll', 'onnxruntime_binding.node'],
      ternion: [],
    });
    const { paths } = packedAs('ternion');
    for (const path of [
      'dist/cli/THIRD-PARTY-NOTICES.txt',
      'dist/types/index.d.ts',
      'docs/clients.md',
      'infra/grafana/ternion-models.json',
      'infra/grafana/ternion-server.json',
      'infra/prometheus/alerts.yml',
      'LICENSE',
    ]) {
      expect(paths).toContain(path);
    }
    expect(paths.filter((path) => /^docs\/(?:site|api|images\/observe)\//.test(path))).toEqual([]);
    for (const name of packed.keys()) {
      if (name !== 'ternion') expect(packedAs(name).paths).toContain('THIRD-PARTY-NOTICES.txt');
    }
  });

  it('install one runtime, the one of the machine and of this version, and run nothing', () => {
    const read = (name: string) => JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8'));
    const main = read('ternion');
    expect(main).not.toHaveProperty('private');
    expect(main).not.toHaveProperty('scripts');
    expect(main).not.toHaveProperty('dependencies');
    expect(main).not.toHaveProperty('devDependencies');
    expect(main.optionalDependencies).toEqual({
      '@koromix/koffi-linux-arm64': '3.3.4',
      '@koromix/koffi-linux-x64': '3.3.4',
      '@ternion/runtime-darwin-arm64': manifest.version,
      '@ternion/runtime-linux-arm64': manifest.version,
      '@ternion/runtime-linux-x64': manifest.version,
      '@ternion/runtime-win32-x64': manifest.version,
    });
    expect(Object.keys(main.peerDependencies)).toEqual(Object.keys(main.peerDependenciesMeta));
    expect(main.peerDependencies.sharp).toBe(SHARP_RANGE);
    expect(read('@ternion/runtime-linux-arm64')).toMatchObject({
      name: '@ternion/runtime-linux-arm64',
      version: manifest.version,
      os: ['linux'],
      cpu: ['arm64'],
      libc: ['glibc'],
    });
    expect(read('@ternion/runtime-win32-x64')).toMatchObject({ os: ['win32'], cpu: ['x64'] });
    expect(read('@ternion/runtime-win32-x64')).not.toHaveProperty('libc');
  });

  it('have nothing that publint finds fault with', async () => {
    for (const [name, { file }] of packed) {
      const tarball = new Uint8Array(readFileSync(file)).buffer;
      const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
      expect([name, messages.map((message) => formatMessage(message, pkg))]).toEqual([name, []]);
    }
  });

  it('have types that TypeScript finds from ES modules in every way of resolving them', async () => {
    const attw = join(PROJECT, 'node_modules/@arethetypeswrong/cli/dist/index.js');
    const args = [attw, packedAs('ternion').file, '--profile', 'esm-only', '--format', 'json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1e8 });
    const { analysis, problems } = JSON.parse(stdout);
    expect(analysis.types).toEqual({ kind: 'included' });
    expect(Object.keys(analysis.entrypoints)).toEqual(Object.keys(manifest.exports));
    for (const kind of ['node16-esm', 'bundler']) {
      expect(analysis.entrypoints['.'].resolutions[kind].resolution.fileName).toBe(
        '/node_modules/ternion/dist/types/index.d.ts',
      );
    }
    // It has no CommonJS, so this profile leaves out how Node 10 and `require` resolve it.
    const found = Object.values(problems).flat().filter(isOfModules);
    expect(found).toEqual([]);
  });

  it.each([
    ['cli', 'cli/index.mjs'],
    ['aws-cdk', 'aws-cdk/index.mjs'],
    ['azure', 'functions/azure.tar.gz'],
  ])('are not made from a dist/%s that is older than its sources', async (part, built) => {
    const project = await mkdtemp(join(tmpdir(), 'ternion-stale-'));
    onTestFinished(() => rm(project, { recursive: true }));
    await mkdir(join(project, 'dist/meta'), { recursive: true });
    const parts: readonly (readonly [string, string])[] = [
      ['cli', 'cli/index.mjs'],
      ['aws-cdk', 'aws-cdk/index.mjs'],
      ...FUNCTION_TARGETS.map(({ name, host }) => [name, `functions/${host}.tar.gz`] as const),
    ];
    for (const [name, file] of parts) {
      await mkdir(join(project, 'dist', file, '..'), { recursive: true });
      await writeFile(join(project, 'dist', file), '');
      await writeFile(join(project, `${name}.ts`), '');
      const meta = join(project, 'dist/meta', `${name}.json`);
      await writeFile(meta, JSON.stringify({ inputs: { [`${name}.ts`]: {}, 'zod:generated': {} } }));
      if (name === part) await utimes(meta, new Date(0), new Date(0));
    }
    expect(() => stagePackages(project)).toThrow(
      new Error(`dist/${built} is older than ${part}.ts: run npm run build first`),
    );
    await rm(join(project, 'dist', built));
    expect(() => stagePackages(project)).toThrow(
      new Error(`dist/${built} is not built: run npm run build first`),
    );
  });

  it('begin with the line that makes the command one of Node, started as npm start does', async () => {
    const entry = await readFile(join(PROJECT, manifest.bin.ternion), 'utf8');
    expect(entry.startsWith(`#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}\n`)).toBe(true);
    expect(manifest.scripts.start).toBe(
      `node esbuild.config.mjs local && node ${NODE_FLAGS.join(' ')} dist/local/index.mjs`,
    );
  });
});

describe('a project that has installed the package', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    const file = packedAs('ternion').file;
    const koffi = existsSync(join(PROJECT, 'node_modules', KOFFI)) ? [KOFFI] : [];
    const others = packInstalled(koffi, folder);
    consumer = await install(new Map([['ternion', file], [RUNTIME, packedAs(RUNTIME).file], ...others]));
  });

  afterAll(() => consumer.remove());

  it('has at most 60 MB more, for one platform and without sharp', () => {
    const modules = join(consumer.folder, 'node_modules');
    expect(readdirSync(join(modules, '@ternion'))).toEqual([`runtime-${PLATFORM}`]);
    const bytes = sizeOf(modules);
    console.log(`node_modules with ternion on ${PLATFORM}: ${(bytes / 1e6).toFixed(1)} MB`);
    expect(bytes).toBeGreaterThan(20e6);
    expect(bytes).toBeLessThanOrEqual(60e6);
  });

  it('predicts in its own process', async () => {
    const { stdout } = await consumer.node(`
      import { open } from 'ternion';
      const model = await open(${IRIS});
      const { prediction } = await model.predict([5.1, 3.5, 1.4, 0.2]);
      console.log(model.name, prediction);
      await model.close();
    `);
    expect(stdout).toBe('iris setosa\n');
  });

  it('runs the command, and images as soon as sharp is there', async () => {
    const rows = await consumer.ternion('predict', join(PROJECT, 'models/iris/1'), '[5.1, 3.5, 1.4, 0.2]');
    expect(rows.stdout).toMatch(/^setosa /);
    const digit = join(PROJECT, 'test/fixtures/digits/07-label-7.png');
    const predict = () => consumer.ternion('predict', join(PROJECT, 'models/digits/1'), digit);
    await expect(predict()).rejects.toMatchObject({
      stderr: `${digit}: Images need sharp, which "npm install sharp@${SHARP_RANGE}" installs.\n`,
    });
    await consumer.add(...SHARP);
    expect((await predict()).stdout).toMatch(/^7 /);
  });

  it('synthesizes the stack in a CDK app of its own, below a stage and with its own bucket', async () => {
    await linkCdk(consumer);
    const { stdout } = await consumer.node(CDK_APP);
    const { Resources, Outputs } = JSON.parse(stdout);
    const handler = Object.values(Resources).find(isHandler);
    expect(handler).toMatchObject({
      Properties: {
        Architectures: ['arm64'],
        MemorySize: 1769,
        Timeout: 29,
        Environment: { Variables: { MODEL_REPOSITORY: 's3://our-bucket/ml/models', PRELOAD_MODELS: '*' } },
      },
    });
    expect(Object.values(Resources).filter(isBucket)).toEqual([]);
    expect(JSON.stringify(Resources)).toContain('/ml/models/*');
    expect(Outputs).toMatchObject({ ModelBucketName: { Value: 'our-bucket' } });
  });

  describe.each(['bundler', 'nodenext'])('with types resolved as %s does', (moduleResolution) => {
    const module = moduleResolution === 'bundler' ? 'esnext' : 'nodenext';
    const options = {
      module,
      moduleResolution,
      target: 'es2024',
      strict: true,
      noEmit: true,
      types: ['node'],
    };

    it('compiles code that uses the library', async () => {
      const compilerOptions = {
        ...options,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
      };
      expect(await compile(consumer, USE, compilerOptions)).toBe('');
    });

    it('compiles a CDK app', async () => {
      await linkCdk(consumer);
      // CDK's own types have mistakes for some options of the compiler.
      expect(await compile(consumer, CDK_USE, { ...options, skipLibCheck: true })).toBe('');
    });
  });
});

/** What the compiler says about code of the project. */
async function compile(consumer: Consumer, code: string, compilerOptions: object): Promise<string> {
  await consumer.add('@types/node', 'undici-types');
  await writeFile(join(consumer.folder, 'use.ts'), code);
  await writeFile(
    join(consumer.folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['use.ts'] }),
  );
  const compiler = join(PROJECT, 'node_modules/typescript/bin/tsc');
  return await promisify(execFile)(process.execPath, [compiler], { cwd: consumer.folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

/** CDK is 300 MB, so it is linked. */
async function linkCdk({ folder }: Consumer): Promise<void> {
  for (const name of ['aws-cdk-lib', 'constructs']) {
    const target = join(folder, 'node_modules', name);
    if (!existsSync(target)) await symlink(join(PROJECT, 'node_modules', name), target);
  }
}

/** A CDK app that prints the template of its stack. */
const CDK_APP = `
import { mkdirSync, writeFileSync } from 'node:fs';
import { App, Stack, Stage } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { InferenceStack } from 'ternion/aws-cdk';

mkdirSync('function', { recursive: true });
writeFileSync('function/index.mjs', '');
const app = new App();
const stage = new Stage(app, 'Production', { env: { account: '123456789012', region: 'eu-west-1' } });
const modelBucket = Bucket.fromBucketName(new Stack(stage, 'Ours'), 'Bucket', 'our-bucket');
const { artifactId } = new InferenceStack(stage, 'Models', {
  codeFolder: 'function',
  modelsFolder: ${JSON.stringify(join(PROJECT, 'models'))},
  modelBucket,
  modelPrefix: 'ml/models',
});
console.log(JSON.stringify(stage.synth().getStackArtifact(artifactId).template));
`;

function isBucket(resource: unknown): boolean {
  return JSON.stringify(resource).startsWith('{"Type":"AWS::S3::Bucket"');
}

function isHandler(resource: unknown): boolean {
  return JSON.stringify(resource).includes('"Runtime":"nodejs24.x"');
}

/** Code of a project. Each expected error is one, or the compiler complains. */
const USE = `
import { createApp, defineConfig, defineProcessor, invalid, open, PredictError, serve, type ModelPrediction } from 'ternion';

declare module 'ternion' {
  interface Models {
    'models/iris': { input: { petal_length: number }; prediction: { prediction: string } };
  }
}

const known = await open('models/iris');
const species: string = (await known.predict({ petal_length: 1 })).prediction;
// @ts-expect-error this model has no such input
await known.predict({ petal: 1 });

const other = await open('models/other', { repository: 'models' });
const prediction: ModelPrediction = await other.predict([1, 2]);
// @ts-expect-error what any model gives is not known
const wrong: string = prediction.prediction;

const step = defineProcessor({
  name: 'step',
  before: (instances) => instances.map((each) => {
    if (each === null) throw invalid('instances', 'has null.');
    return each;
  }),
});
export default defineConfig({ processors: [step] });

const app = createApp({ repository: 'models' });
const response: Response = await app.fetch(new Request('http://localhost/health'));
const { url, close } = await serve({ port: 0 });
try {
  await close(10);
} catch (error) {
  if (error instanceof PredictError) console.log(error.status, error.code);
}
console.log(species, wrong, response.status, url);
// @ts-expect-error internal types are not public
type Internal = import('ternion').JsonValue;
`;

const CDK_USE = `
import { App } from 'aws-cdk-lib';
import { InferenceFunction, InferenceStack, ModelBucket } from 'ternion/aws-cdk';

const stack = new InferenceStack(new App(), 'Models', { codeFolder: 'code', modelsFolder: 'models' });
const models = new ModelBucket(stack, 'Others');
const { handler } = new InferenceFunction(stack, 'Other', { models, codeFolder: 'code' });
// @ts-expect-error there is no such processor
new InferenceFunction(stack, 'Wrong', { models, codeFolder: 'code', architecture: 'riscv' });
console.log(handler.functionName);
`;

describe('a project without the package of its platform', () => {
  let consumer: Consumer;

  beforeAll(async () => {
    consumer = await install(new Map([['ternion', packedAs('ternion').file]]));
  });

  afterAll(() => consumer.remove());

  it('imports the library, and the first model names what to install', async () => {
    expect(existsSync(join(consumer.folder, 'node_modules/@ternion'))).toBe(false);
    const { stdout } = await consumer.node(`
      import { createApp, open } from 'ternion';
      const app = createApp({ repository: ${JSON.stringify(join(PROJECT, 'models'))}, environment: { LOG_LEVEL: 'silent' } });
      const listed = await app.fetch(new Request('http://localhost/models'));
      console.log(listed.status);
      await app.close();
      await open(${IRIS}).catch(({ message }) => console.log(message));
    `);
    expect(stdout.split('\n')).toEqual([
      '200',
      `Model "iris" version "2" cannot be loaded: ONNX Runtime is missing, which "npm install ${RUNTIME}@${manifest.version}" installs.`,
      '',
    ]);
  });
});
