import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { PROJECT } from '../support/project.ts';
import { createWorkspace } from './synthesize.ts';

const COMMAND = join(PROJECT, 'dist/cli/index.mjs');

const workspace = createWorkspace();
afterAll(() => workspace[Symbol.dispose]());

/** Runs the app as the CDK command line does. */
function runApp(settings: Readonly<Record<string, string>>) {
  const { codeFolder, modelsFolder, outputFolder } = workspace;
  const [command = '', ...commandArguments] = cdkJson.app.split(' ');
  return spawnSync(command === 'node' ? process.execPath : command, commandArguments, {
    cwd: PROJECT,
    encoding: 'utf8',
    env: {
      ...process.env,
      CDK_OUTDIR: outputFolder,
      CDK_CONTEXT_JSON: JSON.stringify({ ...cdkJson.context, codeFolder, modelsFolder, ...settings }),
    },
  });
}

// Each run loads aws-cdk-lib again, which takes seconds on a busy machine.
describe('app', { timeout: 60_000 }, () => {
  test('writes the stack', () => {
    const { status, stderr } = runApp({ stackName: 'staging' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(existsSync(join(workspace.outputFolder, 'Ternion.template.json'))).toBe(true);
  });

  test.each([
    ['setting', { architecture: 'arm' }, '-c architecture="arm" must be one of arm64, x86_64.\n'],
    [
      'variable',
      { defaultModel: 'a/b' },
      'DEFAULT_MODEL="a/b" must be a model name (letters, digits, ".", "_" and "-").\n',
    ],
    [
      'folder',
      { codeFolder: '/nowhere' },
      '/nowhere holds no built function (index.mjs): "npx ternion build aws-arm64" makes one in dist/aws-arm64.\n',
    ],
  ])('answers a wrong %s with a sentence and no stack trace', (_, settings, sentence) => {
    const { status, stderr } = runApp(settings);
    expect({ status, stderr }).toEqual({ status: 1, stderr: sentence });
  });
});

describe('cdk.json', () => {
  test('keeps CDK from calling home', () => {
    expect(cdkJson).toMatchObject({
      versionReporting: false,
      notices: false,
      context: { 'cli-telemetry': false },
    });
  });
});

describe('npm run synth', { timeout: 60_000 }, () => {
  const synth = (...settings: readonly string[]) => {
    const { codeFolder, modelsFolder, outputFolder } = workspace;
    const context = [`codeFolder=${codeFolder}`, ...settings].flatMap((each) => ['-c', each]);
    const folders = ['--models', modelsFolder, '--output', outputFolder];
    return spawnSync(process.execPath, [COMMAND, 'synth', 'aws', ...folders, ...context], {
      cwd: PROJECT,
      encoding: 'utf8',
    });
  };

  test('reports what it has written, and where', () => {
    const { status, stdout } = synth();
    expect({ status, stdout: stdout.split('\n') }).toEqual({
      status: 0,
      stdout: [
        'packed iris 1, 2',
        `The template of the stack is valid: ${relative(PROJECT, workspace.outputFolder)}/Ternion.template.json`,
        expect.stringMatching(/^ {2}\d\d resources, including \d functions, \d buckets and \d alarms$/),
        `Nothing was deployed. To deploy the stack: npx ternion deploy aws --models ${workspace.modelsFolder} -c codeFolder=${workspace.codeFolder}`,
        '',
      ],
    });
  });

  test('passes its options on, and fails if the settings are wrong', () => {
    const { status, stdout, stderr } = synth('architecture=arm');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toContain('-c architecture="arm" must be one of arm64, x86_64.');
  });
});

describe('ternion synth in a project', { timeout: 60_000 }, () => {
  // A shell would run what is in the name.
  const folder = mkdtempSync(join(tmpdir(), "ternion-$(touch x) it's-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('has an app of the package in a folder of any name', () => {
    symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
    symlinkSync(join(PROJECT, 'dist/aws-cdk'), join(folder, 'aws-cdk'));
    const { codeFolder, modelsFolder } = workspace;
    const args = ['synth', 'aws', '--models', modelsFolder, '-c', `codeFolder=${codeFolder}`, '--json'];
    const { status, stdout } = spawnSync(process.execPath, [COMMAND, ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ status, stdout: JSON.parse(stdout) }).toEqual({
      status: 0,
      stdout: [{ template: 'cdk.out/Ternion.template.json', resources: expect.any(Number) }],
    });
    expect(readdirSync(folder).sort()).toEqual(['aws-cdk', 'cdk.out', 'node_modules']);
  });

  test('builds for an app of its own', () => {
    const app = `
      import { App, Stack } from 'aws-cdk-lib';
      const app = new App();
      new Stack(app, 'Mine');
      new Stack(app, 'Other');`;
    writeFileSync(join(folder, 'app.mjs'), app);
    writeFileSync(join(folder, 'cdk.json'), JSON.stringify({ app: 'node app.mjs' }));
    const { status, stdout } = spawnSync(process.execPath, [COMMAND, 'synth', 'aws'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect([status, stdout.match(/cdk\.out\/\S+/g)]).toEqual([
      0,
      ['cdk.out/Mine.template.json', 'cdk.out/Other.template.json'],
    ]);
    expect(existsSync(join(folder, 'dist/aws-arm64/index.mjs'))).toBe(true);
  });
});

describe('npm run deploy:aws', () => {
  test('says that npm has kept an option for itself', () => {
    const { status, stderr } = spawnSync(process.execPath, [COMMAND, 'deploy', 'aws', 'my-models'], {
      cwd: PROJECT,
      encoding: 'utf8',
      env: { ...process.env, npm_config_models: 'true', npm_lifecycle_event: 'deploy:aws' },
    });
    expect([status, stderr]).toEqual([
      1,
      'npm has kept the option --models for itself; write "--" before it: npm run deploy:aws -- --models <folder>\n',
    ]);
  });

  test('refuses an unknown option with a sentence, before anything is deployed', () => {
    const args = [COMMAND, 'deploy', 'aws', '--memorySizeMb', '3008'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: PROJECT,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^--memorySizeMb is not an option\. [^\n]*\n$/);
  });
});
