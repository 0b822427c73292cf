import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import * as z from 'zod/mini';
import { shellWord } from '../../shell-word.ts';
import { CommandError, type Console } from '../console.ts';
import { buildFunction } from '../deploy/build-function.ts';
import { type StackCommand, toCdkArguments } from '../deploy/cdk-arguments.ts';
import { checkModels } from '../deploy/check-models.ts';
import { CDK_PACKAGES, findInstalled, findMissing } from '../deploy/installed.ts';
import { checkNpm } from '../deploy/npm.ts';
import { hasModels } from '../deploy/packed-models.ts';
import { placesHere, STACK_APP } from '../deploy/places.ts';
import { findConfig } from '../project/own-code.ts';
import { findTarget } from './build.ts';

export interface StackOptions {
  readonly config?: string;
  /** Whether the models are loaded first. */
  readonly check: boolean;
}

/**
 * `ternion synth` and `ternion deploy`: builds the function, and lets CDK write or deploy the stack. The app is that of
 * cdk.json in the working folder, or the one of the package.
 *
 * @param given the cloud, then `--models <folder>` and options of CDK
 */
export async function runStack(
  command: StackCommand,
  given: readonly string[],
  options: StackOptions,
  output: Console,
): Promise<void> {
  checkNpm();
  const [cloud, ...args] = given;
  if (cloud !== 'aws') {
    const found = cloud === undefined ? 'is missing' : `is ${JSON.stringify(cloud)}`;
    const other = cloud === 'gcp' || cloud === 'azure' ? `; "ternion package ${cloud}" is for that one` : '';
    throw new CommandError(`The cloud ${found}; expected "ternion ${command} aws"${other}.`, 2);
  }
  const cdk = findCdk();
  const cdkArguments = toCdkArguments(command, args, cdk);
  const folders = await prepare(cdkArguments, options, output);
  const all = [command, ...appArguments(cdkArguments), ...folders, ...cdkArguments];
  const { status } = spawnSync(process.execPath, [join(cdk, 'bin/cdk'), ...all], {
    // With --json there is nothing on stdout but the result.
    stdio: ['inherit', output.isJson ? 2 : 'inherit', 'inherit'],
    env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: 'true' },
  });
  process.exitCode = status ?? 1;
  if (status === 0 && command === 'synth') describeTemplates(outputOf(cdkArguments), args, output);
  else if (status === 0 && output.isJson) output.result({ deployed: true }, () => '');
  if (status !== 0 && command === 'deploy')
    throw new CommandError(
      'The stack was not deployed. If CDK cannot find the account, choose one by AWS_PROFILE or --profile; docs/deploy-aws.md lists what a deployment needs.',
    );
}

/** The folder of CDK's command line, which is the one of the project. */
function findCdk(): string {
  const missing = findMissing(CDK_PACKAGES);
  const cdk = findInstalled('aws-cdk');
  if (cdk !== undefined && missing.length === 0) return cdk;
  throw new CommandError(`The stack needs CDK: npm install --save-dev ${missing.join(' ')}`);
}

/** Builds the function, unless a setting names one, and gives its folder to the app. */
async function prepare(
  cdkArguments: readonly string[],
  { config, check }: StackOptions,
  output: Console,
): Promise<readonly string[]> {
  const settings = new Map(contextOf(cdkArguments));
  if (settings.has('codeFolder')) return [];
  const target = findTarget(settings.get('architecture') === 'x86_64' ? 'aws-x64' : 'aws-arm64');
  const folder = resolve('dist', target.name);
  const models = settings.get('modelsFolder') ?? 'models';
  // The stack copies the models into its bucket, and the function does without those beside it.
  const areThere = hasModels(models);
  if (areThere && check) await checkModels(models, config);
  const parts = { models: areThere ? models : undefined, config: findConfig(config) };
  await buildFunction(target, folder, parts, placesHere(output.note));
  return ['--context', `codeFolder=${folder}`];
}

