import { mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NAME_PATTERN } from '../../../shared/config.ts';
import { readModelFile } from '../../../shared/inference/load-model.ts';
import type { FileManifest } from '../../../shared/models/file-manifest.ts';
import { TRITON_FILE } from '../../../shared/models/formats/format-folder.ts';
import type { Lineage } from '../../../shared/models/lineage.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { listVersions } from '../../../shared/models/publish-files.ts';
import { RELEASES_FOLDER } from '../../../shared/models/repository-listing.ts';
import type { Serving } from '../../../shared/models/serving.ts';
import { REFERENCE_FILE } from '../../../shared/models/version-folder.ts';
import { compareVersions, nextVersion } from '../../../shared/models/versions.ts';
import { createReleaseLog } from '../../../shared/releases/release-log.ts';
import { updateIndex } from '../../../shared/releases/update-index.ts';
import type { WritableStore } from '../../../shared/stores/model-store.ts';
import { CommandError, type Console } from '../console.ts';
import { describeCode, type FoundModel, findDownloaded, findModel, look } from '../find-model.ts';
import { findWarnings } from '../inspect/find-warnings.ts';
import {
  type FoundLineage,
  findLineage,
  findLineageIn,
  joinLineage,
  NO_LINEAGE,
} from '../lineage/find-lineage.ts';
import { openRepository } from '../open-repository.ts';
import { publishVersion } from '../publish/publish-version.ts';
import { readStated } from '../publish/read-stated.ts';
import { type StageOptions, stageVersion } from '../publish/stage-version.ts';
import { describeTrial, repeatTrial, type Trial, tryModel } from '../publish/try-model.ts';
import { readPolicyOf } from '../read-policy.ts';
import { isSource, openSource } from '../sources/open-source.ts';
import { makeStagingFolder } from '../temporary-folder.ts';
import { countOf, formatBytes } from '../words.ts';

export interface AddOptions {
  readonly name?: string;
  readonly version?: string;
  readonly repository: string;
  readonly optimize?: boolean;
  readonly force?: boolean;
  /** The graph of a folder that has several. */
  readonly file?: string;
  /** Whether to write down where the model comes from; by default yes. */
  readonly lineage?: boolean;
}

/** S3 and many file systems allow longer names, but not all do. */
const LONGEST_NAME = 100;
/** How often the next version is tried when another publisher was faster. */
const ATTEMPTS = 20;

/**
 * `ternion add`: publishes a model in a repository. The model is tried as it is, copied, and tried again as it will be
 * served; one that does not answer is refused. Its graph is written last, so that a version is never visible before it
 * is complete.
 */
export async function add(path: string, options: AddOptions, output: Console): Promise<void> {
  if (options.version !== undefined) checkName(options.version, '--version');
  if (options.name !== undefined) checkName(options.name, '--name');
  const target = openRepository(options.repository);
  const added = isSource(path)
    ? await addSource(path, target, options, output)
    : await addPath(path, target, options);
  const { name, version, place, manifest, trial, live, warnings } = added;
  const sizeBytes = manifest.files.reduce((total, file) => total + file.sizeBytes, 0);
  const { references, exchanges, problem } = trial;
  output.result(
    {
      model: name,
      version,
      path: place,
      live,
      files: manifest.files.length,
      size_bytes: sizeBytes,
      references,
      tried: exchanges.length,
      problem,
      warnings,
    },
    () =>
      [
        `${name}/${version} is in ${place} (${countOf(manifest.files.length, 'file')}, ${formatBytes(sizeBytes)})`,
        listFiles(manifest),
        describeTrial(trial),
        ...warnings.map((warning) => `warning: ${warning}`),
        ...(live === version || live === null
          ? []
          : [
              compareVersions(live, version) > 0
                ? `version ${live} stays live: it is higher`
                : `version ${live} stays live until this one is released: ternion promote ${name} ${version}`,
            ]),
      ].join('\n'),
  );
}

/** Most files that are named. */
const SHOWN = 10;

/** The files that were published: the user should notice one that does not belong to the model. */
function listFiles({ files }: FileManifest): string {
  const shown = files.slice(0, SHOWN).map(({ path }) => path);
  return `  ${shown.join(', ')}${files.length > SHOWN ? ` and ${files.length - SHOWN} more` : ''}`;
}

