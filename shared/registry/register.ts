import { ConfigError } from '../config.ts';
import { InferenceError } from '../errors.ts';
import { readVersion } from '../models/copy-version.ts';
import { type Artifact, ManifestError } from '../models/file-manifest.ts';
import { locateModel } from '../models/formats/locate.ts';
import { ModelError } from '../models/model-config.ts';
import { publishFiles, type VersionFiles } from '../models/publish-files.ts';
import { decodeFile } from '../models/small-files.ts';
import { nextVersion } from '../models/versions.ts';
import type { VersionCard } from '../releases/state.ts';
import { updateIndex } from '../releases/update-index.ts';
import { LARGEST_LOADED_BYTES, StoreError } from '../stores/model-store.ts';
import { type Tags, without } from './models.ts';
import { checkDescription, checkSourceLength } from './names.ts';
import { type RegisteredModel, versionOf, withVersion } from './registered.ts';
import type { Caller, Registry } from './registry.ts';
import { findSource, type Source, SourceError } from './sources.ts';
import type { FoundVersion } from './versions.ts';

export interface NewVersion {
  readonly name: string;
  readonly source: string;
  readonly runId: string | undefined;
  readonly runLink: string | undefined;
  readonly modelId: string | undefined;
  readonly description: string | undefined;
  readonly tags: Tags;
}

/** MLflow's clients wait two minutes for an answer. */
const LONGEST_COPY_MS = 100_000;
/** Time of a request that is left for saying why its copy took too long. */
const LAST_MS = 3_000;
const MOST_BYTES = 16 * 1024 ** 3;
const MOST_FILES = 10_000;
/** How often another number is tried when another publisher has taken one. */
const ATTEMPTS = 20;
const ALL_OCCUPIED = `The folders of this version and of the ${ATTEMPTS - 1} tried before it have files that were published without the registry, or whose publishing was interrupted.`;

/**
 * Registers a version: gives it a number, and copies its files. If they cannot be copied, the version is there without
 * files, with the reason.
 *
 * @throws InferenceError for a registered model that is not there; StoreError when the repository cannot be written
 */
export async function registerVersion(
  registry: Registry,
  caller: Caller,
  asked: NewVersion,
): Promise<FoundVersion> {
  checkSourceLength(asked.source, 'source');
  checkSourceLength(asked.runId ?? '', 'run_id');
  checkSourceLength(asked.runLink ?? '', 'run_link');
  checkSourceLength(asked.modelId ?? '', 'model_id');
  checkDescription(asked.description ?? '');
  const model = await registry.models.get(asked.name);
  // Only a whole number is allowed.
  const signal = AbortSignal.timeout(
    Math.trunc(Math.max(0, Math.min(LONGEST_COPY_MS, caller.workMs - LAST_MS))),
  );
  const read = await attempt(registry, signal, () => readSource(registry, asked.source, signal));
  const lineage = 'value' in read ? lineageOf(asked, read.value.of) : asked;
  // Numbers whose folders are taken, although they are not versions.
  const occupied: string[] = [];
  for (let attempts = 1; ; attempts++) {
    const { version, claimed } = await claim(registry, caller, model, lineage, occupied);
    const copied =
      'failure' in read
        ? read
        : await attempt(registry, signal, async () => {
            const place = await publishFiles(registry.store, model.folder, version, read.value.files);
            return place !== undefined;
          });
    if ('value' in copied && copied.value) {
      await show(registry, model.folder, version);
      // Its files are listed, because the index may not have it yet.
      const now = await registry.models.describe(model.folder, await registry.log.read(model.folder));
      return { model: now, found: versionOf(now, version) };
    }
    if ('value' in copied && attempts < ATTEMPTS) {
      // Another publisher has this number, and has not used the registry.
      occupied.push(version);
      await unclaim(registry, caller, model, version);
      continue;
    }
    const failure = 'failure' in copied ? copied.failure : ALL_OCCUPIED;
    const failed = await registry.change(claimed, caller, `fail ${version}`, (now) => ({
      card: withVersion(now.current.card, version, { failure }),
    }));
    return { model: failed, found: versionOf(failed, version) };
  }
}

/** A copy of a version has the run of that version, unless another one is named. */
function lineageOf(asked: NewVersion, of: Source['of']): NewVersion {
  if (of === undefined) return asked;
  const { card } = versionOf(of.model, of.version);
  return {
    ...asked,
    source: `models:/${of.model.name}/${of.version}`,
    runId: asked.runId ?? card.runId,
    modelId: asked.modelId ?? card.modelId,
  };
}

