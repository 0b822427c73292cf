import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** What of a model repository is packed. */
export interface PackedModels {
  /** `iris 1, 2` for each model. */
  readonly models: readonly string[];
  readonly bytes: number;
}

/** What made a model, and what editors leave beside it. */
const NOT_PACKED = /(?:^|[/\\])(?:\.|__pycache__)|\.py$|requirements\.txt$|README\.md$/;

/**
 * Puts a model repository into a built target, in the place of the example models.
 *
 * @throws Error when the folder holds no model version, in a sentence
 */
export function packModels(folder: string, target: string): PackedModels {
  const versions = findVersions(folder);
  if (versions.size === 0) {
    throw new Error(
      `${JSON.stringify(folder)} has no <name>/<version>/ with a .onnx file in it; "ternion add <model> --name <name> -r ${folder}" makes one.`,
    );
  }
  const place = join(target, 'models');
  rmSync(place, { recursive: true, force: true });
  cpSync(folder, place, {
    recursive: true,
    // Links would lead nowhere in the cloud.
    dereference: true,
    filter: (path) => !NOT_PACKED.test(relative(folder, path)),
  });
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return {
    models: [...versions].map(([name, found]) => `${name} ${found.join(', ')}`),
    bytes: files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0),
  };
}

/** The versions with a graph by the names of their models. */
function findVersions(folder: string): ReadonlyMap<string, readonly string[]> {
  const versions = new Map<string, string[]>();
  for (const path of listFiles(folder)) {
    const [name, version, ...rest] = path.split(/[/\\]/);
    if (name === undefined || version === undefined || rest.length === 0 || !path.endsWith('.onnx')) continue;
    const known = versions.get(name) ?? [];
    if (!known.includes(version)) versions.set(name, [...known, version]);
  }
  return versions;
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true }).map(String);
  } catch (error) {
    throw new Error(`${JSON.stringify(folder)} cannot be read: it is not a folder.`, { cause: error });
  }
}
