import { resolve } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, test } from 'vitest';
import cdkJson from '../../cdk.json' with { type: 'json' };
import { parseSettings } from '../../infra/settings.ts';

describe('settings', () => {
  test('are empty by default', () => {
    expect(parseSettings({})).toEqual({ throttling: {} });
  });

  test("leave CDK's own context alone", () => {
    const context = { ...cdkJson.context, 'availability-zones:account=1:region=eu': ['a'], 'aws:cdk:x': 1 };
    expect(parseSettings(context)).toEqual({ throttling: {} });
  });

  test('are read from the text of the command line', () => {
    const context = {
      stackName: 'ternion-staging',
      architecture: 'x86_64',
      codeFolder: 'dist/other',
      memorySizeMb: '3008',
      timeoutSeconds: '60',
      ephemeralStorageMb: '2048',
      reservedConcurrency: '0',
      defaultModel: 'iris',
      preloadModels: 'iris, digits',
      releaseTtlSeconds: '5',
      registry: 'true',
      environment: '{"LOG_LEVEL":"debug"}',
      logRetentionDays: '7',
      apiAuthorization: 'none',
      throttleRate: '5',
      throttleBurst: '10',
      functionUrl: 'iam',
      durationAlarmPercent: '50',
      errorRateAlarmPercent: '2',
      latencyObjectiveMs: '250',
      dashboard: 'false',
      alarmTopicArn: 'arn:aws:sns:eu-west-1:123456789012:alarms',
      seedExampleModels: 'false',
      modelsFolder: '/srv/models',
    };
    expect(parseSettings(context)).toEqual({
      stackName: 'ternion-staging',
      architecture: 'x86_64',
      codeFolder: resolve('dist/other'),
      memorySizeMb: 3008,
      timeoutSeconds: 60,
      ephemeralStorageMb: 2048,
      reservedConcurrency: 0,
      defaultModel: 'iris',
      preloadModels: ['iris', 'digits'],
      releaseTtlSeconds: 5,
      registry: true,
      environment: { LOG_LEVEL: 'debug' },
      logRetentionDays: RetentionDays.ONE_WEEK,
      apiAuthorization: 'none',
      throttling: { ratePerSecond: 5, burst: 10 },
      functionUrl: 'iam',
      durationAlarmPercent: 50,
      errorRateAlarmPercent: 2,
      latencyObjectiveMs: 250,
      dashboard: false,
      alarmTopicArn: 'arn:aws:sns:eu-west-1:123456789012:alarms',
      seedExampleModels: false,
      modelsFolder: '/srv/models',
    });
  });

  test('are read from the numbers and booleans of cdk.json', () => {
    expect(parseSettings({ memorySizeMb: 3008, seedExampleModels: false })).toMatchObject({
      memorySizeMb: 3008,
      seedExampleModels: false,
    });
  });

  test.each([
    [{ architecture: 'arm' }, '-c architecture="arm" must be one of arm64, x86_64.'],
    [{ functionUrl: 'open' }, '-c functionUrl="open" must be one of none, iam, public.'],
    [{ apiAuthorization: 'public' }, '-c apiAuthorization="public" must be one of iam, none.'],
    [{ memorySizeMb: '1.5' }, '-c memorySizeMb="1.5" must be a whole number in digits.'],
    [{ memorySizeMb: '64' }, '-c memorySizeMb="64" must be at least 128.'],
    [{ timeoutSeconds: '901' }, '-c timeoutSeconds="901" must be at most 900.'],
    [{ logRetentionDays: '31' }, '-c logRetentionDays="31" must be one of 1, 3, 5, 7, 14, 30,'],
    [{ registry: 'on' }, '-c registry="on" must be one of true, false.'],
    [{ releaseTtlSeconds: '0' }, '-c releaseTtlSeconds="0" must be at least 1.'],
    [{ dashboard: 'no' }, '-c dashboard="no" must be one of true, false.'],
    [{ latencyObjectiveMs: '0' }, '-c latencyObjectiveMs="0" must be at least 1.'],
    [{ errorRateAlarmPercent: '101' }, '-c errorRateAlarmPercent="101" must be at most 100.'],
    [{ seedExampleModels: 'yes' }, '-c seedExampleModels="yes" must be one of true, false.'],
    [
      { environment: '{LOG_LEVEL}' },
      '-c environment="{LOG_LEVEL}" must be a JSON object whose values are texts',
    ],
    [{ environment: '{"LOG_LEVEL":1}' }, 'must be a JSON object whose values are texts'],
    [
      { stackName: 'my stack' },
      '-c stackName="my stack" must start with a letter and contain only letters, digits and "-"',
    ],
    [{ alarmTopicArn: 'alarms' }, '-c alarmTopicArn="alarms" must be the ARN of an SNS topic.'],
    [{ defaultModel: '' }, '-c defaultModel="" must not be empty.'],
    [{ defaultModel: null }, '-c defaultModel=null must be text, a number, true or false.'],
    [{ memory: '3008' }, '-c memory is not a setting; the settings are stackName, architecture,'],
  ])('%j is refused with a sentence', (context, sentence) => {
    expect(() => parseSettings(context)).toThrow(sentence);
  });

  test('are all named if several are wrong', () => {
    expect(() => parseSettings({ memory: '1', architecture: 'arm' })).toThrow(
      /-c memory is not a setting; .*\. -c architecture="arm" must be/,
    );
  });
});
