import { loadOnce } from '../memo.ts';
import type { ModelReference } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { ReleasedModel } from './rollout.ts';
import type { Copy } from './shadows.ts';
import type { Traffic } from './traffic.ts';
import type { UseContext } from './use-context.ts';

/** What the releases of models change; nothing for models without any, for which none of its code is loaded. */
export interface Releases {
  /** The version that gets a request instead of the live one. */
  follow(live: ModelReference, context: UseContext): Promise<ModelReference> | ModelReference;
  /** Other versions for a request whose version could not be loaded, one with each call; then undefined. */
  others(reference: ModelReference): () => ModelReference | undefined;
  /** A copy of a request for the shadows of its model; undefined if there are none that get it. */
  copyOf(answered: ModelReference, context: UseContext): Copy | undefined;
  /** Whether the version that answers a request depends on its body. */
  readsBody(name: string): boolean;
  /** The versions of a model that a request can get; none if no request has come to it. */
  choosable(name: string): readonly string[];
  /** The same before the first request; undefined stands for the live version. */
  toPreload(name: string): Promise<readonly (string | undefined)[]>;
}

/**
 * @param open makes the part that divides requests. It gets the version of each model that was live and asked for before
 */
export function createReleases(
  repository: Pick<ModelRepository, 'known'>,
  open: (earlier: Map<string, string>) => Promise<Traffic>,
): Releases {
  const earlier = new Map<string, string>();
  let traffic: Traffic | undefined;
  const openOnce = loadOnce(async () => {
    traffic = await open(earlier);
    return traffic;
  });

  function released(name: string): ReleasedModel | undefined {
    const model = repository.known(name);
    return model?.serving && { ...model, serving: model.serving };
  }

  /** Something that a model with releases has, once a request has come to one. */
  function ask<T>(name: string, question: (traffic: Traffic, model: ReleasedModel) => T): T | undefined {
    const model = traffic && released(name);
    return traffic && model && question(traffic, model);
  }

  return {
    follow: (live, context) => {
      const model = released(live.name);
      if (model)
        return traffic?.route(model, context) ?? openOnce().then((opened) => opened.route(model, context));
      if (earlier.get(live.name) !== live.version) earlier.set(live.name, live.version);
      return live;
    },
    others: ({ name, version }) => {
      const tried = [version];
      return () => {
        const other = ask(name, (opened, model) => opened.instead(model, tried));
        if (other) tried.push(other.version);
        return other;
      };
    },
    copyOf: (answered, context) =>
      ask(answered.name, (opened, model) => opened.copyOf(model, context, answered)),
    readsBody: (name) => ask(name, (opened, model) => opened.readsBody(model)) === true,
    choosable: (name) => ask(name, (opened, model) => opened.choosable(model)) ?? [],
    toPreload: async (name) => {
      const model = released(name);
      return model ? (await openOnce()).choosable(model) : [undefined];
    },
  };
}
