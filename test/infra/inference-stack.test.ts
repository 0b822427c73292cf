import { App, Stack } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { afterAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { createEmbeddedMetrics, readEmbeddedMetrics } from '../../functions/aws/embedded-metrics.ts';
import {
  DATA_QUALITY_OVER_TIME,
  SAVED_QUERIES,
  STEPS_OVER_TIME,
  textOf,
  WORST_FEATURES,
} from '../../infra/log-queries.ts';
import { createLogger } from '../../shared/monitoring/logger.ts';
import { createRequestLog } from '../../shared/monitoring/request-log.ts';
import type { RequestRecord } from '../../shared/monitoring/request-record.ts';
import { FULL_RECORD, makeRecord } from '../support/make-record.ts';
import {
  createStack,
  createWorkspace,
  type Resource,
  type SynthesizedTemplate,
  synthesize,
} from './synthesize.ts';

const workspace = createWorkspace();
afterAll(() => workspace[Symbol.dispose]());

const usual = synthesize(createStack(workspace));
const opened = synthesize(
  createStack(workspace, {
    architecture: 'x86_64',
    memorySizeMb: 3538,
    timeoutSeconds: 20,
    reservedConcurrency: 10,
    defaultModel: 'iris',
    preloadModels: ['iris', 'digits'],
    environment: { LOG_LEVEL: 'debug', INTRA_OP_THREADS: '1' },
    logRetentionDays: RetentionDays.ONE_WEEK,
    apiAuthorization: 'none',
    throttling: { ratePerSecond: 5 },
    functionUrl: 'public',
    durationAlarmPercent: 50,
    errorRateAlarmPercent: 1,
    latencyObjectiveMs: 250,
    dashboard: false,
    alarmTopicArn: 'arn:aws:sns:eu-west-1:123456789012:alarms',
    copiesModels: false,
  }),
);

test('the stack is the same in an app without flags of CDK', () => {
  expect(synthesize(createStack(workspace, { context: {} })).Resources).toEqual(usual.Resources);
});

const handlerOf = (template: SynthesizedTemplate) =>
  template.only('AWS::Lambda::Function', { Runtime: 'nodejs24.x' });
const logOf = (template: SynthesizedTemplate) =>
  template.follow(
    z.object({ LogGroup: z.unknown() }).parse(handlerOf(template).Properties.LoggingConfig).LogGroup,
  );
const variablesOf = (template: SynthesizedTemplate) =>
  z.object({ Variables: z.record(z.string(), z.unknown()) }).parse(handlerOf(template).Properties.Environment)
    .Variables;

const repositoryUrlSchema = z.object({
  'Fn::Join': z.tuple([
    z.literal(''),
    z.tuple([z.literal('s3://'), z.object({ Ref: z.string() }), z.string()]),
  ]),
});

/** The bucket of `MODEL_REPOSITORY`, and its id. */
function modelBucket(): { id: string; bucket: Resource; folder: string } {
  const [, [, reference, folder]] = repositoryUrlSchema.parse(variablesOf(usual).MODEL_REPOSITORY)[
    'Fn::Join'
  ];
  return { id: reference.Ref, bucket: usual.follow(reference), folder };
}

describe('model bucket', () => {
  const { id, bucket, folder } = modelBucket();

  test('is where the function looks for models', () => {
    expect(bucket.Type).toBe('AWS::S3::Bucket');
    expect(folder).toBe('/models');
  });

  test.each(usual.ofType('AWS::S3::Bucket').map((each) => [each]))(
    'blocks public access',
    ({ Properties }) => {
      expect(Properties).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
      });
    },
  );

  test.each(usual.ofType('AWS::S3::Bucket').map((each) => [each]))(
    'is encrypted and outlives the stack',
    (each) => {
      expect(each).toMatchObject({
        DeletionPolicy: 'Retain',
        UpdateReplacePolicy: 'Retain',
        Properties: {
          BucketEncryption: {
            ServerSideEncryptionConfiguration: [
              { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
            ],
          },
        },
      });
    },
  );

  test('keeps replaced files for a month and unfinished uploads for a week', () => {
    expect(bucket.Properties).toMatchObject({
      VersioningConfiguration: { Status: 'Enabled' },
      LifecycleConfiguration: {
        Rules: [
          { NoncurrentVersionExpiration: { NoncurrentDays: 30 }, Status: 'Enabled' },
          { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 }, Status: 'Enabled' },
        ],
      },
    });
  });

  test('never expires a model', () => {
    expect(JSON.stringify(bucket.Properties.LifecycleConfiguration)).not.toMatch(/"Expiration/);
  });

  test('refuses requests without TLS 1.2', () => {
    const all = [{ 'Fn::GetAtt': [id, 'Arn'] }, { 'Fn::Join': ['', [{ 'Fn::GetAtt': [id, 'Arn'] }, '/*']] }];
    const deny = { Action: 's3:*', Effect: 'Deny', Principal: { AWS: '*' }, Resource: all };
    const policy = usual
      .ofType('AWS::S3::BucketPolicy')
      .find(({ Properties }) => usual.follow(Properties.Bucket) === bucket);
    expect(policy?.Properties.PolicyDocument).toMatchObject({
      Statement: [
        { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
        { ...deny, Condition: { NumericLessThan: { 's3:TlsVersion': 1.2 } } },
      ],
    });
  });

  test('records its requests in another bucket, for as long as other logs', () => {
    const { DestinationBucketName } = z
      .object({ DestinationBucketName: z.unknown() })
      .parse(bucket.Properties.LoggingConfiguration);
    const logs = usual.follow(DestinationBucketName);
    expect(logs).not.toBe(bucket);
    expect(logs.Properties).toMatchObject({ LifecycleConfiguration: { Rules: [{ ExpirationInDays: 30 }] } });
  });
});

describe('inference function', () => {
  test('runs on arm64 with one vCPU and fails before the HTTP API gives up', () => {
    expect(handlerOf(usual).Properties).toMatchObject({
      Architectures: ['arm64'],
      Handler: 'index.handler',
      MemorySize: 1769,
      Timeout: 29,
      EphemeralStorage: { Size: 1024 },
    });
    expect(handlerOf(usual).Properties).not.toHaveProperty('ReservedConcurrentExecutions');
  });

  test('runs on x86_64 when asked', () => {
    expect(handlerOf(opened).Properties).toMatchObject({
      Architectures: ['x86_64'],
      MemorySize: 3538,
      Timeout: 20,
      ReservedConcurrentExecutions: 10,
    });
  });

  test('gets in environment variables what it cannot find out itself', () => {
    expect(variablesOf(usual)).toEqual({
      MODEL_REPOSITORY: expect.anything(),
      PRELOAD_MODELS: '*',
      MALLOC_ARENA_MAX: '2',
    });
  });

  test('lets the settings override variables', () => {
    expect(variablesOf(opened)).toMatchObject({
      DEFAULT_MODEL: 'iris',
      PRELOAD_MODELS: 'iris,digits',
      INTRA_OP_THREADS: '1',
      LOG_LEVEL: 'debug',
    });
  });

  test('is refused if a variable has a value with which it would not start', () => {
    expect(() => createStack(workspace, { environment: { LOG_LEVEL: 'loud' } })).toThrow(
      'LOG_LEVEL="loud" must be one of',
    );
  });

  test('is refused if it was not built', () => {
    expect(() => createStack(workspace, { codeFolder: '/nowhere' })).toThrow(
      '/nowhere holds no built function (index.mjs): "npx ternion build aws-arm64" makes one in dist/aws-arm64.',
    );
  });

  test('may do no more than read models and write its own log', () => {
    const { id } = modelBucket();
    const arn = { 'Fn::GetAtt': [id, 'Arn'] };
    const { Properties } = handlerOf(usual);
    const role = usual.follow(Properties.Role);
    const { LogGroup } = z
      .object({ LogGroup: z.object({ Ref: z.string() }) })
      .parse(Properties.LoggingConfig);
    expect(role.Properties.Policies).toEqual([
      {
        PolicyName: 'WriteLog',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              Resource: { 'Fn::GetAtt': [LogGroup.Ref, 'Arn'] },
            },
          ],
        },
      },
      {
        PolicyName: 'ReadModels',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 's3:GetObject', Resource: { 'Fn::Join': ['', [arn, '/models/*']] } },
            {
              Effect: 'Allow',
              Action: 's3:ListBucket',
              Resource: arn,
              Condition: { StringLike: { 's3:prefix': 'models/*' } },
            },
          ],
        },
      },
    ]);
  });

  test.each([
    ['usual', usual],
    ['opened', opened],
  ])('has no other policy in the %s stack: none of AWS, none attached', (_, template) => {
    for (const role of template.ofType('AWS::IAM::Role')) {
      expect(role.Properties).not.toHaveProperty('ManagedPolicyArns');
    }
    expect(template.ofType('AWS::IAM::Policy')).toEqual([]);
    expect(template.ofType('AWS::IAM::ManagedPolicy')).toEqual([]);
  });
});

