import { existsSync, globSync, mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { createStack, createWorkspace, synthesize } from './synthesize.ts';

const workspace = createWorkspace();
afterAll(() => workspace[Symbol.dispose]());

const template = synthesize(createStack(workspace));
const copy = template.only('Custom::CDKBucketDeployment').Properties;
const handler = template.only('AWS::Lambda::Function', { Runtime: 'nodejs24.x' });

/** Files of the package that is copied, found by the name that CDK gave it. */
function packagedFiles(): string[] {
  const [key] = z.tuple([z.string()]).parse(copy.SourceObjectKeys);
  const [folder] = globSync(`${workspace.outputFolder}*/asset.${basename(key, '.zip')}`);
  if (folder === undefined) throw new Error('CDK staged no package.');
  return globSync('**/*', { cwd: folder, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

describe('example models', () => {
  test('are copied to where the function looks for models', () => {
    expect(copy).toMatchObject({ DestinationBucketKeyPrefix: 'models' });
    expect(JSON.stringify(handler.Properties.Environment)).toContain(
      JSON.stringify(copy.DestinationBucketName),
    );
  });

  test('are complete model versions, and nothing else', () => {
    expect(packagedFiles()).toEqual([
      'iris/1/model.onnx',
      'iris/1/requirements.txt',
      'iris/2/model.json',
      'iris/2/model.onnx',
    ]);
  });

  test('never replace deployment.json, and never delete', () => {
    expect(copy).toMatchObject({ Prune: false, Exclude: ['*/deployment.json'] });
    expect(copy.RetainOnDelete ?? true).toBe(true);
  });

  test('are copied before the function starts', () => {
    const dependencies = handler.DependsOn.map((id) => template.Resources[id]?.Type);
    expect(dependencies).toContain('Custom::CDKBucketDeployment');
  });

  test('are copied by a role that can write models, but not deployment.json', () => {
    const { Properties } = template.follow(copy.ServiceToken);
    const { Ref } = z.object({ Ref: z.string() }).parse(copy.DestinationBucketName);
    const arn = { 'Fn::GetAtt': [Ref, 'Arn'] };
    const policies = z
      .array(
        z.object({ PolicyDocument: z.object({ Statement: z.array(z.record(z.string(), z.unknown())) }) }),
      )
      .parse(template.follow(Properties.Role).Properties.Policies);
    const statements = policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
    expect(statements).toEqual([
      { Effect: 'Allow', Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: expect.anything() },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: expect.anything() },
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: arn,
        Condition: { StringLike: { 's3:prefix': 'models/*' } },
      },
      { Effect: 'Allow', Action: 's3:PutObject', Resource: { 'Fn::Join': ['', [arn, '/models/*']] } },
      {
        Effect: 'Deny',
        Action: 's3:PutObject',
        Resource: { 'Fn::Join': ['', [arn, '/models/*/deployment.json']] },
      },
    ]);
  });

  test('are read from the packages of this app only', () => {
    const { Properties } = template.follow(copy.ServiceToken);
    const policies = JSON.stringify(template.follow(Properties.Role).Properties.Policies);
    expect(policies).toContain('/ternion/*');
    expect(copy.SourceObjectKeys).toEqual([expect.stringMatching(/^ternion\/[0-9a-f]+\.zip$/)]);
  });

  test('leave no function in the stack when they are switched off', () => {
    const without = synthesize(createStack(workspace, { copiesModels: false }));
    expect(without.ofType('Custom::CDKBucketDeployment')).toEqual([]);
    expect(without.ofType('AWS::Lambda::Function')).toHaveLength(1);
  });

  test.each([
    ['a folder that does not exist', 'nowhere'],
    ['a folder without models', 'empty'],
  ])('%s is refused', (_, name) => {
    const modelsFolder = join(dirname(workspace.modelsFolder), name);
    if (name === 'empty') mkdirSync(join(modelsFolder, 'iris', '1'), { recursive: true });
    expect(existsSync(modelsFolder)).toBe(name === 'empty');
    expect(() => createStack(workspace, { modelsFolder })).toThrow(`${modelsFolder} holds no model`);
  });
});

describe('package of the function', () => {
  test('holds no models', () => {
    const { S3Key } = z.object({ S3Key: z.string() }).parse(handler.Properties.Code);
    const [folder] = globSync(`${workspace.outputFolder}*/asset.${basename(S3Key, '.zip')}`);
    expect(globSync('*', { cwd: folder ?? '' }).sort()).toEqual(['index.mjs', 'native']);
  });
});
