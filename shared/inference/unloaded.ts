import type { ModelReference } from '../models/model-reference.ts';

/** The versions that an operator unloaded in this instance. */
export interface Unloaded {
  has(reference: ModelReference): boolean;
  /** Takes one version out of use or, without a version, all versions of a model, including later ones. */
  add(name: string, version?: string): void;
  /** Puts one version into use again or, without a version, all versions of a model. */
  delete(name: string, version?: string): void;
}

interface OutOfUse {
  /** Whether the listed versions are the exceptions, or the unloaded ones. */
  readonly isAll: boolean;
  readonly versions: Set<string>;
}

export function createUnloaded(): Unloaded {
  const models = new Map<string, OutOfUse>();
  return {
    has: ({ name, version }) => {
      const model = models.get(name);
      return model !== undefined && model.versions.has(version) !== model.isAll;
    },
    add: (name, version) => {
      if (version === undefined) return void models.set(name, { isAll: true, versions: new Set() });
      const model = models.get(name) ?? { isAll: false, versions: new Set() };
      models.set(name, model);
      if (model.isAll) model.versions.delete(version);
      else model.versions.add(version);
    },
    delete: (name, version) => {
      const model = models.get(name);
      if (!model) return;
      if (version === undefined) models.delete(name);
      else if (model.isAll) model.versions.add(version);
      else model.versions.delete(version);
    },
  };
}
