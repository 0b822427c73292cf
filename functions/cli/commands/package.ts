import { spawnSync } from 'node:child_process';
import { shellWord } from '../../shell-word.ts';
import { CommandError, type Console } from '../console.ts';
import {
  type DeploySettings,
  deployCommand,
  makePackage,
  PACKAGED_CLOUDS,
} from '../deploy/deploy-command.ts';
import { checkNpm } from '../deploy/npm.ts';
import { type BuildOptions, buildTarget, describePacked } from './build.ts';

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
  const { status, error } = spawnSync(command.program, command.arguments, { stdio: 'inherit' });
  if (error)
    throw new CommandError(`${command.program} cannot be run (${error.message}); is it installed?`, 1, error);
  process.exitCode = status ?? 1;
}
