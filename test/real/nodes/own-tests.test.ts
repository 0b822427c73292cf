import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Consumer, install, type Packed, PLATFORM, packAll } from '../../bundles/npm/installed.ts';
import { readBlocks } from '../../support/documented-commands.ts';
import { MODELS, PROJECT } from '../../support/project.ts';
import { writeFiles } from '../../support/temporary-folder.ts';
import { folderOf } from '../installation.ts';
import { counterpart } from './counterpart.ts';

const run = promisify(execFile);

/** The blocks of a page. */
function blocksOf(page: string, language: string): readonly string[] {
  return readBlocks(readFileSync(join(PROJECT, 'docs', page), 'utf8'), language);
}

const [CONFIG = ''] = blocksOf('own-code.md', 'ts');
const [STEPS = ''] = blocksOf('own-code.md', 'json');
const [IMPORTING = ''] = blocksOf('library.md', 'ts').filter((block) =>
  block.includes('../ternion.config.ts'),
);
const [LOADING = ''] = blocksOf('library.md', 'ts').filter((block) => block.includes('await loadConfig()'));

const node = (name: string) => join(folderOf(counterpart), 'node_modules', name, 'bin/node');

describe('the own tests of a project', () => {
  let packed: Packed;
  let project: Consumer;

  beforeAll(async () => {
    packed = await packAll();
    const names = ['ternion', `@ternion/runtime-${PLATFORM}`];
    const files = names.map((name) => [name, packed.packages.get(name)?.file ?? ''] as const);
    project = await install(new Map(files));
    await project.add('esbuild', '@esbuild', 'zod', '@types/node', 'undici-types');
    await cp(MODELS, join(project.folder, 'models'), { recursive: true });
    const path = join(project.folder, 'models/iris/2/model.json');
    const config: object = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify({ ...config, ...JSON.parse(`{${STEPS}}`) }));
    await writeFiles(project.folder, { 'ternion.config.ts': CONFIG });
  });
  afterAll(async () => {
    await project?.remove();
    await rm(packed.folder, { recursive: true, force: true });
  });

  async function test(program: string, file: string, source: string): Promise<string> {
    await rm(join(project.folder, 'test'), { recursive: true, force: true });
    await writeFiles(project.folder, { [`test/${file}`]: source });
    const { stdout } = await run(program, ['--test', '--test-reporter=tap'], {
      cwd: project.folder,
      // A test runner inside of another one says nothing.
      env: { PATH: process.env.PATH ?? '' },
    }).catch((failed: { stdout: string }) => failed);
    return stdout;
  }

  it.each([
    ['20', () => node('node20')],
    ['22', () => node('node22')],
    ['24', () => process.execPath],
  ])('load the configuration on Node %s', async (version, program) => {
    expect((await run(program(), ['--version'])).stdout).toMatch(`v${version}.`);
    expect(await test(program(), 'iris.test.mjs', LOADING)).toMatch(/^# pass 1\n# fail 0$/m);
    const wrong = LOADING.replace("'setosa'", "'rose'");
    expect(await test(program(), 'iris.test.mjs', wrong)).toMatch(/^# pass 0\n# fail 1$/m);
  });

  it.each([
    ['22', () => node('node22')],
    ['24', () => process.execPath],
  ])('import the configuration on Node %s', async (_version, program) => {
    expect(await test(program(), 'iris.test.ts', IMPORTING)).toMatch(/^# pass 1\n# fail 0$/m);
  });

  it('import the configuration in Vitest', async () => {
    await rm(join(project.folder, 'test'), { recursive: true, force: true });
    const test = IMPORTING.replace("import { after, test } from 'node:test';", '').replace(
      'after(',
      'afterAll(',
    );
    await writeFiles(project.folder, { 'test/iris.test.ts': test });
    const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
    const report = join(project.folder, 'report.json');
    const args = [
      vitest,
      'run',
      '--globals',
      '--root',
      project.folder,
      '--reporter',
      'json',
      '--outputFile',
      report,
    ];
    await run(process.execPath, args, { cwd: project.folder });
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
      numPassedTests: 1,
      numFailedTests: 0,
    });
  });

  it('have types that fit', async () => {
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2024',
      strict: true,
      exactOptionalPropertyTypes: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      types: ['node'],
    };
    await writeFiles(project.folder, {
      'test/iris.test.ts': IMPORTING,
      'test/app.test.ts': USES,
      'tsconfig.json': JSON.stringify({ compilerOptions, include: ['test'] }),
    });
    const compiler = join(PROJECT, 'node_modules/typescript/bin/tsc');
    const compiled = await run(process.execPath, [compiler], { cwd: project.folder }).catch(
      (failed: { stdout: string }) => failed,
    );
    expect(compiled.stdout).toBe('');
  });
});

const USES = `
import { createApp, loadConfig, open, type OwnCode, serve } from 'ternion';
import config from '../ternion.config.ts';

const loaded: OwnCode = await loadConfig('ternion.config.ts');
createApp({ ...config, repository: 'models' });
await open('iris', { ...config, repository: 'models' });
await open('iris', loaded);
await serve({ ...loaded, port: 0 });
`;
