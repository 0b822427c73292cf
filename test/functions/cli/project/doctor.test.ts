import { describe, expect, it } from 'vitest';
import { startCommand } from '../../../support/run-command.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

interface Finding {
  readonly what: string;
  readonly state: string;
  readonly text: string;
}

async function examine(
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
) {
  const folder = await makeFolder(files);
  const home = { HOME: folder, ...environment };
  const { code, stdout } = await startCommand(['doctor', '--json'], '', home, folder).outcome;
  const findings: readonly Finding[] = JSON.parse(stdout);
  return { code, of: (what: string) => findings.find((each) => each.what === what) };
}

describe('ternion doctor', () => {
  it('finds what this machine has', async () => {
    const { code, of } = await examine({});
    expect(code).toBe(0);
    expect(of('Node')).toEqual({ what: 'Node', state: 'ok', text: process.version });
    expect(of('ONNX Runtime')).toMatchObject({ state: 'ok' });
    expect(of('images')).toMatchObject({ state: 'ok', text: expect.stringContaining('libvips') });
    expect(of('models')).toEqual({
      what: 'models',
      state: 'note',
      text: 'there is no folder models yet: npx ternion add <model.onnx or folder>',
    });
    expect(of('credentials')).toMatchObject({ state: 'note' });
    expect(of('own code')).toBeUndefined();
  });

  it('says what is missing for own code, and fails', async () => {
    const { code, of } = await examine({
      'ternion.config.ts': 'export default {};',
      'models/iris/1/model.onnx': 'x',
    });
    expect(code).toBe(1);
    expect(of('own code')).toEqual({
      what: 'own code',
      state: 'missing',
      text: 'ternion.config.ts needs esbuild: npm install --save-dev esbuild',
    });
    expect(of('models')).toEqual({ what: 'models', state: 'ok', text: '1 folder in models' });
  });

  it('looks for credentials without showing them', async () => {
    const keys = { AWS_ACCESS_KEY_ID: 'AKIASECRET', AWS_SECRET_ACCESS_KEY: 'hidden' };
    const without = await examine({}, keys);
    expect(without.of('credentials')).toEqual({
      what: 'credentials',
      state: 'note',
      text: 'AWS; AWS has no region: set AWS_REGION',
    });
    const complete = await examine({}, { ...keys, AWS_REGION: 'eu-central-1' });
    expect(complete.of('credentials')).toEqual({ what: 'credentials', state: 'ok', text: 'AWS' });
  });

  it('looks for what deployments need', async () => {
    const without = await examine({}, { PATH: '' });
    const packages = ['aws-cdk', 'aws-cdk-lib', 'constructs'];
    expect(without.of('CDK')).toEqual({
      what: 'CDK',
      state: 'note',
      text: `only the stack on AWS needs it: npm install --save-dev ${packages.join(' ')}`,
    });
    expect(without.of('gcloud')?.state).toBe('note');
    const installed = packages.map((name) => [`node_modules/${name}/package.json`, '{}']);
    const bin = await makeFolder({ gcloud: '', az: '' });
    const complete = await examine(Object.fromEntries(installed), { PATH: bin });
    expect(['CDK', 'gcloud', 'az'].map((what) => complete.of(what)?.state)).toEqual(['ok', 'ok', 'ok']);
  });

  it('prints a line each for people', async () => {
    const folder = await makeFolder({});
    const { stdout } = await startCommand(['doctor'], '', {}, folder).outcome;
    expect(stdout).toMatch(/^ {2}ok {4}Node +v\d+\.\d+\.\d+\n/);
  });
});