describe('a registry', () => {
  const registry = synthesize(
    createStack(workspace, { registry: true, releaseTtlSeconds: 5, copiesModels: false }),
  );
  const policiesOf = (template: SynthesizedTemplate) =>
    z
      .array(z.object({ PolicyName: z.string(), PolicyDocument: z.unknown() }))
      .parse(template.follow(handlerOf(template).Properties.Role).Properties.Policies);

  test('adds permissions to write new files, and to replace those that say what is served', () => {
    const { id } = modelBucket();
    const files = (pattern: string) => ({ 'Fn::Join': ['', [{ 'Fn::GetAtt': [id, 'Arn'] }, pattern]] });
    const [log, read, write, ...others] = policiesOf(registry);
    expect([log, read]).toEqual(policiesOf(usual).map((policy, index) => (index === 0 ? log : policy)));
    expect(write).toEqual({
      PolicyName: 'WriteReleases',
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Action: 's3:PutObject',
            Resource: files('/models/*/*'),
            Condition: { Null: { 's3:if-none-match': 'false' } },
          },
          {
            Effect: 'Allow',
            Action: 's3:PutObject',
            Resource: [files('/models/*/deployment.json'), files('/models/index.json')],
          },
        ],
      },
    });
    expect(others).toEqual([]);
  });

  test('has its key from a secret, and not in the template', () => {
    const [[id, secret] = []] = Object.entries(registry.Resources).filter(
      ([, { Type }]) => Type === 'AWS::SecretsManager::Secret',
    );
    expect(secret?.Properties).toMatchObject({
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
    });
    expect(secret?.Properties).not.toHaveProperty('SecretString');
    expect(variablesOf(registry)).toEqual({
      ...variablesOf(usual),
      RELEASE_TTL_SECONDS: '5',
      ADMIN_KEY: {
        'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: id }, ':SecretString:::}}']],
      },
    });
    expect(registry.Outputs.AdminKeyArn?.Value).toEqual({ Ref: id });
  });

  test('is absent unless asked for', () => {
    const template = synthesize(createStack(workspace, { registry: false, copiesModels: false }));
    for (const each of [usual, opened, template]) {
      expect(each.ofType('AWS::SecretsManager::Secret')).toEqual([]);
      expect(variablesOf(each)).not.toHaveProperty('ADMIN_KEY');
      expect(policiesOf(each).map(({ PolicyName }) => PolicyName)).toEqual(['WriteLog', 'ReadModels']);
    }
  });

  test('is refused with a key that would be in the template', () => {
    expect(() => createStack(workspace, { registry: true, environment: { ADMIN_KEY: 'mine' } })).toThrow(
      'registry makes the key of the registry itself: leave ADMIN_KEY out of environment',
    );
  });
});

