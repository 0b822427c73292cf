import { type Budget, createBudget, waitedInVain, waitInTime } from '../budget.ts';
import type { Limits } from '../config.ts';
import { type InferenceError, toInferenceError } from '../errors.ts';
import { DamageError } from '../models/file-manifest.ts';
import { folderOf, type ModelReference, NAMED, pathOf } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import { type Logger, roundMs } from '../monitoring/logger.ts';
import type { ModelLoad } from '../monitoring/model-load.ts';
import type { ShadowRun } from '../monitoring/shadow-run.ts';
import { createStatistics, type ModelStatistics } from '../monitoring/statistics.ts';
import type { ProcessorLog } from '../processors/processor.ts';
import type { OpenSession } from '../runtime/open-model-file.ts';
import type { ProcessMemory } from '../runtime/process-memory.ts';
import { loadRuntime } from '../runtime/session.ts';
import { type CacheState, createSessionCache, LoadError } from '../runtime/session-cache.ts';
import type { Trials } from '../runtime/trial.ts';
import { StoreError } from '../stores/model-store.ts';
import type { ModelUsage } from '../usage.ts';
import type { InputKind } from '../values/input.ts';
import { loadModel, type Model } from './load-model.ts';
import { createModelChooser } from './model-chooser.ts';
import { type AccountedUse, createModelUse, type ModelUse } from './model-use.ts';
import { preload } from './preload.ts';
import type { AddSteps } from './processed-model.ts';
import type { HeldBackVersion } from './rollout.ts';
import type { Tasks } from './tasks.ts';
import type { Traffic } from './traffic.ts';
import { stillLoading, toRepositoryError } from './unavailable.ts';
import { createUnloaded } from './unloaded.ts';
import type { UseContext } from './use-context.ts';

/** Which model a request refers to: by name, or a version that was resolved before. */
export type ModelChoice = NamedChoice | { readonly reference: ModelReference };

export interface NamedChoice {
  /** Undefined: the default model, or the only one that takes input of this kind. */
  readonly model?: string | undefined;
  /** A version, or an alias of one. Undefined: the live version. */
  readonly version?: string | undefined;
  /** An alias, for protocols that distinguish aliases from versions; it takes precedence over `version`. */
  readonly alias?: string | undefined;
  /** The kind of input in the request; used if it names no model. */
  readonly kind?: InputKind | undefined;
}

/** The result of a use, and its cost. */
export interface Used<R> {
  readonly value: R;
  readonly usage: ModelUsage;
}

export interface InferenceOptions {
  readonly tasks: Tasks;
  /** Puts steps of own code around models that name some; undefined without own code. */
  readonly addSteps?: AddSteps | undefined;
  readonly openSession: OpenSession;
  readonly repository: ModelRepository;
  readonly limits: Limits;
  readonly intraOpThreads: number;
  /** Runs the trials of models that could end the process. */
  readonly trials: Trials;
  readonly sessionCacheBytes: number;
  /** The memory that `sessionCacheBytes` limits; by default it limits the sizes of the models. */
  readonly memory?: ProcessMemory | undefined;
  readonly defaultModel: string | undefined;
  readonly logger: Logger;
  /** Gets each load that has ended. */
  readonly onLoad?: ((load: ModelLoad) => void) | undefined;
  /** Whether somebody reads what the values of tabular models are like. */
  readonly countsValues?: boolean | undefined;
  /** Whether a request waits or runs: shadows then do not run. */
  readonly isBusy?: (() => boolean) | undefined;
  /** Gets each copy of a request for a shadow. */
  readonly onShadow?: ((run: ShadowRun) => void) | undefined;
  /** Notes a release that is held back. It never rejects. */
  readonly onHeldBack?: ((failed: HeldBackVersion) => Promise<void>) | undefined;
}

/** `unloaded`: an operator took it out of use. */
export type ModelState = CacheState | 'unloaded';

/** What a request does with its model. */
type Work<R> = (model: ModelUse) => R | Promise<R>;

