import { InferenceError } from '../errors.ts';
import { DamageError, ManifestError } from '../models/file-manifest.ts';
import { ModelError } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { LoadError } from '../runtime/session-cache.ts';
import { StoreError } from '../stores/model-store.ts';

/** A model that cannot be loaded is a problem of the server, not of the request; other models keep working. */
export function unavailable(reference: ModelReference, { cause, retryAfterMs }: LoadError): InferenceError {
  const reason = loadFailure(cause);
  return new InferenceError(
    'MODEL_UNAVAILABLE',
    [`Model "${reference.name}"`, `version "${reference.version}" cannot be loaded: ${reason}.`],
    { cause, headers: { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) } },
  );
}

/** Why a load has failed, for clients. It completes a sentence such as `the version cannot be loaded: …`. */
export function loadFailure(cause: unknown): string {
  return cause instanceof ModelError ? cause.message : storeReason(cause);
}

/** A model that an operator took out of use. */
export function outOfUse({ name, version }: ModelReference): InferenceError {
  return new InferenceError('MODEL_UNAVAILABLE', [
    `Model "${name}"`,
    `version "${version}" is not ready: it was unloaded; load it to use it again.`,
  ]);
}

function storeReason(error: unknown): string {
  if (error instanceof DamageError) {
    return `its ${error.file} is damaged: its checksum differs from the published one`;
  }
  if (error instanceof ManifestError) return `its ${error.problem}`;
  return error instanceof StoreError ? STORE_REASONS[error.reason] : 'the server failed; its log says why';
}

const STORE_REASONS: Record<StoreError['reason'], string> = {
  missing: 'one of its files is missing from the model repository',
  denied: 'the model repository denies access to its files',
  changed: 'its files changed while they were read',
  unreachable: 'the model repository cannot be reached',
  corrupt: 'its files are damaged',
  'no-space': 'this host has no space left for its files',
  unwritable: 'this host cannot write its files to MODEL_CACHE_FOLDER',
};