describe('HTTP API', () => {
  const route = (template: SynthesizedTemplate) => template.only('AWS::ApiGatewayV2::Route').Properties;
  const stage = (template: SynthesizedTemplate) => template.only('AWS::ApiGatewayV2::Stage').Properties;

  test('passes every request to the function as payload 2.0', () => {
    expect(route(usual)).toMatchObject({ RouteKey: '$default' });
    const { Properties } = usual.only('AWS::ApiGatewayV2::Integration');
    expect(Properties).toMatchObject({ IntegrationType: 'AWS_PROXY', PayloadFormatVersion: '2.0' });
    expect(usual.follow(Properties.IntegrationUri)).toBe(handlerOf(usual));
  });

  test('requires signed requests, unless it was opened', () => {
    expect(route(usual)).toMatchObject({ AuthorizationType: 'AWS_IAM' });
    expect(route(opened)).toMatchObject({ AuthorizationType: 'NONE' });
  });

  test('is throttled', () => {
    expect(stage(usual).DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 100,
      ThrottlingBurstLimit: 200,
    });
    expect(stage(opened).DefaultRouteSettings).toEqual({
      ThrottlingRateLimit: 5,
      ThrottlingBurstLimit: 200,
    });
  });

  test('has the default stage only', () => {
    expect(stage(usual)).toMatchObject({ StageName: '$default', AutoDeploy: true });
  });

  test('logs each request as JSON to a separate log group', () => {
    const { DestinationArn, Format } = z
      .object({ DestinationArn: z.unknown(), Format: z.string() })
      .parse(stage(usual).AccessLogSettings);
    expect(usual.follow(DestinationArn).Type).toBe('AWS::Logs::LogGroup');
    expect(JSON.parse(Format)).toMatchObject({ requestId: '$context.requestId', status: '$context.status' });
  });

  test('only the API may invoke the function', () => {
    const permission = usual.only('AWS::Lambda::Permission').Properties;
    expect(permission).toMatchObject({
      Action: 'lambda:InvokeFunction',
      Principal: 'apigateway.amazonaws.com',
      SourceArn: expect.anything(),
    });
  });
});

