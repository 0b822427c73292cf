import { createLimiter } from '../limiter.ts';
import { type StoredFile, StoreError } from '../stores/model-store.ts';
import { TRITON_FILE } from './formats/format-folder.ts';
import type { VersionPolicy } from './formats/triton-config.ts';
import { ModelError } from './model-config.ts';
import type { AppliedPolicy, ModelListing } from './model-reference.ts';
import type { Listing, Unserved } from './repository-listing.ts';
import { compareVersions } from './versions.ts';

/**
 * The policy in the text of a `config.pbtxt`; undefined if it does not mention versions. The parser is loaded only for
 * files that do.
 *
 * @throws ModelError when the file cannot be parsed
 */
export async function readPolicy(text: string): Promise<VersionPolicy | undefined> {
  if (!text.includes('version_policy')) return undefined;
  return (await import('./formats/triton-config.ts')).readVersionPolicy(text);
}

/** The versions of a model, divided by its policy. */
export interface DividedVersions extends AppliedPolicy {
  readonly served: readonly string[];
}

/**
 * Divides versions by the policy of their model, as Triton does. A number means the version of that value, whether it is
 * called `3`, `03` or `v3`.
 *
 * @param versions lowest first
 */
export function divideVersions(versions: readonly string[], policy: VersionPolicy): DividedVersions {
  if ('all' in policy) return { policy, served: versions, leftOut: [], missing: [] };
  if ('latest' in policy) {
    const first = Math.max(0, versions.length - policy.latest.num_versions);
    return { policy, served: versions.slice(first), leftOut: versions.slice(0, first), missing: [] };
  }
  const named = [...new Set(policy.specific.versions)].map(String);
  const isNamed = (version: string) => named.some((each) => compareVersions(each, version) === 0);
  return {
    policy,
    served: versions.filter(isNamed),
    leftOut: versions.filter((version) => !isNamed(version)),
    missing: named.filter((each) => !versions.some((version) => compareVersions(each, version) === 0)),
  };
}

/** A model with the versions that its policy serves, and what operators should know about it. */
export function divideByPolicy(
  model: ModelListing,
  policy: VersionPolicy,
): { readonly served: ModelListing | Unserved; readonly note: string | undefined } {
  const { served, ...applied } = divideVersions(model.versions, policy);
  const liveVersion = served.at(-1);
  const reason = describePolicy(applied) ?? '';
  if (liveVersion === undefined) return { served: { by: 'policy', reason, policy: applied }, note: reason };
  return {
    served: { ...model, versions: served, liveVersion, policy: applied },
    note: applied.missing.length > 0 ? reason : undefined,
  };
}

/** Describes which versions a policy excludes, and which it names that do not exist; undefined if it does neither. */
export function describePolicy({ leftOut, missing }: AppliedPolicy): string | undefined {
  const effects = [
    ...(leftOut.length > 0 ? [`excludes ${nameVersions(leftOut)}`] : []),
    ...(missing.length > 0
      ? [`names ${nameVersions(missing)}, which ${missing.length === 1 ? 'does' : 'do'} not exist`]
      : []),
  ];
  return effects.length === 0
    ? undefined
    : `the version_policy in its ${TRITON_FILE} ${effects.join(', and ')}`;
}

/** Most versions that are named. */
const SHOWN = 20;

function nameVersions(versions: readonly string[]): string {
  const shown = versions.slice(0, SHOWN).join(', ');
  const more = versions.length > SHOWN ? ` and ${versions.length - SHOWN} more` : '';
  return `version${versions.length === 1 ? '' : 's'} ${shown}${more}`;
}

/** Files that are read at the same time. */
const READS = 16;

/**
 * Removes the versions from a listing that the `config.pbtxt` of their model excludes. The file is read only for models
 * that have one. A file that cannot be parsed affects only its own model. If the file cannot be fetched, the policy of
 * the previous listing stays in force.
 *
 * @param read the policy in a file
 */
export async function applyPolicies(
  listing: Listing,
  before: Listing | undefined,
  read: (file: StoredFile) => Promise<VersionPolicy | undefined>,
): Promise<Listing> {
  const models = new Map(listing.models);
  const unserved = new Map(listing.unserved);
  const notes = new Map(listing.notes);
  const limit = createLimiter(READS);

  async function look(model: ModelListing, file: StoredFile): Promise<void> {
    const { name } = model;
    try {
      const policy = await read(file);
      if (policy) record(model, policy);
    } catch (error) {
      const problem = reasonOf(error);
      notes.set(name, problem);
      const isKnown =
        before !== undefined &&
        (await before.filesOf(name)).byPath.has(file.path) &&
        before.unserved.get(name)?.by !== 'unknown';
      if (!isKnown || !(error instanceof StoreError)) {
        unserved.set(name, { by: 'unknown', reason: problem, cause: error });
        return;
      }
      const known = before.unserved.get(name)?.policy ?? before.models.get(name)?.policy;
      if (known) record(model, known.policy);
    }
  }

  function record(model: ModelListing, policy: VersionPolicy): void {
    const { name } = model;
    const { served, note } = divideByPolicy(model, policy);
    if ('versions' in served) {
      models.set(name, served);
    } else {
      models.delete(name);
      unserved.set(name, served);
    }
    if (note !== undefined) notes.set(name, note);
  }

  const found = await Promise.all(
    [...listing.models.values()].map(async (model) => {
      const { byPath } = await listing.filesOf(model.name);
      return { model, file: byPath.get(`${model.name}/${TRITON_FILE}`) };
    }),
  );
  await Promise.all(
    found.flatMap(({ model, file }) => (file ? [limit(async () => await look(model, file))] : [])),
  );
  return { ...listing, models, unserved, notes };
}

/** @throws errors that are not about the file */
function reasonOf(error: unknown): string {
  if (error instanceof ModelError) return error.message;
  if (error instanceof StoreError) return `its ${TRITON_FILE} cannot be read from the model repository`;
  throw error;
}