async function addPath(path: string, target: WritableStore, options: AddOptions): Promise<Named> {
  if (!(await stat(path).catch(() => undefined))) {
    throw new CommandError(`There is no file or folder ${JSON.stringify(path)}.`, 2);
  }
  const model = await findModel(path, undefined, options.file);
  return await addNamed(model, target, options, findLineage).finally(() => model.app.close());
}

/** Downloads a model first. If it is refused, its files stay for another try with other options. */
async function addSource(
  address: string,
  target: WritableStore,
  options: AddOptions,
  output: Console,
): Promise<Named> {
  const source = await openSource(address, options.file, output);
  let isDone = false;
  try {
    const model = await findDownloaded(source.path, address, source.name, options.file);
    const known = { lineage: source.lineage, problems: [] };
    const find = async (place: string) => joinLineage([await findLineageIn(place), known]);
    const added = await addNamed(model, target, options, find).finally(() => model.app.close());
    isDone = true;
    return added;
  } finally {
    await source.close(isDone);
  }
}

/** The name is the given one, else the one that clients of the previous server use, else one made from the path. */
async function addNamed(
  source: FoundModel,
  target: WritableStore,
  options: AddOptions,
  findLineageOf: (place: string) => Promise<FoundLineage>,
): Promise<Named> {
  const stated = await readStated(source, options);
  const name = options.name ?? checkName(stated.name ?? source.reference.name, '--name');
  const { lineage: isWanted = true } = options;
  const { lineage, problems } =
    isWanted && source.place !== undefined ? await findLineageOf(source.place) : NO_LINEAGE;
  const added = await addVersion(source, target, name, { ...options, lineage });
  const notes = problems.map((problem) => `where it comes from is not fully known: ${problem}`);
  return { ...added, name, warnings: [...added.warnings, ...stated.notes, ...notes] };
}

type VersionOptions = Pick<AddOptions, 'version' | 'optimize' | 'force'> & { readonly lineage: Lineage };

interface Added {
  readonly version: string;
  readonly place: string;
  readonly manifest: FileManifest;
  readonly trial: Trial;
  readonly warnings: readonly string[];
  /** The version that answers requests without a version; null if none is served. */
  readonly live: string | null;
}

type Named = Added & { readonly name: string };

/** @throws CommandError when the version exists, or the copy does not answer as the model it was made from */
async function addVersion(
  source: FoundModel,
  target: WritableStore,
  name: string,
  { version: asked, optimize = false, force = false, lineage }: VersionOptions,
): Promise<Added> {
  const { code = [] } = source;
  if (code.length > 0 && !force) throw hasCode(source.title, code);
  const trial = tryOnce(source);
  // Folders that are taken, although they are not a version yet.
  const occupied: string[] = [];
  for (let attempt = 1; ; attempt++) {
    const versions = await listVersions(target, name);
    const { serving, card } = await createReleaseLog(target).read(name);
    // The registry gives a number once, also to a version whose files could not be copied.
    const given = [...versions, ...serving.archived, ...Object.keys(card.versions)];
    const version = asked ?? nextVersion([...given, ...occupied]);
    const same = versions.find((each) => each === version || compareVersions(each, version) === 0);
    if (same !== undefined) throw taken(name, same, version);
    // Before anything is written, because most models that are refused are refused here.
    const tried = await trial();
    if (tried.problem !== undefined && !force) throw doesNotAnswer(source.title, tried.problem);
    const warnings = await warningsOf(source);
    const folder = await makeVersionFolder(version);
    const manifest = await prepare(source, tried, folder, { optimize, lineage });
    const place = await publishVersion(target, name, version, { folder, manifest }).finally(() =>
      rm(dirname(folder), { recursive: true, force: true }),
    );
    if (place !== undefined) {
      await updateIndex(target, [name]);
      const { live, note } = await findLive(target, name, [...versions, version], version, serving);
      return { version, place, manifest, trial: tried, live, warnings: [...warnings, ...note] };
    }
    if (asked !== undefined || attempt >= ATTEMPTS) {
      const isThere = (await listVersions(target, name)).includes(version);
      throw isThere ? taken(name, version, version) : halfThere(name, version);
    }
    occupied.push(version);
  }
}