describe('function URL', () => {
  test('is absent unless asked for', () => {
    expect(usual.ofType('AWS::Lambda::Url')).toEqual([]);
  });

  test('requires signed requests if it is for IAM', () => {
    const template = synthesize(createStack(workspace, { functionUrl: 'iam', copiesModels: false }));
    expect(template.only('AWS::Lambda::Url').Properties).toMatchObject({ AuthType: 'AWS_IAM' });
    const principals = template
      .ofType('AWS::Lambda::Permission')
      .map(({ Properties }) => Properties.Principal);
    expect(principals).toEqual(['apigateway.amazonaws.com']);
    expect(template.Outputs).toHaveProperty('FunctionUrl');
  });

  test('is open to everyone only if it is public', () => {
    expect(opened.only('AWS::Lambda::Url').Properties).toMatchObject({ AuthType: 'NONE' });
    const open = opened
      .ofType('AWS::Lambda::Permission')
      .filter(({ Properties }) => Properties.Principal === '*');
    // Function URLs that were created since October 2025 need both.
    expect(open.map(({ Properties }) => Properties.Action).sort()).toEqual([
      'lambda:InvokeFunction',
      'lambda:InvokeFunctionUrl',
    ]);
  });
});

describe('logs', () => {
  test.each([
    ['a month by default', usual, 30, 3],
    ['as long as asked', opened, 7, 2],
  ])('are kept %s, for every function and the API', (_, template, days, count) => {
    const groups = template.ofType('AWS::Logs::LogGroup');
    expect(groups.map(({ Properties }) => Properties.RetentionInDays)).toEqual(Array(count).fill(days));
    for (const { Properties } of template.ofType('AWS::Lambda::Function')) {
      const { LogGroup } = z.object({ LogGroup: z.unknown() }).parse(Properties.LoggingConfig);
      expect(groups).toContain(template.follow(LogGroup));
    }
  });
});

