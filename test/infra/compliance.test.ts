import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { CfnRoute } from 'aws-cdk-lib/aws-apigatewayv2';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { BlockPublicAccess, Bucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { acknowledge } from '../../infra/compliance.ts';
import type { InferenceStack } from '../../infra/inference-stack.ts';
import { createStack, createWorkspace } from './synthesize.ts';

const workspace = createWorkspace();
afterAll(() => workspace[Symbol.dispose]());

const findingSchema = z.object({ ruleName: z.string() });
const reportSchema = z.object({
  pluginReports: z.array(
    z.object({
      pluginName: z.string(),
      violations: z.array(findingSchema),
      suppressedViolations: z
        .array(findingSchema.extend({ reason: z.string(), acknowledgedAt: z.string() }))
        .default([]),
    }),
  ),
});

/** The findings of cdk-nag for a stack, after a synth that may throw. */
function check(stack: InferenceStack) {
  const app = App.of(stack);
  if (!app) throw new Error('The stack is in no app.');
  let failed = false;
  try {
    app.synth();
  } catch {
    failed = true;
  }
  const path = join(app.outdir, 'validation-report.json');
  if (!existsSync(path)) throw new Error('The synth failed before anything was checked.');
  const reports = reportSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).pluginReports;
  const nag = reports.find(({ pluginName }) => pluginName === 'AwsSolutions');
  if (!nag) throw new Error('cdk-nag did not run.');
  return {
    failed,
    violations: nag.violations.map(({ ruleName }) => ruleName),
    acknowledged: nag.suppressedViolations,
  };
}

const acknowledgements = ({ acknowledged }: ReturnType<typeof check>) =>
  acknowledged
    .map(({ ruleName, acknowledgedAt }) => {
      const rule = ruleName.replace('AwsSolutions-', '').replace(/<[A-Za-z0-9]+\.Arn>/, '<bucket>');
      return `${rule} at ${acknowledgedAt.replace(/8693BB.*/, '')}`;
    })
    .sort();

// Built here, because the first synth loads the rules, which takes seconds.
const usual = check(createStack(workspace));
const opened = check(
  createStack(workspace, { apiAuthorization: 'none', functionUrl: 'public', copiesModels: false }),
);

const registry = check(createStack(workspace, { registry: true, copiesModels: false }));

describe('compliance', () => {
  test.each([
    ['usual', usual],
    ['opened', opened],
    ['registry', registry],
  ])('the %s stack is clean', (_, { failed, violations }) => {
    expect({ failed, violations }).toEqual({ failed: false, violations: [] });
  });

  test('the usual stack accepts these findings and no other', () => {
    expect(acknowledgements(usual)).toEqual([
      'IAM5[Resource::<bucket>/models/*] at Ternion/Examples/Role',
      'IAM5[Resource::<bucket>/models/*] at Ternion/Inference/Role',
      'IAM5[Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/ternion/*] at Ternion/Examples/Role',
      'L1 at Ternion/Custom::CDKBucketDeployment',
    ]);
  });

  test('an open API is accepted only if the settings ask for it', () => {
    expect(acknowledgements(opened)).toEqual([
      'APIG4 at Ternion/Endpoint/Api',
      'IAM5[Resource::<bucket>/models/*] at Ternion/Inference/Role',
    ]);
  });

  test('what a registry writes is accepted only if the settings ask for it', () => {
    expect(acknowledgements(registry)).toEqual([
      'IAM5[Resource::<bucket>/models/*/*] at Ternion/Inference/Role',
      'IAM5[Resource::<bucket>/models/*/deployment.json] at Ternion/Inference/Role',
      'IAM5[Resource::<bucket>/models/*] at Ternion/Inference/Role',
      'SMG4 at Ternion/Inference/AdminKey',
    ]);
  });

  test('every acknowledgement says why', () => {
    for (const { reason } of [usual, opened, registry].flatMap(({ acknowledged }) => acknowledged)) {
      expect(reason.length).toBeGreaterThan(60);
    }
  });
});

/** Ways to break a promise, with the finding that must stop the synth. */
const BROKEN: readonly (readonly [string, (stack: InferenceStack) => void, RegExp])[] = [
  [
    'a public bucket',
    (stack) => {
      const blockPublicAccess = BlockPublicAccess.BLOCK_ACLS_ONLY;
      new Bucket(stack, 'Open', { publicReadAccess: true, blockPublicAccess });
    },
    /-S2$/,
  ],
  [
    'an API opened past its setting',
    (stack) => {
      for (const construct of stack.node.findAll()) {
        if (construct instanceof CfnRoute) construct.authorizationType = 'NONE';
      }
    },
    /-APIG4$/,
  ],
  [
    'a wildcard action on the function',
    ({ inference }) =>
      inference.handler.addToRolePolicy(
        new PolicyStatement({ actions: ['s3:*'], resources: ['arn:aws:s3:::other'] }),
      ),
    /-IAM5\[Action::s3:\*\]$/,
  ],
  [
    'a wildcard resource beside the accepted one',
    ({ inference }) =>
      inference.handler.addToRolePolicy(new PolicyStatement({ actions: ['s3:GetObject'], resources: ['*'] })),
    /-IAM5\[Resource::\*\]$/,
  ],
  ['a grant of the bucket', ({ models, inference }) => models.bucket.grantRead(inference.handler), /-IAM5\[/],
  [
    'a policy of AWS',
    ({ inference }) =>
      inference.handler.role?.addManagedPolicy(
        ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaBasicExecutionRole'),
      ),
    /-IAM4\[/,
  ],
];

describe('a broken promise', () => {
  test.each(BROKEN)('%s fails the synth', (_, breakPromise, finding) => {
    const stack = createStack(workspace, { copiesModels: false });
    breakPromise(stack);
    const { failed, violations } = check(stack);
    expect(failed).toBe(true);
    expect(violations).toContainEqual(expect.stringMatching(finding));
  });

  test('is accepted only on the construct where it was acknowledged', () => {
    const stack = createStack(workspace, { copiesModels: false });
    const props = { enforceSSL: true, bucketName: 'no-logs' };
    acknowledge(new Bucket(stack, 'First', props), 'S1', 'A test.');
    expect(check(stack)).toMatchObject({ failed: false, violations: [] });
    const other = createStack(workspace, { copiesModels: false });
    acknowledge(new Bucket(other, 'First', props), 'S1', 'A test.');
    new Bucket(other, 'Second', { enforceSSL: true });
    expect(check(other)).toMatchObject({ failed: true, violations: ['AwsSolutions-S1'] });
  });
});