/** Gives a version the next number that is not occupied, which nobody else gets. */
async function claim(
  registry: Registry,
  caller: Caller,
  model: RegisteredModel,
  { source, runId, runLink, modelId, description, tags }: NewVersion,
  occupied: readonly string[],
): Promise<{ readonly version: string; readonly claimed: RegisteredModel }> {
  let version = '';
  const claimed = await registry.change(model, caller, 'register', (now) => {
    version = nextVersion([...now.taken, ...occupied]);
    const createdMs = Date.now();
    const facts: VersionCard = {
      tags: { ...tags },
      metrics: {},
      source,
      createdMs,
      updatedMs: createdMs,
      ...(runId && { runId }),
      ...(runLink && { runLink }),
      ...(modelId && { modelId }),
      ...(description && { description }),
    };
    return { card: { ...withVersion(now.current.card, version, facts), updatedMs: createdMs } };
  });
  return { version, claimed };
}

async function unclaim(
  registry: Registry,
  caller: Caller,
  model: RegisteredModel,
  version: string,
): Promise<void> {
  await registry.change(model, caller, `unregister ${version}`, ({ current: { card } }) => ({
    card: { ...card, versions: without(card.versions, version) },
  }));
}

/**
 * Shows a version to all servers. It counts without that, so a failure is only logged: a client that gets an error
 * registers it again. The next change to the model repairs the index.
 */
async function show(registry: Registry, folder: string, version: string): Promise<void> {
  try {
    await updateIndex(registry.store, [folder]);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    registry.logger.log(
      'warn',
      `version ${version} of model "${folder}" is registered, but not every server sees it yet`,
      { error, repository: registry.store.url },
    );
  }
  await registry.onChange();
}

/** The files of a source, with their hashes. */
async function readSource(
  registry: Registry,
  source: string,
  signal: AbortSignal,
): Promise<{ readonly files: VersionFiles; readonly of: Source['of'] }> {
  const { store, folder, of } = await findSource(registry, source);
  const checked: { names: readonly string[] } = { names: [] };
  const files = await readVersion(
    store,
    folder,
    (artifacts) => {
      checkSizes(artifacts);
      checked.names = artifacts.map(({ path }) => path);
    },
    signal,
  );
  const below = folder && `${folder}/`;
  await locateModel({
    files: checked.names,
    read: async (path) => {
      const loaded = checked.names.includes(path) ? await store.load(`${below}${path}`) : undefined;
      return loaded?.is === 'there' ? decodeFile(loaded.content, path) : undefined;
    },
    readShared: async () => undefined,
  });
  return { files, of };
}

function checkSizes(artifacts: readonly Artifact[]): void {
  const sizeBytes = artifacts.reduce((sum, artifact) => sum + artifact.sizeBytes, 0);
  if (artifacts.length === 0) throw new SourceError('There are no files at the source.');
  if (artifacts.length > MOST_FILES)
    throw new SourceError(`There are ${artifacts.length} files at the source; the limit is ${MOST_FILES}.`);
  if (sizeBytes > MOST_BYTES)
    throw new SourceError(
      `The files at the source have ${sizeBytes} bytes together; the limit is ${MOST_BYTES}.`,
    );
}

type Attempted<T> = { readonly value: T } | { readonly failure: string };

/** What some work makes, or why it cannot be done. What the repository itself refuses is thrown. */
async function attempt<T>(
  { logger, store }: Registry,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<Attempted<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (signal.aborted)
      return {
        failure:
          'The files could not be copied in the time that a request has; ternion add and ternion push have no limit.',
      };
    const failure = describeFailure(error);
    if (failure === undefined) throw error;
    logger.log('warn', 'a version could not be registered', { error, repository: store.url });
    return { failure };
  }
}

function describeFailure(error: unknown): string | undefined {
  if (error instanceof SourceError) return error.message;
  if (error instanceof InferenceError && error.code === 'RESOURCE_DOES_NOT_EXIST') return error.message;
  if (error instanceof ModelError)
    return `The source has no ONNX model that can be served: ${error.message}.`;
  if (error instanceof ManifestError) return `The source is damaged: its ${error.problem}.`;
  if (error instanceof ConfigError) return 'The source cannot be read by this host.';
  if (!(error instanceof StoreError)) return undefined;
  return `The source cannot be copied: ${REASONS[error.reason]}.`;
}

const REASONS: Record<StoreError['reason'], string> = {
  missing: 'it does not exist',
  denied: 'access is denied',
  changed: 'it changed while it was read',
  unreachable: 'it cannot be reached',
  corrupt: `it is damaged, or one of its small files has more than ${LARGEST_LOADED_BYTES} bytes`,
  'no-space': 'there is no space left',
  unwritable: 'it cannot be written',
};