/** The settings of cdk.json, and those on the command line. */
function contextOf(args: readonly string[]): readonly (readonly [string, string])[] {
  const kept = Object.entries(readCdkJson().context ?? {}).map(
    ([name, value]) => [name, String(value)] as const,
  );
  const given = args.flatMap((arg, index) => {
    const isNext = ['-c', '--context'].includes(args[index - 1] ?? '');
    const text = isNext ? arg : /^(?:--context=|-c=?)(.+)/.exec(arg)?.[1];
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text ?? '') ?? [];
    return name === '' ? [] : [[name, value] as const];
  });
  return [...kept, ...given];
}

const cdkJsonSchema = z.object({
  app: z.optional(z.string()),
  output: z.optional(z.string()),
  context: z.optional(z.record(z.string(), z.unknown())),
});

function readCdkJson(): z.infer<typeof cdkJsonSchema> {
  if (!existsSync('cdk.json')) return {};
  try {
    return cdkJsonSchema.parse(readJson('cdk.json'));
  } catch (error) {
    throw new CommandError('cdk.json cannot be read: it must be a JSON object as CDK has it.', 1, error);
  }
}

/** What cdk.json would say. */
function appArguments(given: readonly string[]): readonly string[] {
  if (readCdkJson().app !== undefined || given.some((arg) => /^(?:-a|--app)(?:=|$)/.test(arg))) return [];
  // CDK runs it in a shell. It removes quotes that are around the whole text, so the text ends with a space.
  const quote = process.platform === 'win32' ? (path: string) => `"${path}"` : shellWord;
  const app = `${quote(process.execPath)} ${quote(STACK_APP)} `;
  return ['--app', app, '--no-version-reporting', '--no-notices'];
}

/** The folder of the template. */
function outputOf(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === '-o' || arg === '--output');
  const inline = args.find((arg) => arg.startsWith('--output='))?.slice('--output='.length);
  return (at === -1 ? inline : args[at + 1]) ?? readCdkJson().output ?? 'cdk.out';
}

const templateSchema = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })) });

/** What CDK has written. Source: the schema of a cloud assembly. */
const manifestSchema = z.object({
  artifacts: z.record(
    z.string(),
    z.object({
      type: z.string(),
      properties: z.optional(z.object({ templateFile: z.optional(z.string()) })),
    }),
  ),
});

function describeTemplates(folder: string, args: readonly string[], output: Console): void {
  const { artifacts } = manifestSchema.parse(readJson(join(folder, 'manifest.json')));
  const stacks = Object.values(artifacts).filter(({ type }) => type === 'aws:cloudformation:stack');
  const paths = stacks.flatMap(({ properties }) => properties?.templateFile ?? []);
  const templates = paths.map((name) => describeTemplate(join(folder, name)));
  output.result(
    templates.map(({ path, types }) => ({ template: path, resources: types.length })),
    () =>
      [
        ...templates.map(({ words }) => words),
        `Nothing was deployed. To deploy the stack: npx ternion deploy aws${settingsOf(args)}`,
      ].join('\n'),
  );
}

function describeTemplate(file: string) {
  const { Resources } = templateSchema.parse(readJson(file));
  const types = Object.values(Resources).map(({ Type }) => Type);
  const countOf = (type: string) => types.filter((each) => each === type).length;
  const path = relative('.', file);
  const words = [
    `The template of the stack is valid: ${path}`,
    `  ${types.length} resources, including ${countOf('AWS::Lambda::Function')} functions, ${countOf('AWS::S3::Bucket')} buckets and ${countOf('AWS::CloudWatch::Alarm')} alarms`,
  ].join('\n');
  return { path, types, words };
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** The arguments again, without those that say where the template goes. */
function settingsOf(given: readonly string[]): string {
  const at = given.findIndex((arg) => arg === '-o' || arg === '--output');
  const kept = (at === -1 ? given : given.toSpliced(at, 2)).filter((arg) => !arg.startsWith('--output='));
  return kept.map((arg) => ` ${shellWord(arg)}`).join('');
}
