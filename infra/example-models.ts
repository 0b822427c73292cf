import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { IgnoreMode, Stack } from 'aws-cdk-lib';
import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { BucketDeployment, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { type FoundVersions, findVersions } from '../functions/cli/deploy/find-versions.ts';
import { acknowledge, acknowledgeWildcard } from './compliance.ts';
import { createLogGroup, writeLogStatement } from './log-group.ts';
import type { ModelBucket } from './model-bucket.ts';
import { SettingsError } from './settings-error.ts';

export interface ExampleModelsProps {
  readonly models: ModelBucket;
  /** A model repository on this machine. */
  readonly folder: string;
  readonly logRetentionDays: RetentionDays;
}

/**
 * Copies the model versions of a folder into the bucket at each deployment in which they have changed.
 *
 * Files that users put there stay: nothing is deleted. `deployment.json`, which says what is live, is not packed and
 * not copied, and the role that copies has no access to it.
 */
export class ExampleModels extends Construct {
  /** The versions that are copied. */
  readonly versions: FoundVersions;

  constructor(scope: Construct, id: string, props: ExampleModelsProps) {
    super(scope, id);
    this.versions = existsSync(props.folder) ? findVersions(props.folder) : new Map();
    if (this.versions.size === 0) throw new SettingsError(noModels(props.folder));
    const asset = new Asset(this, 'Package', {
      path: props.folder,
      exclude: findOtherFiles(props.folder, this.versions),
      ignoreMode: IgnoreMode.GIT,
    });
    const logGroup = createLogGroup(this, 'Logs', props.logRetentionDays);
    const role = createCopyRole(this, props.models, asset, logGroup);
    new BucketDeployment(this, 'Copy', {
      sources: [Source.bucket(asset.bucket, asset.s3ObjectKey)],
      destinationBucket: props.models.bucket,
      destinationKeyPrefix: props.models.prefix,
      exclude: ['*/deployment.json'],
      prune: false,
      // The function's /tmp holds 512 MB, so more memory would not allow larger models.
      memoryLimit: 512,
      logGroup,
      // BucketDeployment would add s3:GetObject*, s3:DeleteObject* and more, on all objects of both buckets.
      role: role.withoutPolicyUpdates(),
    });
    acknowledgeCopyRuntime(Stack.of(this));
  }
}

function createCopyRole(scope: Construct, models: ModelBucket, asset: Asset, logGroup: LogGroup): Role {
  const key = asset.s3ObjectKey;
  const packages = asset.bucket.arnForObjects(`${key.slice(0, key.lastIndexOf('/') + 1)}*`);
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: {
      WriteLog: new PolicyDocument({ statements: [writeLogStatement(logGroup)] }),
      CopyModels: new PolicyDocument({
        statements: [
          new PolicyStatement({ actions: ['s3:GetObject'], resources: [packages] }),
          models.listStatement(),
          // S3 reads back the parts of a large file.
          ...models.keyStatements('kms:GenerateDataKey', 'kms:Decrypt'),
          new PolicyStatement({ actions: ['s3:PutObject'], resources: [models.modelFiles] }),
          new PolicyStatement({
            effect: Effect.DENY,
            actions: ['s3:PutObject'],
            resources: [models.deploymentFiles],
          }),
        ],
      }),
    },
  });
  acknowledgeWildcard(
    role,
    packages,
    'A package is named by the hash of its content. A policy that named one would change together with it, and the ' +
      'copy could start before IAM knows. The wildcard covers the packages of this app only.',
  );
  acknowledgeWildcard(
    role,
    models.modelFiles,
    'The copy writes as many files as the example models have. The only action on the wildcard is s3:PutObject ' +
      'into the model repository, deployment.json is denied, and the bucket keeps replaced versions.',
  );
  return role;
}

/** CDK shares one copy function among all deployments of a stack, so it is a child of the stack. */
function acknowledgeCopyRuntime(stack: Stack): void {
  const copy = stack.node.children.find(({ node }) => node.id.startsWith('Custom::CDKBucketDeployment'));
  if (!copy) throw new Error('aws-cdk-lib has changed the name of the function of BucketDeployment.');
  acknowledge(
    copy,
    'L1',
    'aws-cdk-lib brings the code of this function and picks the Python it is tested with; only CloudFormation ' +
      'calls it, and an update of aws-cdk-lib updates both.',
  );
}

/**
 * The files of a model repository that are not part of a version (training scripts, notes, caches, `deployment.json`),
 * as patterns of a `.gitignore`. A version is copied completely, because a missing file would fail its integrity check.
 */
function findOtherFiles(folder: string, versions: FoundVersions): string[] {
  const others = ['.DS_Store'];
  for (const model of readdirSync(folder, { withFileTypes: true })) {
    if (!model.isDirectory()) {
      others.push(pattern(model.name));
      continue;
    }
    const found = versions.get(model.name) ?? [];
    const names = readdirSync(join(folder, model.name));
    others.push(...names.filter((name) => !found.includes(name)).map((name) => pattern(model.name, name)));
  }
  return others;
}

function pattern(...names: readonly string[]): string {
  return names.map((name) => `/${name.replace(/[\\*?[\]]/g, '\\$&')}`).join('');
}

function noModels(folder: string): string {
  return (
    `${folder} holds no model (<name>/<version>/model.onnx). "ternion add <model> --name <name> -r <folder>" publishes one into a folder for --models; ` +
    'without any, set -c seedExampleModels=false.'
  );
}
