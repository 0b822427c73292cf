import type { ModelStore, StoredFile } from '../stores/model-store.ts';
import type { VersionPolicy } from './formats/triton-config.ts';
import { ModelError } from './model-config.ts';
import type { Patience } from './patience.ts';
import type { KnownFiles } from './repository-index.ts';
import { INDEX_FILE, type Listing, readListing } from './repository-listing.ts';
import { applyPolicies } from './served-versions.ts';
import type { Serving } from './serving.ts';
import { decodeFile } from './small-files.ts';

export interface ListingOptions {
  readonly store: ModelStore;
  /** How long a listing is used before the store is asked again. */
  readonly listingTtlMs?: number;
  /** The time in ms; a clock that stands still while the process is frozen is enough. */
  readonly now?: () => number;
  /** Called with problems that do not stop models from being served: a failed renewal, ignored files. */
  readonly onProblem?: (what: string, error?: unknown) => void;
}

/** What a store holds, kept for a while. */
export interface Listings {
  /** @throws StoreError when there is no listing yet and the store cannot be listed within the patience */
  current(patience: Patience): Promise<Listing>;
  /** The listing if it is new enough to need no renewal. */
  fresh(): Listing | undefined;
  /** The newest listing, of any age; undefined before the first. */
  latest(): Listing | undefined;
  /** Resolves once there is a listing, no matter how long that takes. */
  ready(): Promise<void>;
  /** A listing that begins after this call, no matter how long that takes. Concurrent calls share one. */
  renew(): Promise<Listing>;
  /**
   * Looks for something in the current listing and, if it is missing, in a new one: it may have been published since.
   *
   * @throws StoreError as `current` does, and what `look` throws
   */
  find<T>(
    look: (known: Listing) => Promise<T | undefined> | T | undefined,
    patience: Patience,
  ): Promise<T | undefined>;
  /** When the last part of a listing arrived, on the clock of `performance.now()`. */
  heardMs(): number;
}

const WHERE_MODELS_LIE =
  'a model is a folder <model>/<version>/, and names consist of letters, digits, ".", "_" and "-"';
/** A name that is not in the listing may be new: the store is asked again, but no more often than this. */
const MISS_PAUSE_MS = 2_000;
/** Longest time that requests wait for a renewal of the listing, from the start of the renewal. */
const RENEWAL_WAIT_MS = 1_000;
/** The same if there is an index, which is one small file. */
const INDEX_WAIT_MS = 200;

export function createListings(
  options: ListingOptions & {
    /** Reads the version policy in a file of a model. */
    readonly readPolicy: (file: StoredFile) => Promise<VersionPolicy | undefined>;
    /** Reads what a file of a release says about the versions that are served. */
    readonly readServing: (file: StoredFile) => Promise<Serving>;
    readonly onRenewed: (listing: Listing) => void;
  },
): Listings {
  const { store, listingTtlMs = 30_000, now = () => performance.now(), onProblem } = options;
  let current: Listing | undefined;
  let renewal: Promise<Listing> | undefined;
  let renewalEndsMs = 0;
  let retryAtMs = 0;
  let heardMs = 0;
  const hear = () => {
    heardMs = performance.now();
  };

  /** An index spares a remote store the listing of all files; folders of this machine are listed in no time. */
  const readIndexed = store.load && !store.localPath ? createIndexReader(store, store.load, now) : undefined;

  async function listServed(): Promise<Listing> {
    const indexed = await readIndexed?.(current, options.onProblem);
    hear();
    if (indexed) return indexed;
    const listed = await readListing(store, now, hear);
    const served = await applyPolicies(listed, current, (file) => options.readPolicy(file).finally(hear));
    if (served.revisions.size === 0) return served;
    const { applyReleases } = await import('./released-versions.ts');
    return await applyReleases(served, current, (file) => options.readServing(file).finally(hear));
  }

  function renew(): Promise<Listing> {
    if (renewal === undefined)
      renewalEndsMs = performance.now() + (current?.isIndexed ? INDEX_WAIT_MS : RENEWAL_WAIT_MS);
    renewal ??= listServed().then(
      (listing) => {
        for (const path of listing.ignored) {
          if (!current?.ignored.includes(path)) onProblem?.(`${path} is ignored: ${WHERE_MODELS_LIE}`);
        }
        for (const [path, problem] of listing.passedOver) {
          if (current?.passedOver.get(path) !== problem) onProblem?.(`${path} is ignored: it ${problem}`);
        }
        for (const [name, note] of listing.notes) {
          if (current?.notes.get(name) !== note) onProblem?.(`model "${name}": ${note}`);
        }
        const isNew = listing.models !== current?.models;
        current = listing;
        renewal = undefined;
        if (isNew) options.onRenewed(listing);
        return listing;
      },
      (error: unknown) => {
        renewal = undefined;
        retryAtMs = now() + listingTtlMs;
        if (current) onProblem?.('the model repository cannot be listed', error);
        throw error;
      },
    );
    return renewal;
  }

  /**
   * An index that is old is asked for before the answer, so that a release reaches all instances in time. Without an
   * index, an old listing is used while it is renewed in the background. If it is very old, requests wait for the
   * renewal: hosts that freeze between requests would never finish one that nobody waits for. A failed renewal leaves
   * the listing as it is.
   */
  async function listing(patience: Patience): Promise<Listing> {
    if (!current) return await patience.wait(renew());
    const ageMs = now() - current.atMs;
    if (ageMs <= listingTtlMs || now() < retryAtMs) return current;
    const renewed = renew().catch(() => undefined);
    const waitMs = renewalEndsMs - performance.now();
    if ((current.isIndexed || ageMs > 2 * listingTtlMs) && waitMs > 0) {
      await patience.wait(Promise.race([renewed, pause(waitMs)])).catch(() => undefined);
    }
    return current;
  }

  return {
    current: listing,
    fresh: () => (current && now() - current.atMs <= listingTtlMs ? current : undefined),
    latest: () => current,
    ready: async () => {
      if (!current) await renew();
    },
    renew: async () => {
      // One that runs may have read what has changed since.
      await renewal?.catch(() => undefined);
      return await renew();
    },
    heardMs: () => heardMs,
    find: async (look, patience) => {
      const known = await listing(patience);
      const found = await look(known);
      if (found !== undefined || now() - known.atMs < MISS_PAUSE_MS || now() < retryAtMs) return found;
      return await look(await patience.wait(renew()).catch(() => known));
    },
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

/** Reads the index of a store; what it gives is undefined without one. */
function createIndexReader(
  store: ModelStore,
  load: NonNullable<ModelStore['load']>,
  now: () => number,
): (before: Listing | undefined, onProblem: ListingOptions['onProblem']) => Promise<Listing | undefined> {
  let etag: string | undefined;
  const known: KnownFiles = new Map();
  return async (before, onProblem) => {
    // Not when the answer came: the file may have changed on its way.
    const atMs = now();
    const loaded = await load(INDEX_FILE, before?.isIndexed ? etag : undefined);
    if (loaded.is === 'unchanged' && before) return { ...before, atMs };
    if (loaded.is !== 'there') return undefined;
    const { listFromIndex, parseIndex } = await import('./repository-index.ts');
    try {
      const index = await parseIndex(decodeFile(loaded.content, INDEX_FILE));
      etag = loaded.file.etag;
      return listFromIndex(index, { store, known, atMs });
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      onProblem?.(`${INDEX_FILE} of the model repository cannot be used, and its files are listed`, error);
      return undefined;
    }
  };
}
