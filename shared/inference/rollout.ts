import { folderOf, LIVE, type ModelListing, type ModelReference, pathOf } from '../models/model-reference.ts';
import type { Serving } from '../models/serving.ts';
import type { Logger } from '../monitoring/logger.ts';
import { type Assignment, choosable } from '../releases/assign.ts';
import type { FailedVersion } from '../releases/held-back.ts';
import { type CacheState, LoadError } from '../runtime/session-cache.ts';

/** A model with releases. */
export interface ReleasedModel extends ModelListing {
  readonly serving: Serving;
}

export interface RolloutOptions {
  readonly state: (reference: ModelReference) => CacheState | undefined;
  /** Counts as a use of a version that is in memory. */
  readonly touch: (reference: ModelReference) => void;
  /** Loads a version and runs it once. @throws LoadError */
  readonly load: (reference: ModelReference) => Promise<void>;
  /** The version of each model that was live and asked for when this instance last looked. */
  readonly earlier: Map<string, string>;
  /** Gets each version that was to be loaded and cannot be. It never rejects. */
  readonly onHeldBack?: ((failed: HeldBackVersion) => Promise<void>) | undefined;
  readonly logger: Logger;
  readonly now?: () => number;
}

export type HeldBackVersion = Omit<FailedVersion, 'instance'>;

/** Moves requests to another version of a model once it is in memory. */
export interface Rollout {
  /**
   * The version that answers, if the state of the releases has chosen one: another one until the chosen one is in memory,
   * and as long as it cannot be loaded. If this instance has none of those that may answer in memory, the request loads the
   * chosen one.
   *
   * @param inBackground starts work that the request does not wait for
   */
  settle(
    model: ReleasedModel,
    chosen: Assignment,
    inBackground: (work: () => Promise<void>) => void,
  ): ModelReference;
  /** Another version for a request whose version could not be loaded, and which is not among those that it tried. */
  instead(model: ReleasedModel, tried: readonly string[]): ModelReference | undefined;
}

/** If an attempt fails for another reason than the model itself, as when the repository is away. */
const RETRY_MS = 1_000;

export function createRollout(options: RolloutOptions): Rollout {
  const { state, touch, load, earlier, logger, now = () => performance.now() } = options;
  /** Versions that have been in memory once. One that was evicted since is loaded by the request that needs it. */
  const ready = new Set<string>();
  const loading = new Set<string>();
  /** When a version that could not be loaded may be tried again. */
  const retryAtMs = new Map<string, number>();
  /** States all of whose versions have been in memory. */
  const settled = new WeakSet<Serving>();
  /** Until when the version that was live before a switch is kept, by model. */
  const warmUntilMs = new Map<string, { readonly since: string; readonly endMs: number }>();

  /** A switch back should find it in memory, so requests for other models do not push it out for a while. */
  function keepWarm({ name, liveVersion, serving: { warm } }: ReleasedModel): void {
    if (!warm) return;
    const since = `${warm.version} ${liveVersion}`;
    let kept = warmUntilMs.get(name);
    if (kept?.since !== since) {
      kept = { since, endMs: now() + warm.seconds * 1000 };
      warmUntilMs.set(name, kept);
    }
    if (now() < kept.endMs) touch({ name, version: warm.version });
  }

  function isReady(model: ReleasedModel, version: string): boolean {
    const key = folderOf(model, version);
    if (!ready.has(key) && state({ name: model.name, version }) === 'loaded') ready.add(key);
    return ready.has(key);
  }

  /** Those that may answer for another one, best first: the live one, and the one that was live before. */
  function standIns({ name, versions, liveVersion, serving }: ReleasedModel): readonly string[] {
    const candidates = [liveVersion, earlier.get(name), serving.warm?.version];
    return candidates.filter((version) => version !== undefined && versions.includes(version)).map(String);
  }

  async function loadInTurn(model: ReleasedModel, versions: readonly string[]): Promise<void> {
    const failed = new Map<string, unknown>();
    for (const version of versions) {
      const key = folderOf(model, version);
      if (loading.has(key)) continue;
      loading.add(key);
      try {
        await load({ name: model.name, version });
        ready.add(key);
      } catch (error) {
        retryAtMs.set(key, now() + (error instanceof LoadError ? error.retryAfterMs : RETRY_MS));
        logger.log('error', 'release is held back: its version cannot be loaded', {
          model: pathOf({ name: model.name, version }),
        });
        if (options.onHeldBack) failed.set(version, error);
      } finally {
        loading.delete(key);
      }
    }
    // After the loads, so that a slow store delays no version.
    for (const [version, error] of failed) await note(model, version, error);
  }

  async function note({ name, folder = name, serving }: ReleasedModel, version: string, error: unknown) {
    const { loadFailure } = await import('./describe-load-error.ts');
    const reason = loadFailure(error instanceof LoadError ? error.cause : error);
    await options.onHeldBack?.({ folder, serving, version, reason });
  }

  return {
    settle: (model, chosen, inBackground) => {
      const { name, liveVersion, serving } = model;
      const isHere = (version: string) => isReady(model, version);
      keepWarm(model);
      if (!settled.has(serving)) {
        const missing = choosable(model).filter((version) => !isHere(version));
        const due = missing.filter((version) => {
          const key = folderOf(model, version);
          return !loading.has(key) && now() >= (retryAtMs.get(key) ?? 0);
        });
        if (missing.length === 0) settled.add(serving);
        if (due.length > 0) inBackground(() => loadInTurn(model, due));
      }
      if (isHere(liveVersion)) earlier.set(name, liveVersion);
      if (isHere(chosen.version)) return { name, ...chosen };
      const standIn = standIns(model).find(isHere);
      if (standIn !== undefined) return { name, version: standIn, variant: LIVE, sticky: chosen.sticky };
      // The request loads it. If it is the live one, it can stand in for the next.
      if (chosen.version === liveVersion) earlier.set(name, liveVersion);
      return { name, ...chosen };
    },
    instead: (model, tried) => {
      const version = standIns(model).find((each) => !tried.includes(each));
      return version === undefined ? undefined : { name: model.name, version, variant: LIVE };
    },
  };
}
