import { spawnSync } from 'node:child_process';
import { shellWord } from '../../shell-word.ts';
import { CommandError, type Console } from '../console.ts';
import {
  type Command,
  type DeploySettings,
  deployCommand,
  makePackage,
  PACKAGED_CLOUDS,
} from '../deploy/deploy-command.ts';
import { checkNpm } from '../deploy/npm.ts';
import { type BuildOptions, buildTarget, checkBeforeBuild, describePacked } from './build.ts';

export interface PackageOptions extends BuildOptions, Omit<DeploySettings, 'hasServer'> {
  readonly server?: boolean;
  readonly deploy?: boolean;
}

/** `ternion package`: makes what the command line of a cloud uploads, and prints or runs its command. */
export async function makeUpload(given: string, options: PackageOptions, output: Console): Promise<void> {
  checkNpm();
  const cloud = PACKAGED_CLOUDS.find((name) => name === given);
  if (cloud === undefined) {
    const aws = given === 'aws' ? '; "ternion deploy aws" deploys to AWS' : '';
    throw new CommandError(
      `There is no package for ${JSON.stringify(given)}; the clouds are ${PACKAGED_CLOUDS.join(' and ')}${aws}.`,
      2,
    );
  }
  const { server: hasServer = false } = options;
  if (cloud !== 'gcp' && hasServer) throw new CommandError('Option --server is for Google Cloud only.', 2);
  const { name, region, resourceGroup, memory } = options;
  checkSettings({
    '--name': name,
    '--region': region,
    '--resource-group': resourceGroup,
    '--memory': memory,
  });
  await checkBeforeBuild(options);
  const { folder, models } = await buildTarget(hasServer ? `${cloud}-server` : cloud, options, output);
  const upload = await makePackage(cloud, folder);
  const command = deployCommand(cloud, upload, { ...options, hasServer });
  const line = [command.program, ...command.arguments].map(shellWord).join(' ');
  const made = `packed ${describePacked(models)}\nmade ${upload}`;
  if (options.deploy !== true) {
    output.result({ upload, command: line }, () => `${made}\ndeploy it with:\n\n${line}\n`);
    return;
  }
  output.note(made);
  const status = run(command, output.isJson);
  process.exitCode = status;
  if (status === 0 && output.isJson) output.result({ upload, command: line, deployed: true }, () => '');
}

/** @param isQuiet whether standard output is for the result */
function run({ program, arguments: args }: Command, isQuiet: boolean): number {
  const isWindows = process.platform === 'win32';
  const { status, error } = spawnSync(program, isWindows ? args.map((arg) => `"${arg}"`) : args, {
    stdio: ['inherit', isQuiet ? 2 : 'inherit', 'inherit'],
    // There these programs are scripts of the shell.
    shell: isWindows,
  });
  if (error)
    throw new CommandError(`${program} cannot be run (${error.message}); is it installed?`, 1, error);
  return status ?? 1;
}

/** What names of functions, regions and sizes are made of; all else could mean something to a shell. */
const PLAIN = /^[\w.-]+$/;

/** @throws CommandError that names the first option with another value */
function checkSettings(settings: Readonly<Record<string, string>>): void {
  const wrong = Object.entries(settings).find(([, value]) => !PLAIN.test(value));
  if (wrong === undefined) return;
  const [name, value] = wrong;
  throw new CommandError(
    `${name} is ${JSON.stringify(value)}; expected letters, digits, "-", "_" and ".".`,
    2,
  );
}
