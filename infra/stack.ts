// Makes the template of the stack and prints what is in it, or deploys the stack.
// Usage: node infra/stack.ts <synth|deploy> [--models <folder>] [options of cdk]
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { shellWord } from '../functions/shell-word.ts';
import { CDK_FOLDER, type StackCommand, toCdkArguments } from './cdk-arguments.ts';
import { checkNpm, SettingsError } from './settings-error.ts';

const [command, ...args] = process.argv.slice(2);
try {
  if (command !== 'synth' && command !== 'deploy')
    throw new SettingsError('Usage: node infra/stack.ts <synth|deploy>');
  checkNpm();
  process.exitCode = run(command, toCdkArguments(command, args));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

/** Runs a command of CDK, whose app is in this folder. Returns its exit code. */
function run(name: StackCommand, options: readonly string[]): number {
  const { status } = spawnSync(process.execPath, [join(CDK_FOLDER, 'bin/cdk'), name, ...options], {
    cwd: import.meta.dirname,
    stdio: 'inherit',
  });
  if (status === 0 && name === 'synth' && !options.some(isHelp))
    console.log(describeTemplate(outputOf(options)));
  if (status !== 0 && name === 'deploy')
    console.error(
      'The stack was not deployed. If CDK cannot find the account, choose one by AWS_PROFILE or --profile; docs/deploy-aws.md lists what a deployment needs.',
    );
  return status ?? 1;
}

/** The arguments again, without those that say where the template goes. */
function settingsOf(given: readonly string[]): string {
  const at = given.findIndex((arg) => arg === '-o' || arg === '--output');
  const kept = at === -1 ? given : given.toSpliced(at, 2);
  return kept.length === 0 ? '' : ` -- ${kept.map(shellWord).join(' ')}`;
}

function isHelp(option: string): boolean {
  return option === '--help' || option === '-h' || option === '--version';
}

/** The folder of the template: that of cdk.json, unless an option names another. */
function outputOf(options: readonly string[]): string {
  const at = options.findIndex((option) => option === '-o' || option === '--output');
  return resolve(import.meta.dirname, (at === -1 ? undefined : options[at + 1]) ?? 'cdk.out');
}

function describeTemplate(folder: string): string {
  const path = join(folder, 'Ternion.template.json');
  const template: { readonly Resources: Readonly<Record<string, { readonly Type: string }>> } = JSON.parse(
    readFileSync(path, 'utf8'),
  );
  const types = Object.values(template.Resources).map(({ Type }) => Type);
  const countOf = (type: string) => types.filter((each) => each === type).length;
  return [
    `The template of the stack is valid: ${relative(process.cwd(), path)}`,
    `  ${types.length} resources, including ${countOf('AWS::Lambda::Function')} functions, ${countOf('AWS::S3::Bucket')} buckets and ${countOf('AWS::CloudWatch::Alarm')} alarms`,
    `Nothing was deployed. To deploy the stack: npm run deploy:aws${settingsOf(args)}`,
  ].join('\n');
}