describe('alarms', () => {
  const alarms = (template: SynthesizedTemplate) =>
    Object.fromEntries(
      template.ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => [Properties.MetricName, Properties]),
    );

  test('ring at the first crash, throttled request or 5xx answer', () => {
    const first = { Threshold: 1, EvaluationPeriods: 1, Statistic: 'Sum', TreatMissingData: 'notBreaching' };
    expect(alarms(usual)).toMatchObject({ Errors: first, Throttles: first, '5xx': first });
  });

  test('ring when the slowest hundredth nears the timeout', () => {
    expect(alarms(usual)).toMatchObject({
      Duration: {
        ExtendedStatistic: 'p99',
        Threshold: 0.8 * 29_000,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        EvaluationPeriods: 3,
        DatapointsToAlarm: 2,
      },
    });
    expect(described(opened, 'One request in a hundred')).toMatchObject({ Threshold: 0.5 * 20_000 });
  });

  test('watch the function and the API of the stack', () => {
    for (const metric of ['Errors', 'Throttles', 'Duration']) {
      const [dimension] = z
        .tuple([z.object({ Name: z.literal('FunctionName'), Value: z.unknown() })])
        .parse(alarms(usual)[metric]?.Dimensions);
      expect(usual.follow(dimension.Value)).toBe(handlerOf(usual));
    }
  });

  const described = (template: SynthesizedTemplate, words: string) => {
    const [found, ...others] = template
      .ofType('AWS::CloudWatch::Alarm')
      .filter(({ Properties }) => String(Properties.AlarmDescription).includes(words));
    if (!found || others.length > 0) throw new Error(`${others.length + 1} alarms say ${words}, not one.`);
    return found.Properties;
  };

  test('ring when the share of failed requests is high, unless there are few', () => {
    const rate = described(usual, '5 % of the requests');
    expect(rate).toMatchObject({ Threshold: 5, EvaluationPeriods: 3, DatapointsToAlarm: 2 });
    expect(JSON.stringify(rate.Metrics)).toContain('IF(failed >= 5, 100 * failed / requests, 0)');
    expect(described(opened, '1 % of the requests')).toMatchObject({ Threshold: 1 });
  });

  test('ring when a line of the function says that a model could not be loaded', () => {
    const filter = usual.only('AWS::Logs::MetricFilter');
    expect(filter.Properties.FilterPattern).toBe('"model failed to load"');
    expect(usual.follow(filter.Properties.LogGroupName)).toBe(logOf(usual));
    const { MetricTransformations: transformations } = z
      .object({
        MetricTransformations: z.tuple([z.object({ MetricNamespace: z.unknown(), MetricName: z.unknown() })]),
      })
      .parse(filter.Properties);
    expect(alarms(usual).LoadFailures).toMatchObject({
      Namespace: transformations[0].MetricNamespace,
      MetricName: transformations[0].MetricName,
      Threshold: 1,
      Statistic: 'Sum',
    });
  });

  test('ring when one request in twenty is later than the objective, if there is one', () => {
    expect(described(opened, '250 ms')).toMatchObject({
      MetricName: 'Duration',
      ExtendedStatistic: 'p95',
      Threshold: 250,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
    });
    expect(() => described(usual, 'One request in twenty')).toThrow('not one');
  });

  test('notify a topic if there is one', () => {
    const actions = (template: SynthesizedTemplate) =>
      template.ofType('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmActions);
    expect(actions(usual)).toEqual(Array(6).fill(undefined));
    expect(actions(opened)).toEqual(Array(7).fill(['arn:aws:sns:eu-west-1:123456789012:alarms']));
  });
});