/** The inference core: it deals with models and inputs, not with transports or wire formats. */
export interface Inference {
  readonly repository: ModelRepository;
  /**
   * The model version that a request refers to, for callers that must know it before they use it. A use with that
   * reference does not look it up again.
   * @returns no promise if it is known
   * @throws InferenceError
   */
  resolve(choice: ModelChoice, context?: UseContext): Promise<ModelReference> | ModelReference;
  /** The versions of a model that its releases let requests get, and that this instance could not load. */
  heldBack(name: string): readonly string[];
  /** Whether the version that answers a request depends on its body, so that `resolve` needs it. */
  readsBody(name: string): boolean;
  /**
   * Resolves the version once, keeps it loaded while `work` runs, and records the usage.
   * @throws InferenceError with the usage so far, once the version is known
   */
  use<R>(
    choice: ModelChoice,
    context: UseContext,
    work: (model: ModelUse) => R | Promise<R>,
  ): Promise<Used<R>>;
  /** Versions in memory, with the sum of their sizes. */
  sessions(): { readonly count: number; readonly bytes: number };
  /** Counters of a version since this instance started. */
  statistics(reference: ModelReference): ModelStatistics;
  /**
   * Loads a version, even if it was unloaded. Without a version, puts all unloaded ones into use again.
   * @throws InferenceError
   */
  load(choice: ModelChoice, context: UseContext): Promise<void>;
  /**
   * Frees the memory of a version, or of all of a model, once nothing uses it. Requests to it are refused until it is
   * loaded again.
   */
  unload(name: string, version?: string): Promise<void>;
  /** State of a version in memory; undefined if no request has used it since the start. */
  state(reference: ModelReference): ModelState | undefined;
  /**
   * Loads the versions of some models that requests can get, or of all models for `*`. Failures are logged, and requests to these models run into
   * them again.
   */
  preload(names: readonly string[]): Promise<void>;
  /** Loads the native runtime, if that has not happened yet. */
  checkRuntime(): Promise<void>;
  /** Frees all sessions. */
  close(): Promise<void>;
}

