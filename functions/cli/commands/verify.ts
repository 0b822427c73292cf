import { NAME_PATTERN } from '../../../shared/config.ts';
import { MANIFEST_FILE } from '../../../shared/models/file-manifest.ts';
import { TRITON_FILE } from '../../../shared/models/formats/format-folder.ts';
import { isVersionFile } from '../../../shared/models/formats/locate.ts';
import { ModelError } from '../../../shared/models/model-config.ts';
import { compareVersions } from '../../../shared/models/versions.ts';
import { type ModelStore, type StoredFile, StoreError } from '../../../shared/stores/model-store.ts';
import { CommandError, type Console } from '../console.ts';
import { listOf } from '../model-path.ts';
import { openRepository } from '../open-repository.ts';
import { readPolicyOf } from '../read-policy.ts';
import { createVersionCheck, type Fault, toFault } from '../verify/check-version.ts';
import { countOf, formatBytes } from '../words.ts';

export interface VerifyOptions {
  readonly repository: string;
}

interface Version {
  readonly name: string;
  readonly version: string;
  /** Whether servers see it. */
  readonly hasGraph: boolean;
  readonly files: readonly StoredFile[];
}

/** `ternion verify`: compares the files of a repository, or of one model, with the `files.json` of their versions. */
export async function verify(
  argument: string | undefined,
  options: VerifyOptions,
  output: Console,
): Promise<void> {
  const store = openRepository(options.repository);
  const passedOver = new Map<string, string>();
  const stored = await store.list('', (path, problem) => passedOver.set(path, problem));
  const all = listVersions(stored);
  const chosen = argument === undefined ? all : choose(all, argument, store.url);
  const check = createVersionCheck(store, passedOver);
  const unpublished: string[] = [];
  const sum = { versions: 0, files: 0, sizeBytes: 0 };
  const faults: Fault[] = [];
  for (const { name, version, files } of chosen) {
    const folder = `${name}/${version}`;
    const manifest = files.find(({ path }) => path === `${folder}/${MANIFEST_FILE}`);
    const problem = passedOver.get(`${folder}/${MANIFEST_FILE}`);
    if (problem !== undefined) faults.push(toFault(`${folder}/${MANIFEST_FILE}`, 'unreadable', problem));
    if (!manifest) {
      if (problem === undefined) unpublished.push(folder);
      continue;
    }
    const checked = await check(folder, files, manifest);
    faults.push(...checked.faults);
    sum.versions += 1;
    sum.files += checked.files;
    sum.sizeBytes += checked.sizeBytes;
  }
  const policies = await checkPolicies(store, stored, all, new Set(chosen.map(({ name }) => name)));
  faults.push(...policies.faults);
  const isChosen = new Set(chosen.map(({ name, version }) => `${name}/${version}`));
  const unserved = policies.unserved.filter((path) => isChosen.has(path));
  if (faults.length > 0) process.exitCode = 1;
  output.result(
    {
      repository: store.url,
      versions: sum.versions,
      files: sum.files,
      size_bytes: sum.sizeBytes,
      faults: faults.map(({ path, fault, text }) => ({ path, fault, text })),
      without_files_json: unpublished,
      not_served: unserved,
    },
    () =>
      [
        ...faults.map(({ text }) => text),
        `${countOf(sum.versions, 'version')} checked (${countOf(sum.files, 'file')}, ${formatBytes(sum.sizeBytes)}): ` +
          (faults.length > 0 ? countOf(faults.length, 'fault') : 'no fault'),
        ...(unpublished.length > 0
          ? [`not checked, because there is no ${MANIFEST_FILE}: ${listOf(unpublished)}`]
          : []),
        ...(unserved.length > 0
          ? [`not served, because the version_policy of ${TRITON_FILE} excludes it: ${listOf(unserved)}`]
          : []),
      ].join('\n'),
  );
}

/** Which versions the policies of some models exclude, and which they name although they are missing. */
async function checkPolicies(
  store: ModelStore,
  files: readonly StoredFile[],
  all: readonly Version[],
  names: ReadonlySet<string>,
): Promise<{ readonly faults: readonly Fault[]; readonly unserved: readonly string[] }> {
  const faults: Fault[] = [];
  const unserved: string[] = [];
  for (const name of names) {
    const file = `${name}/${TRITON_FILE}`;
    const versions = all.filter((each) => each.name === name && each.hasGraph).map(({ version }) => version);
    try {
      const divided = await readPolicyOf(store, files, name, versions);
      unserved.push(...(divided?.leftOut ?? []).map((version) => `${name}/${version}`));
      const missing = divided?.missing ?? [];
      faults.push(
        ...missing.map((version) =>
          toFault(`${name}/${version}`, 'missing', `is in the version_policy of ${file}, but it is missing`),
        ),
      );
      if (divided?.served.length === 0)
        faults.push(toFault(file, 'unserved', 'excludes all versions of the model'));
    } catch (error) {
      if (!(error instanceof ModelError) && !(error instanceof StoreError)) throw error;
      faults.push({ path: file, fault: 'unreadable', text: `Model ${name}: ${error.message}.` });
    }
  }
  return { faults, unserved };
}

/** All folders that are a version, or that claim to be one, by name. */
function listVersions(files: readonly StoredFile[]): readonly Version[] {
  const folders = new Map<
    string,
    { name: string; version: string; files: StoredFile[]; isVersion: boolean; hasGraph: boolean }
  >();
  for (const file of files) {
    const [name = '', version = '', ...below] = file.path.split('/');
    if (below.length === 0 || !NAME_PATTERN.test(name) || !NAME_PATTERN.test(version)) continue;
    const key = `${name}/${version}`;
    const folder = folders.get(key) ?? { name, version, files: [], isVersion: false, hasGraph: false };
    const path = below.join('/');
    folder.files.push(file);
    folder.hasGraph ||= isVersionFile(path);
    folder.isVersion ||= path === MANIFEST_FILE || folder.hasGraph;
    folders.set(key, folder);
  }
  return [...folders.values()]
    .filter(({ isVersion }) => isVersion)
    .sort((a, b) => (a.name === b.name ? compareVersions(a.version, b.version) : a.name < b.name ? -1 : 1));
}

/** @throws CommandError that lists what there is instead */
function choose(all: readonly Version[], argument: string, url: string): readonly Version[] {
  const [, name, version] = /^([^/@]+)(?:\/([^/@]+))?$/.exec(argument) ?? [];
  const ofModel = all.filter((each) => each.name === name);
  const shown = JSON.stringify(argument);
  if (ofModel.length === 0) {
    const names = listOf([...new Set(all.map((each) => each.name))]) || 'none';
    throw new CommandError(`The repository ${url} has no model ${shown}; its models are: ${names}.`);
  }
  const chosen = ofModel.filter((each) => version === undefined || each.version === version);
  if (chosen.length > 0) return chosen;
  const versions = listOf(ofModel.map((each) => each.version));
  throw new CommandError(`The repository ${url} has no ${shown}; the versions of ${name} are: ${versions}.`);
}
