import { resolve } from 'node:path';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { MOST_TTL_SECONDS } from '../shared/config.ts';
import type { InferenceStackProps } from './inference-stack.ts';
import { SettingsError } from './settings-error.ts';

// Settings on the command line are always text; those in cdk.json may be numbers, true or false.
const text = z
  .union([z.string(), z.number(), z.boolean()], 'must be text, a number, true or false')
  .transform(String)
  .pipe(z.string().min(1, 'must not be empty'));

const wholeNumber = (least: number, most: number) =>
  text
    .pipe(z.string().regex(/^\d+$/, 'must be a whole number in digits'))
    .transform(Number)
    .pipe(z.number().min(least, `must be at least ${least}`).max(most, `must be at most ${most}`));

const oneOf = <const Choice extends string>(...choices: readonly Choice[]) =>
  text.pipe(z.enum(choices, `must be one of ${choices.join(', ')}`));

const yesOrNo = oneOf('true', 'false').transform((value) => value === 'true');

const RETENTIONS = Object.values(RetentionDays).filter((value) => typeof value === 'number');
const retentionDays = wholeNumber(1, RetentionDays.INFINITE).pipe(
  z.enum(RetentionDays, `must be one of ${RETENTIONS.join(', ')}`),
);

/** Relative to the working folder, where CDK finds cdk.json. */
const folder = text.transform((path) => resolve(path));

const environment = text.transform((value, context): Record<string, string> => {
  const parsed = z.record(z.string(), z.string()).safeParse(tryParseJson(value));
  if (parsed.success) return parsed.data;
  context.addIssue('must be a JSON object whose values are texts, for example {"LOG_LEVEL":"debug"}');
  return z.NEVER;
});

const settingsSchema = z
  .object({
    stackName: text.pipe(
      z
        .string()
        .regex(
          /^[A-Za-z][A-Za-z0-9-]{0,127}$/,
          'must start with a letter and contain only letters, digits and "-"',
        ),
    ),
    architecture: oneOf('arm64', 'x86_64'),
    codeFolder: folder,
    memorySizeMb: wholeNumber(128, 10_240),
    timeoutSeconds: wholeNumber(1, 900),
    ephemeralStorageMb: wholeNumber(512, 10_240),
    reservedConcurrency: wholeNumber(0, 1_000_000),
    defaultModel: text,
    preloadModels: text.transform((names) => names.split(',').map((name) => name.trim())),
    releaseTtlSeconds: wholeNumber(1, MOST_TTL_SECONDS),
    registry: yesOrNo,
    environment,
    logRetentionDays: retentionDays,
    apiAuthorization: oneOf('iam', 'none'),
    throttleRate: wholeNumber(1, 1_000_000),
    throttleBurst: wholeNumber(1, 1_000_000),
    functionUrl: oneOf('none', 'iam', 'public'),
    durationAlarmPercent: wholeNumber(1, 100),
    errorRateAlarmPercent: wholeNumber(1, 100),
    latencyObjectiveMs: wholeNumber(1, 900_000),
    dashboard: yesOrNo,
    alarmTopicArn: text.pipe(
      z.string().regex(/^arn:[^:]+:sns:[^:]+:\d{12}:[^:]+$/, 'must be the ARN of an SNS topic'),
    ),
    seedExampleModels: yesOrNo,
    modelsFolder: folder,
  })
  .exactPartial();

const SETTING_NAMES = Object.keys(settingsSchema.shape);

/** The settings of a deployment of the project in the working folder. */
export interface Settings extends Omit<InferenceStackProps, 'codeFolder'> {
  /** By default dist/aws-arm64 or dist/aws-x64 of the project, by architecture. */
  readonly codeFolder?: string;
  /** Whether models are copied into the bucket; by default they are, from `models/` of the project. */
  readonly seedExampleModels?: boolean;
}

const CODE_FOLDERS = { arm64: 'dist/aws-arm64', x86_64: 'dist/aws-x64' } as const;

/** What the stack gets for the settings: the folders of a project, unless they name others. */
export function toStackProps({ seedExampleModels = true, ...settings }: Settings): InferenceStackProps {
  const { architecture = 'arm64', codeFolder, modelsFolder, ...props } = settings;
  return {
    ...props,
    architecture,
    codeFolder: codeFolder ?? resolve(CODE_FOLDERS[architecture]),
    ...(seedExampleModels && { modelsFolder: modelsFolder ?? resolve('models') }),
  };
}

/**
 * Reads the settings of a deployment from CDK context: `-c name=value` or the `context` of cdk.json. Their names are
 * those of {@link Settings}, except `throttleRate` and `throttleBurst`.
 *
 * @throws SettingsError that names every setting that cannot be used, its value, and what is expected
 */
export function parseSettings(context: Readonly<Record<string, unknown>>): Settings {
  const parsed = settingsSchema.safeParse(context);
  const sentences = [
    ...findUnknownNames(context),
    ...(parsed.error?.issues ?? []).map((issue) => {
      const name = String(issue.path[0]);
      return `-c ${name}=${JSON.stringify(context[name])} ${issue.message}.`;
    }),
  ];
  if (!parsed.success || sentences.length > 0) throw new SettingsError(sentences.join(' '));
  const { throttleRate, throttleBurst, ...props } = parsed.data;
  const throttling = {
    ...(throttleRate !== undefined && { ratePerSecond: throttleRate }),
    ...(throttleBurst !== undefined && { burst: throttleBurst }),
  };
  return { ...props, throttling };
}

/** CDK keeps its own values in the same place; their names all have a character that is not a letter. */
function findUnknownNames(context: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(context)
    .filter((name) => /^[a-z]+$/i.test(name) && !SETTING_NAMES.includes(name))
    .map((name) => `-c ${name} is not a setting; the settings are ${SETTING_NAMES.join(', ')}.`);
}

function tryParseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
