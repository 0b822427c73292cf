import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { CommandError } from '../console.ts';

/** The commands of CDK that are run. */
export type StackCommand = 'synth' | 'deploy';

const optionsSchema = z.record(
  z.string(),
  z.object({ alias: z.optional(z.union([z.string(), z.array(z.string())])) }),
);
const registrySchema = z.object({
  globalOptions: optionsSchema,
  commands: z.object({
    synth: z.object({ options: optionsSchema }),
    deploy: z.object({ options: optionsSchema }),
  }),
});

/**
 * The arguments for `cdk synth` or `cdk deploy`. `--models <folder>`, relative to the working folder, is the same as
 * the setting `modelsFolder`; everything else is passed as it is. CDK itself ignores options that it does not know.
 *
 * @param cdkFolder the package `aws-cdk`
 * @throws CommandError that names each option that neither Ternion nor CDK has
 */
export function toCdkArguments(
  command: StackCommand,
  args: readonly string[],
  cdkFolder: string,
): readonly string[] {
  const known = optionsOf(command, cdkFolder);
  const passed: string[] = command === 'synth' ? ['--quiet'] : [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [name = '', value] = splitAt(arg);
    if (name === '--models') passed.push('--context', `modelsFolder=${modelsFolder(value ?? rest.shift())}`);
    else if (name.startsWith('--') && !known.has(toKebab(name.slice(2)))) throw unknown(name, command);
    else passed.push(arg);
  }
  return passed;
}

/** `--name=value` has the value in the same argument. */
function splitAt(arg: string): readonly [name: string, value: string | undefined] {
  const at = arg.indexOf('=');
  return at === -1 || !arg.startsWith('--') ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
}

/** CDK takes `--outputsFile` as well as `--outputs-file`. */
function toKebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function modelsFolder(folder: string | undefined): string {
  if (folder === undefined || folder === '' || folder.startsWith('--')) {
    throw new CommandError('--models has no folder; expected --models <folder>.');
  }
  return resolve(folder);
}

/** The long names of a command's options, and their negations such as `no-rollback`. */
function optionsOf(command: StackCommand, cdkFolder: string): ReadonlySet<string> {
  const path = join(cdkFolder, 'lib/cli/cli-type-registry.json');
  const { globalOptions, commands } = registrySchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  const options = { ...globalOptions, ...commands[command].options };
  const names = Object.entries(options).flatMap(([name, { alias }]) => [name, ...[alias ?? []].flat()]);
  return new Set(['', 'help', 'version', ...names, ...names.map((name) => `no-${name}`)]);
}

function unknown(option: string, command: StackCommand): CommandError {
  return new CommandError(
    `${option} is not an option. Settings are written as -c name=value (docs/deploy-aws.md lists them), own models as --models <folder>, and cdk ${command} --help lists the options of CDK.`,
  );
}