export function createInference(options: InferenceOptions): Inference {
  const { repository, limits, logger } = options;
  const cache = createSessionCache<Model>({
    budgetBytes: options.sessionCacheBytes,
    memory: options.memory,
    onReleaseError: (key, error) => logger.log('error', 'release failed', { model: key, error }),
  });

  /** Two models can have the same name at different times, but not the same folder. */
  const keyOf = ({ name, version }: ModelReference) => folderOf(repository.known(name) ?? { name }, version);

  /** Versions whose weights were found to be wrong after they had been loaded. */
  const damaged = new Set<string>();

  /** A model whose weights are wrong is loaded again with the next request, which waits for their check. */
  function dropIfDamaged(reference: ModelReference, folder: ModelFolder): void {
    const key = keyOf(reference);
    folder.checked().catch(async (error: unknown) => {
      damaged.add(key);
      logger.log('error', 'model failed to load', { model: pathOf(reference), error });
      await cache.drop(key);
    });
  }

  async function load(reference: ModelReference): Promise<Model> {
    const startMs = performance.now();
    const key = keyOf(reference);
    try {
      // It takes the time of a download. If it fails, the creation of the session says so.
      loadRuntime().catch(() => undefined);
      // Its check is waited for below, or by each run.
      const folder = await repository.open(reference, !damaged.delete(key));
      const model = await loadModel(reference, folder, {
        tasks: options.tasks,
        addSteps: options.addSteps,
        openSession: options.openSession,
        intraOpThreads: options.intraOpThreads,
        trials: options.trials,
        onWarmUpError: (error) => logger.log('warn', 'warm-up failed', { model: pathOf(reference), error }),
      });
      dropIfDamaged(reference, folder);
      const durationMs = performance.now() - startMs;
      logger.log('info', 'model loaded', { model: pathOf(reference), load_ms: roundMs(durationMs) });
      const { objective } = model.config;
      const features = model.counted?.named;
      options.onLoad?.({ reference, durationMs, succeeded: true, objective, features });
      return model;
    } catch (error) {
      const isReleased = traffic?.choosable(reference.name).includes(reference.version);
      options.onLoad?.({ reference, durationMs: performance.now() - startMs, succeeded: false, isReleased });
      logger.log('error', 'model failed to load', { model: pathOf(reference), error });
      throw error;
    }
  }

  const unloaded = createUnloaded();

  let uses = 0;
  /** The version of each model that was live and asked for when it had no releases. */
  const earlier = new Map<string, string>();
  /** Loaded with the first request to a model that has releases. */
  let traffic: Traffic | undefined;

  async function openTraffic(): Promise<Traffic> {
    const { createTraffic } = await import('./traffic.ts');
    traffic ??= createTraffic({
      known: repository.known,
      state: (reference) => cache.state(keyOf(reference)),
      touch: (reference) => cache.touch(keyOf(reference)),
      load: (reference) =>
        cache.use(
          keyOf(reference),
          () => load(reference),
          ({ warmUp }) => warmUp(),
        ),
      earlier,
      onHeldBack: options.onHeldBack,
      logger,
      use: async (reference, work) => {
        await useVersion(reference, {}, work);
      },
      isBusy: () => options.isBusy?.() === true,
      uses: () => uses,
      onRun: (run) => options.onShadow?.(run),
    });
    return traffic;
  }

  /** The version that gets a request instead of the live one, if the model has releases. */
  function follow(live: ModelReference, context: UseContext): Promise<ModelReference> | ModelReference {
    if (repository.known(live.name)?.serving) {
      return traffic?.route(live, context) ?? openTraffic().then((opened) => opened.route(live, context));
    }
    earlier.set(live.name, live.version);
    return live;
  }

  const statistics = createStatistics();
  const chooseModel = createModelChooser(options);

  /** The version that a request names, or else the live one. */
  function lookUp(choice: NamedChoice, budget: Budget | undefined): Promise<ModelReference> | ModelReference {
    const { alias, version } = choice;
    const find = (model: string) =>
      alias === undefined
        ? (repository.knownVersion(model, version) ?? repository.resolve(model, version, budget))
        : repository.resolveAlias(model, alias, budget);
    const name = choice.model ?? chooseModel(choice.kind ?? 'features', budget);
    return typeof name === 'string' ? find(name) : name.then(find);
  }

  function resolve(choice: ModelChoice, context: UseContext = {}): Promise<ModelReference> | ModelReference {
    if ('reference' in choice) return choice.reference;
    const isNamed = (choice.version ?? choice.alias) !== undefined;
    const settle = (found: ModelReference) =>
      isNamed ? { ...found, variant: NAMED } : follow(found, context);
    const found = lookUp(choice, context.budget);
    return found instanceof Promise ? found.then(settle) : settle(found);
  }

  /** The log of a step of own code in one request. */
  function logOf({ name, version }: ModelReference, requestId: string | undefined) {
    return (step: string): ProcessorLog => {
      const write =
        (level: 'info' | 'warn' | 'error'): ProcessorLog['info'] =>
        (message, fields = {}) =>
          logger.log(level, message, {
            ...fields,
            step,
            request_id: requestId,
            model: name,
            model_version: version,
          });
      return { info: write('info'), warn: write('warn'), error: write('error') };
    };
  }

  async function use<R>(choice: ModelChoice, context: UseContext, work: Work<R>): Promise<Used<R>> {
    uses += 1;
    const resolved = resolve(choice, context);
    const reference = resolved instanceof Promise ? await resolved : resolved;
    // Without releases, or with a version that the request names, there is no other version.
    if (reference.variant === undefined || reference.variant === NAMED) {
      return await useVersion(reference, context, work);
    }
    const copy = traffic?.copyOf(reference, context);
    const seen: Work<R> = copy ? (opened) => work(copy.observe(opened)) : work;
    const used = await useVersion(reference, context, seen, traffic?.others(reference));
    copy?.send(work, used.usage.reference);
    return used;
  }

  /** @param instead another version if this one cannot be loaded */
  async function useVersion<R>(
    reference: ModelReference,
    context: UseContext,
    work: Work<R>,
    instead?: () => ModelReference | undefined,
  ): Promise<Used<R>> {
    const { budget = createBudget(limits), context: request } = context;
    if (unloaded.has(reference)) {
      throw (await import('./describe-load-error.ts')).outOfUse(reference);
    }
    const askedMs = performance.now();
    let account = (): ModelUsage => {
      const loadMs = performance.now() - askedMs;
      return { reference, askedMs, loadMs, inputMs: 0, queueMs: 0, runs: 0, runMs: 0, instances: 0 };
    };
    let modelUse: AccountedUse | undefined;
    try {
      const value = await cache.use(
        keyOf(reference),
        () => load({ name: reference.name, version: reference.version }),
        async (model) => {
          const loadMs = performance.now() - askedMs;
          // Most models have no steps of own code, and need no log for them.
          const log = model.processed && logOf(model.reference, request?.requestId);
          const opened = createModelUse(model, budget, statistics, {
            logOf: log,
            trace: request?.trace,
            countsValues: options.countsValues,
          });
          modelUse = opened;
          account = () => ({ ...opened.account(askedMs, loadMs), reference });
          return await work(opened);
        },
        (loaded) => {
          const hadMs = budget.leftMs();
          return waitInTime(
            loaded,
            () => budget.leftMs(),
            () => waitedInVain(hadMs, () => stillLoading(reference)),
          );
        },
      );
      return { value, usage: account() };
    } catch (error) {
      const other = error instanceof LoadError ? instead?.() : undefined;
      if (other) return await useVersion(other, { ...context, budget }, work, instead);
      await modelUse?.refuse(error);
      const usage = account();
      throw (await toUseError(reference, error)).during(usage);
    }
  }

  return {
    repository,
    resolve,
    heldBack: (name) => {
      const versions = traffic?.choosable(name) ?? [];
      return versions.filter((version) => cache.state(keyOf({ name, version })) === 'failed');
    },
    readsBody: (name) => traffic?.readsBody(name) === true,
    use,
    statistics: (reference) => statistics.of(reference),
    load: async (choice, context) => {
      // The live version itself, and not one that answers until it is loaded.
      const reference = 'reference' in choice ? choice.reference : await lookUp(choice, context.budget);
      const isOne = 'reference' in choice || (choice.version ?? choice.alias) !== undefined;
      unloaded.delete(reference.name, isOne ? reference.version : undefined);
      await use({ reference }, context, ({ model }) => model.warmUp());
    },
    unload: async (name, version) => {
      const versions = version === undefined ? (await repository.versions(name))?.versions : [version];
      unloaded.add(name, version);
      await Promise.all((versions ?? []).map((each) => cache.drop(keyOf({ name, version: each }))));
    },
    sessions: cache.loaded,
    state: (reference) => (unloaded.has(reference) ? 'unloaded' : cache.state(keyOf(reference))),
    preload: (names) =>
      preload(names, options, {
        versionsOf: async (name) =>
          repository.known(name)?.serving ? (await openTraffic()).choosable(name) : [undefined],
        load: async (name, version) => {
          const choice = version === undefined ? { model: name } : { reference: { name, version } };
          await use(choice, {}, ({ model }) => model.warmUp());
        },
      }),
    checkRuntime: async () => {
      await loadRuntime();
    },
    close: () => cache.clear(),
  };
}

/** What describes why a model cannot be loaded is loaded with the first one that cannot. */
async function toUseError(reference: ModelReference, error: unknown): Promise<InferenceError> {
  const failure = error instanceof DamageError ? new LoadError(error, 0) : error;
  if (failure instanceof LoadError) {
    return (await import('./describe-load-error.ts')).unavailable(reference, failure);
  }
  return error instanceof StoreError ? toRepositoryError(error) : toInferenceError(error);
}