/** The version that requests get now, and what the user should know: a policy may exclude the new version. */
async function findLive(
  target: WritableStore,
  name: string,
  versions: readonly string[],
  version: string,
  serving: Serving,
): Promise<{ readonly live: string | null; readonly note: readonly string[] }> {
  const sorted = [...versions].sort(compareVersions);
  try {
    const divided = await readPolicyOf(target, await target.list(name), name, sorted);
    const served = divided?.served ?? sorted;
    const note = `version ${version} is not served: the version_policy of ${name}/${TRITON_FILE} excludes it`;
    return { live: serving.live ?? served.at(-1) ?? null, note: served.includes(version) ? [] : [note] };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { live: null, note: [`no version of ${name} is served: ${error.message}`] };
  }
}

function hasCode(title: string, code: readonly string[]): CommandError {
  return new CommandError(
    `${title} cannot be published as it is: ${describeCode(code)}\n  --force publishes the model without that code.`,
  );
}

function doesNotAnswer(title: string, problem: string): CommandError {
  return new CommandError(
    `${title} does not answer the test request that was made for it: ${problem}\n` +
      `  Put a request that it answers into a ${REFERENCE_FILE} beside it, or publish it as it is with --force.`,
  );
}

async function warningsOf(source: FoundModel): Promise<readonly string[]> {
  const folder = await source.app.inference.repository.open(source.reference);
  try {
    const graph = await readModelFile(folder.modelPath);
    const config = await folder.read('config.json');
    const found = await look(source, (model) => {
      // The graph is looked at, without the steps of own code around it.
      return findWarnings({ ...model, ...model.processed?.inner }, graph, config);
    });
    return source.warning === undefined ? found : [...found, source.warning];
  } finally {
    await folder.release();
  }
}

/** Tries a model once, and only when its version is known to be free. */
function tryOnce(source: FoundModel): () => Promise<Trial> {
  let trial: Promise<Trial> | undefined;
  return () => {
    trial ??= tryModel(source);
    return trial;
  };
}

/**
 * The folder in which a version is prepared; it has the name of the version, because a model is named after its folder.
 */
async function makeVersionFolder(version: string): Promise<string> {
  const folder = join(await makeStagingFolder(), version);
  await mkdir(folder);
  return folder;
}

async function prepare(
  source: FoundModel,
  trial: Trial,
  folder: string,
  options: StageOptions,
): Promise<FileManifest> {
  try {
    const manifest = await stageVersion(source, folder, trial, options);
    const staged = await findModel(folder, undefined);
    await repeatTrial(staged, trial).finally(() => staged.app.close());
    return manifest;
  } catch (error) {
    await rm(dirname(folder), { recursive: true, force: true });
    throw error;
  }
}

function taken(name: string, there: string, asked: string): CommandError {
  const same = there === asked ? '' : `, which is the same as ${asked}`;
  return new CommandError(
    `Model ${JSON.stringify(name)} has a version ${there} already${same}; a version never changes, so choose another --version.`,
  );
}

function halfThere(name: string, version: string): CommandError {
  return new CommandError(
    `Version ${version} of model ${JSON.stringify(name)} exists but is incomplete: another command is publishing it, or its ` +
      'publishing was interrupted. Publish that model again to complete it, ' +
      `remove the folder ${name}/${version} from the repository, or choose another --version.`,
  );
}

function checkName(name: string, option: string): string {
  if (name === RELEASES_FOLDER && option === '--name')
    throw new CommandError(
      `${option} ${JSON.stringify(name)} is the folder of the changes to all models; choose another name.`,
      2,
    );
  if (NAME_PATTERN.test(name) && name.length <= LONGEST_NAME) return name;
  throw new CommandError(
    `${option} ${JSON.stringify(name.slice(0, LONGEST_NAME))} must begin with a letter or digit, contain only those, ".", "_" and "-", ` +
      `and have at most ${LONGEST_NAME} characters.`,
    2,
  );
}
