import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { NAME_PATTERN } from '../../../shared/config.ts';
import { compareVersions } from '../../../shared/models/versions.ts';
import { CommandError, type Console } from '../console.ts';
import { type OpenModel, openModel } from '../open-model.ts';
import { stageVersion } from '../publish/stage-version.ts';
import { describeTrial, repeatTrial, type Trial, tryModel } from '../publish/try-model.ts';

export interface AddOptions {
  readonly name?: string;
  readonly version?: string;
  readonly repository: string;
  readonly optimize?: boolean;
}

/**
 * `ternion add`: brings a model into a repository. It is copied to a hidden folder beside its place, tried there as it
 * will be served, and moved to its place in one step: a version is never half there.
 */
export async function add(path: string, options: AddOptions, output: Console): Promise<void> {
  if (options.repository.includes('://')) {
    throw new CommandError(
      '--repository must be a folder; copy that to where the models are served from.',
      2,
    );
  }
  if (!(await stat(path).catch(() => undefined))) {
    throw new CommandError(`There is no file or folder ${JSON.stringify(path)}.`, 2);
  }
  const source = await openModel(path, undefined);
  const name = checkName(options.name ?? source.reference.name, '--name');
  const folder = join(resolve(options.repository), name);
  const version = checkName(options.version ?? (await nextVersion(folder)), '--version');
  const target = join(folder, version);
  if (await stat(target).catch(() => undefined)) {
    throw new CommandError(
      `Model ${JSON.stringify(name)} has a version ${version} already, and versions do not change: choose another --version.`,
    );
  }
  const trial = await publish(source, target, options.optimize === true).finally(() => source.app.close());
  const { references, exchanges, problem } = trial;
  output.result(
    { model: name, version, path: target, references, tried: exchanges.length, problem },
    () => `${name}/${version} is in ${target}\n${describeTrial(trial)}`,
  );
}

/** @throws CommandError when the copy answers otherwise than the model it is made of */
async function publish(source: OpenModel, target: string, optimize: boolean): Promise<Trial> {
  // A name with a dot in front is no part of a repository.
  const staging = join(dirname(target), `.${basename(target)}.${process.pid}`, basename(target));
  try {
    const trial = await tryModel(source);
    await mkdir(staging, { recursive: true });
    await stageVersion(source, staging, trial, optimize);
    const staged = await openModel(staging, undefined);
    await repeatTrial(staged, trial).finally(() => staged.app.close());
    await mkdir(dirname(target), { recursive: true });
    await rename(staging, target);
    return trial;
  } finally {
    await rm(dirname(staging), { recursive: true, force: true });
  }
}

async function nextVersion(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const highest = names
    .filter((name) => /^\d+$/.test(name))
    .sort(compareVersions)
    .at(-1);
  return String(Number(highest ?? 0) + 1);
}

function checkName(name: string, option: string): string {
  if (NAME_PATTERN.test(name)) return name;
  throw new CommandError(
    `${option} ${JSON.stringify(name)} must begin with a letter or digit and go on with those, ".", "_" and "-".`,
    2,
  );
}