describe('dashboard', () => {
  const bodyOf = (template: SynthesizedTemplate) =>
    JSON.stringify(template.only('AWS::CloudWatch::Dashboard').Properties.DashboardBody).replaceAll('\\', '');

  test('shows the metrics of the function, the API and each model', () => {
    const body = bodyOf(usual);
    for (const [dimensions, metric, statistic] of [
      ['model', 'Requests', 'Sum'],
      ['model', 'Errors', 'Sum'],
      ['model', 'Duration', 'p95'],
      ['model', 'BatchSize', 'Average'],
      ['model', 'ColdStarts', 'Sum'],
      ['model,version,variant', 'Duration', 'p95'],
    ]) {
      expect(body).toContain(`SEARCH('{Ternion,${dimensions}} MetricName="${metric}"', '${statistic}', 300)`);
    }
    for (const metric of ['Invocations', 'Throttles', 'ConcurrentExecutions', '5xx', 'IntegrationLatency']) {
      expect(body).toContain(`"${metric}"`);
    }
  });

  test('asks for metrics that the line of a request has, with its dimensions', () => {
    const line = createEmbeddedMetrics(readEmbeddedMetrics({}))?.(makeRecord());
    const [directive] = Object(line)._aws.CloudWatchMetrics;
    const asked = bodyOf(usual).matchAll(/SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)"'/g);
    const searches = [...asked].map(([, namespace, dimensions = '', name]) => ({
      namespace,
      dimensions: dimensions.split(','),
      name,
    }));
    expect(searches.length).toBeGreaterThan(5);
    for (const { namespace, dimensions, name } of searches) {
      expect(namespace).toBe(directive.Namespace);
      expect(directive.Dimensions).toContainEqual(dimensions);
      expect(directive.Metrics).toContainEqual({ Name: name, Unit: expect.any(String) });
    }
  });

  test('shows each alarm of the stack', () => {
    const body = bodyOf(usual);
    const ids = Object.entries(usual.Resources).filter(([, { Type }]) => Type === 'AWS::CloudWatch::Alarm');
    expect(ids).toHaveLength(6);
    for (const [id] of ids) expect(body).toContain(`"Fn::GetAtt":["${id}","Arn"]`);
  });

  test('knows what 1,000 requests of the function cost', () => {
    // 1769 MB of arm64: 0.000023034 dollars a second.
    expect(bodyOf(usual)).toContain('busy / requests * 0.0000230340 + 0.0002');
  });

  test('can be left out', () => {
    expect(opened.ofType('AWS::CloudWatch::Dashboard')).toEqual([]);
  });
});

describe('saved queries', () => {
  test('read the log of the function', () => {
    const queries = opened.ofType('AWS::Logs::QueryDefinition').map(({ Properties }) => Properties);
    expect(queries.map(({ Name }) => JSON.stringify(Name))).toEqual(
      [
        'errors by code',
        'slowest requests',
        'cold starts',
        'features with unexpected values',
        'steps of each model',
        'one request by its id',
      ].map((name) => expect.stringContaining(`/${name}`)),
    );
    for (const { LogGroupNames } of queries) {
      const [group] = z.tuple([z.unknown()]).parse(LogGroupNames);
      expect(opened.follow(group)).toBe(logOf(opened));
    }
  });

  test.each([...SAVED_QUERIES, STEPS_OVER_TIME, DATA_QUALITY_OVER_TIME])(
    'name only what a log line has: $name',
    (query) => {
      const line: Record<string, unknown> = JSON.parse(lineOf(FULL_RECORD));
      const fields = Object.entries(line).flatMap(([name, value]) => [
        name,
        ...Object.keys(value instanceof Object ? value : {}).map((member) => `${name}.${member}`),
      ]);
      expect(fieldsOf(textOf(query)).filter((name) => !fields.includes(name))).toEqual([]);
    },
  );
});

/** The line of the log for a request. */
function lineOf(record: RequestRecord): string {
  const lines: string[] = [];
  const logger = createLogger('debug', (line) => lines.push(line));
  createRequestLog({ logger, sample: 1, slowMs: 1, instance: 'a' })(record);
  return lines[0] ?? '';
}

const COMMANDS =
  'fields parse sum filter stats sort limit by as asc desc and avg max count ispresent bin'.split(' ');

