import type { JsonValue } from '../json/json-value.ts';
import { loadOnce } from '../memo.ts';
import { LIVE, type ModelListing, type ModelReference } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { Traffic as Division } from '../models/serving.ts';
import {
  type Assignment,
  assign,
  assignShadows,
  choosable,
  fieldAt,
  type RequestFacts,
  readsBody,
} from '../releases/assign.ts';
import type { Condition } from '../releases/conditions.ts';
import { createRollout, type ReleasedModel, type RolloutOptions } from './rollout.ts';
import { type Copy, createShadows, type ShadowsOptions } from './shadows.ts';
import type { UseContext } from './use-context.ts';

/** How requests that name no version are divided among the versions of models with releases. */
export interface Traffic {
  /** The version that answers a request instead of the live one. Nothing may be known about the request. */
  route(live: ModelReference, context: UseContext): ModelReference | Promise<ModelReference>;
  /** Whether `route` needs the body of a request. */
  readsBody(name: string): boolean;
  /** Other versions for a request whose version could not be loaded, one with each call; then undefined. */
  others(reference: ModelReference): () => ModelReference | undefined;
  /** A copy of a request for the shadows of its model; undefined if there are none that get it. */
  copyOf(answered: ModelReference, context: UseContext): Copy | undefined;
  /** The versions that a request can get; none for a model without releases. */
  choosable(name: string): readonly string[];
}

export interface TrafficOptions extends RolloutOptions, ShadowsOptions {
  readonly known: ModelRepository['known'];
}

/** Most time that the load of versions may keep a process awake after an answer. After that it continues with the process. */
const LOAD_BUDGET_MS = 20_000;

export function createTraffic(options: TrafficOptions): Traffic {
  const rollout = createRollout(options);
  const shadows = createShadows(options);
  const compiled = new WeakMap<Condition, (facts: RequestFacts) => boolean>();
  /** Whether a division needs the body of a request. */
  const bodies = new WeakMap<Division, boolean>();
  let conditions: typeof import('../releases/conditions.ts') | undefined;
  const loadConditions = loadOnce(async () => {
    conditions = await import('../releases/conditions.ts');
  });

  /** A condition that has a problem is met by no request. */
  function compile(when: Condition, { name }: ReleasedModel): (facts: RequestFacts) => boolean {
    const known = compiled.get(when);
    if (known) return known;
    const problem = conditions?.problemOf(when);
    if (problem !== undefined) {
      options.logger.log('warn', 'a rule for requests is left out', { model: name, problem });
    }
    const meets = problem === undefined ? conditions?.compileCondition(when) : undefined;
    const made = meets ?? (() => false);
    compiled.set(when, made);
    return made;
  }

  function decide(model: ReleasedModel, context: UseContext): Assignment {
    const facts = factsOf(context);
    if (!facts) return { version: model.liveVersion, variant: LIVE, sticky: undefined };
    return assign(model, facts, (when) => compile(when, model)(facts));
  }

  function settle(model: ReleasedModel, context: UseContext): ModelReference {
    return rollout.settle(model, decide(model, context), (work) => {
      const waitUntil = context.context?.waitUntil;
      // It logs its failures itself.
      if (waitUntil) waitUntil(work, { budgetMs: LOAD_BUDGET_MS });
      else void work();
    });
  }

  function released(name: string): ReleasedModel | undefined {
    const model = options.known(name);
    return model && isReleased(model) ? model : undefined;
  }

  return {
    route: (live, context) => {
      const model = released(live.name);
      if (!model) return live;
      const hasRules = (model.serving.traffic?.rules.length ?? 0) > 0;
      return hasRules && !conditions
        ? loadConditions().then(() => settle(model, context))
        : settle(model, context);
    },
    readsBody: (name) => {
      const traffic = released(name)?.serving.traffic;
      if (!traffic) return false;
      const known = bodies.get(traffic) ?? readsBody(traffic);
      bodies.set(traffic, known);
      return known;
    },
    others: ({ name, version, sticky }) => {
      const tried = [version];
      return () => {
        const model = released(name);
        const other = model && rollout.instead(model, tried);
        if (other) tried.push(other.version);
        return other && { ...other, sticky };
      };
    },
    copyOf: (answered, context) => {
      const model = released(answered.name);
      const { waitUntil, requestId } = context.context ?? {};
      const facts = model?.serving.traffic?.shadows.length ? factsOf(context) : undefined;
      if (!model || !facts || !waitUntil || requestId === undefined) return undefined;
      const versions = assignShadows(model, facts, answered.version);
      return versions.length > 0 ? shadows.copyOf(answered, versions, { waitUntil, requestId }) : undefined;
    },
    choosable: (name) => {
      const model = released(name);
      return model ? choosable(model) : [];
    },
  };
}

function isReleased(model: ModelListing): model is ReleasedModel {
  return model.serving !== undefined;
}

/** What is known of a request; undefined for a use without one, such as a look at a model. */
function factsOf({ context, request, json }: UseContext): RequestFacts | undefined {
  if (!request) return undefined;
  let body: { readonly value: JsonValue | undefined } | undefined;
  return {
    requestId: context?.requestId ?? '',
    header: (name) => request.headers.get(name) ?? undefined,
    field: (path) => {
      body ??= { value: json && parsed(json) };
      return fieldAt(body.value, path);
    },
  };
}

/** A body that is not JSON has no fields; the code of its protocol says what is wrong with it. */
function parsed(json: () => JsonValue): JsonValue | undefined {
  try {
    return json();
  } catch {
    return undefined;
  }
}
