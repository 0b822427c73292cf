import { InferenceError } from '../errors.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { StoreError } from '../stores/model-store.ts';

/** The time of a request ran out while its model was loading; a later request may find it loaded. */
export function stillLoading({ name, version }: ModelReference): InferenceError {
  return new InferenceError('MODEL_UNAVAILABLE', [
    `Model "${name}"`,
    `version "${version}" is still being loaded, and the time of the request is over.`,
  ]);
}

/** A repository that cannot be listed is also a problem of the server: nothing can be looked up in it. */
export function toRepositoryError(error: StoreError): InferenceError {
  return new InferenceError(
    'TEMPORARILY_UNAVAILABLE',
    `The model repository cannot be read: ${REPOSITORY_REASONS[error.reason]}.`,
    { cause: error },
  );
}

const REPOSITORY_REASONS: Record<StoreError['reason'], string> = {
  missing: 'it does not exist',
  denied: 'it denies access',
  changed: 'it changed while it was read',
  unreachable: 'it cannot be reached',
  corrupt: 'it is damaged',
  'no-space': 'this host has no space left',
  unwritable: 'this host cannot write to MODEL_CACHE_FOLDER',
};