/** The fields of a query, without texts, what Logs Insights makes itself, and names that the query gives. */
function fieldsOf(query: string): readonly string[] {
  const bare = query.replaceAll(/\/.*\/|"[^"]*"|@\w+/g, '');
  const given = [...query.matchAll(/\bas (\w+)|\(\?<(\w+)>/g)].map(([, name, parsed]) => name ?? parsed);
  const words = [...bare.matchAll(/\b[a-z][a-z_.]*/g)].map(([word]) => word);
  return words.filter((word) => !COMMANDS.includes(word) && !given.includes(word));
}

describe('the query for features', () => {
  test('reads the feature with the most values from a line, and how many they are', () => {
    const [, pattern = ''] = /parse @message \/(.*)\/$/m.exec(textOf(WORST_FEATURES)) ?? [];
    expect(new RegExp(pattern).exec(lineOf(FULL_RECORD))?.groups).toEqual({
      feature: 'a',
      kind: 'out_of_range',
      values: '2',
    });
  });
});

describe('outputs', () => {
  test('name the API and the model bucket', () => {
    expect(Object.keys(usual.Outputs).sort()).toEqual(['ApiUrl', 'ModelBucketName']);
    expect(usual.follow(usual.Outputs.ModelBucketName?.Value)).toBe(modelBucket().bucket);
    expect(usual.follow(usual.Outputs.ApiUrl?.Value)).toBe(usual.only('AWS::ApiGatewayV2::Api'));
  });
});

describe('a bucket that was there before', () => {
  const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/ours';
  const filesOf = (path: string) => ({
    'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:s3:::our-bucket/${path}`]],
  });

  function createTemplate(modelPrefix?: string, registry = false) {
    const ours = new Stack(new App({ autoSynth: false }), 'Ours');
    const encryptionKey = Key.fromKeyArn(ours, 'Key', KEY);
    const modelBucket = Bucket.fromBucketAttributes(ours, 'Bucket', {
      bucketName: 'our-bucket',
      encryptionKey,
    });
    return synthesize(
      createStack(workspace, { modelBucket, registry, ...(modelPrefix !== undefined && { modelPrefix }) }),
    );
  }

  test('has the models below its folder, and the stack makes none', () => {
    const template = createTemplate('ml/models');
    expect(template.ofType('AWS::S3::Bucket')).toEqual([]);
    expect(variablesOf(template).MODEL_REPOSITORY).toBe('s3://our-bucket/ml/models');
    expect(template.only('Custom::CDKBucketDeployment').Properties).toMatchObject({
      DestinationBucketName: 'our-bucket',
      DestinationBucketKeyPrefix: 'ml/models',
    });
    expect(variablesOf(createTemplate()).MODEL_REPOSITORY).toBe('s3://our-bucket/models');
  });

  test('is read and written with its key', () => {
    const roles = JSON.stringify(createTemplate().ofType('AWS::IAM::Role'));
    for (const Action of ['kms:Decrypt', ['kms:Decrypt', 'kms:GenerateDataKey']]) {
      expect(roles).toContain(JSON.stringify({ Action, Effect: 'Allow', Resource: KEY }));
    }
    expect(JSON.stringify(usual.ofType('AWS::IAM::Role'))).not.toContain('kms:');
  });

  test('is written with its key by a registry, below its folder', () => {
    const { Policies } = z.object({ Policies: z.array(z.unknown()) }).parse(
      createTemplate('ml/models', true)
        .ofType('AWS::IAM::Role')
        .find(({ Properties }) => JSON.stringify(Properties).includes('WriteReleases'))?.Properties,
    );
    expect(Policies[2]).toMatchObject({
      PolicyDocument: {
        Statement: [
          { Resource: filesOf('ml/models/*/*') },
          { Resource: [filesOf('ml/models/*/deployment.json'), filesOf('ml/models/index.json')] },
          { Action: 'kms:GenerateDataKey', Effect: 'Allow', Resource: KEY },
        ],
      },
    });
  });

  test.each(['', '/models', 'models/', 'a//b', '*'])('has no folder %j', (prefix) => {
    expect(() => createTemplate(prefix)).toThrow(
      `modelPrefix is ${JSON.stringify(prefix)}; expected the path of a folder in the bucket, such as "models".`,
    );
  });
});
