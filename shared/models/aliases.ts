import { InferenceError } from '../errors.ts';
import { StoreError } from '../stores/model-store.ts';
import type { Deployment } from './deployment.ts';
import { DEPLOYMENT_FILE, TRITON_FILE } from './formats/format-folder.ts';
import type { Listings } from './listings.ts';
import { ModelError } from './model-config.ts';
import type { ModelReference } from './model-reference.ts';
import { type Listing, pickVersion, unknownVersion } from './repository-listing.ts';
import type { SmallFiles } from './small-files.ts';

/** The names that operators gave to versions, in each model's `deployment.json`. */
export interface Aliases {
  /**
   * The versions that the aliases of a model stand for; they may be gone.
   * @throws InferenceError MODEL_UNAVAILABLE when the file is not valid
   */
  of(known: Listing, name: string): Promise<ReadonlyMap<string, string>>;
  /**
   * The version an alias stands for; undefined where there is no such model, alias or version.
   * @throws InferenceError MODEL_UNAVAILABLE when the file is not valid
   */
  pick(known: Listing, name: string, alias: string): Promise<ModelReference | undefined>;
  /** The error for an unknown alias. It lists the aliases that exist. */
  unknown(known: Listing, name: string, alias: string): Promise<InferenceError>;
  /** The same error for a request that accepts a version or an alias. */
  unknownVersion(known: Listing, name: string, version: string | undefined): Promise<InferenceError>;
}

export function createAliases(listings: Listings, smallFiles: SmallFiles): Aliases {
  // Only models with aliases need the code that reads them.
  const readFile = smallFiles.reader(async (text) => (await import('./deployment.ts')).parseDeployment(text));

  async function readDeployment(known: Listing, folder: string): Promise<Deployment | undefined> {
    const path = `${folder}/${DEPLOYMENT_FILE}`;
    const file = (await known.filesOf(folder)).byPath.get(path);
    if (!file) return undefined;
    try {
      return await readFile(file);
    } catch (error) {
      // Operators change this file while the server runs; each new listing has its current etag.
      if (!(error instanceof StoreError) || error.reason !== 'changed') throw error;
      const renewed = (await (await listings.renew()).filesOf(folder)).byPath.get(path);
      return renewed && (await readFile(renewed));
    }
  }

  async function aliasesOf(known: Listing, name: string): Promise<ReadonlyMap<string, string>> {
    const model = known.models.get(name);
    if (!model) return new Map();
    if (model.serving) return new Map(Object.entries(model.serving.aliases));
    try {
      return new Map(Object.entries((await readDeployment(known, name))?.aliases ?? {}));
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const text = `The aliases of model "${name}" cannot be read: ${error.message}.`;
      throw new InferenceError('MODEL_UNAVAILABLE', text, { cause: error });
    }
  }

  return {
    of: aliasesOf,
    pick: async (known, name, alias) => {
      const version = (await aliasesOf(known, name)).get(alias);
      return version === undefined ? undefined : pickVersion(known, name, version);
    },
    unknown: async (known, name, alias) => {
      if (!known.models.has(name)) return unknownVersion(known, name, undefined);
      const aliases = await aliasesOf(known, name);
      return danglingAlias(known, name, alias, aliases.get(alias)) ?? unknownAlias(name, alias, aliases);
    },
    unknownVersion: async (known, name, version) => {
      const aliases = await aliasesOf(known, name);
      const dangling = danglingAlias(known, name, version ?? '', aliases.get(version ?? ''));
      return dangling ?? unknownVersion(known, name, version, [...aliases.keys()]);
    },
  };
}

function danglingAlias(
  { models }: Listing,
  name: string,
  alias: string,
  version: string | undefined,
): InferenceError | undefined {
  if (version === undefined) return undefined;
  const model = models.get(name);
  const problem = model?.policy?.leftOut.includes(version)
    ? `which the version_policy in its ${TRITON_FILE} excludes; the served versions`
    : 'which does not exist; its versions';
  return new InferenceError(
    'RESOURCE_DOES_NOT_EXIST',
    `Alias "${alias}" of model "${name}" points to version ${JSON.stringify(version)}, ${problem} are ${model?.versions.join(', ')}.`,
  );
}

function unknownAlias(name: string, alias: string, aliases: ReadonlyMap<string, string>): InferenceError {
  return new InferenceError('RESOURCE_DOES_NOT_EXIST', [
    `Model "${name}"`,
    `has no alias ${JSON.stringify(alias.slice(0, 100))}; its aliases are: ${[...aliases.keys()].join(', ') || 'none'}.`,
  ]);
}
