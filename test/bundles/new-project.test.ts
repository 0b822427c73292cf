import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkTargetsOf } from '../../docs/site/markdown.ts';
import { PROJECT } from '../support/project.ts';
import { type Consumer, install, PLATFORM, packAll } from './npm/installed.ts';

const run = promisify(execFile);

const RUNTIME = `@ternion/runtime-${PLATFORM}`;

/** What `npm install` in the new project would get from elsewhere. */
const TOOLS = ['esbuild', `@esbuild/${PLATFORM}`, 'zod', '@types/node', 'undici-types'];

const COMPILER = join(PROJECT, 'node_modules/typescript/bin/tsc');

describe('a project that ternion init of the package has made', () => {
  let packed: string;
  let consumer: Consumer;
  /** In the folder in which the package is installed, so that it finds the packages there. */
  let project: string;

  const npm = (...args: readonly string[]) => run('npm', args, { cwd: project });
  const predict = (row: string) =>
    run(join(consumer.folder, 'node_modules/.bin/ternion'), ['predict', 'iris', row, '--json'], {
      cwd: project,
    });

  beforeAll(async () => {
    const { folder, packages } = await packAll();
    packed = folder;
    const files = [...packages].filter(([name]) => name === 'ternion' || name === RUNTIME);
    consumer = await install(new Map(files.map(([name, { file }]) => [name, file])));
    await consumer.add(...TOOLS);
    await consumer.ternion('init', 'my-project', '--clouds', 'aws,gcp,azure');
    project = join(consumer.folder, 'my-project');
  });

  afterAll(async () => {
    await consumer.remove();
    await rm(packed, { recursive: true });
  });

  it('answers as its reference.json says, with its own code', async () => {
    const { cases } = JSON.parse(await readFile(join(project, 'models/iris/1/reference.json'), 'utf8'));
    expect(cases).toHaveLength(2);
    for (const { request, expected } of cases) {
      const { stdout } = await predict(JSON.stringify(request));
      expect(JSON.parse(stdout)).toMatchObject({
        ...expected,
        confidence: expect.closeTo(expected.confidence, 4),
      });
    }
    await expect(predict('[5.1, 3.5, 1.4, "wide"]')).rejects.toMatchObject({
      stderr: 'Field "features[3]" (petal_width) is the string "wide"; expected a number.\n',
    });
  });

  it('is a model that can be published again, with the answers of its own code', async () => {
    const { stdout } = await run(
      join(consumer.folder, 'node_modules/.bin/ternion'),
      ['add', 'models/iris/1', '--name', 'again', '-r', '../published', '--json'],
      { cwd: project },
    );
    expect(JSON.parse(stdout)).toMatchObject({ model: 'again', references: 2, warnings: [] });
  });

  it('compiles, before and after its types are written', async () => {
    const compile = () => run(process.execPath, [COMPILER], { cwd: project });
    expect((await compile()).stdout).toBe('');
    await npm('run', 'types');
    expect(await readFile(join(project, 'ternion.models.d.ts'), 'utf8')).toContain('"models/iris": { input:');
    expect((await compile()).stdout).toBe('');
  });

  it('passes its own test, which fails when the own code answers something else', async () => {
    const { stdout } = await npm('test');
    expect(stdout).toMatch(/\bpass 3\b/);
    const path = join(project, 'ternion.config.ts');
    const code = await readFile(path, 'utf8');
    await writeFile(path, code.replace('species: prediction', "species: 'rose'"));
    await expect(npm('test')).rejects.toMatchObject({
      stdout: expect.stringMatching(/a flower that the model is sure about.*\bfail 1\b/s),
    });
    await writeFile(path, 'export default {');
    // The reason of the compiler is in the failure.
    await expect(npm('test')).rejects.toMatchObject({
      stdout: expect.stringContaining('ternion.config.ts cannot be compiled'),
    });
    await writeFile(path, code);
  });

  it('has a README whose links lead to pages of the package', async () => {
    const links = linkTargetsOf(await readFile(join(project, 'README.md'), 'utf8'));
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(join(consumer.folder, link)))).toEqual([]);
  });
});
