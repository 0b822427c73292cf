import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Which models of a repository are packed. */
export interface PackedModels {
  /** `iris 1, 2` for each model. */
  readonly models: readonly string[];
  readonly bytes: number;
}

/** Files that made a model, and files that editors leave beside it. */
const NOT_PACKED = /(?:^|[/\\])(?:\.|__pycache__)|\.py$|requirements\.txt$|README\.md$/;

/**
 * Puts a model repository into a built target, replacing the example models.
 *
 * @throws Error with one sentence when the folder holds no model version
 */
export function packModels(folder: string, target: string): PackedModels {
  const versions = findVersions(folder);
  if (versions.size === 0) {
    throw new Error(
      `${JSON.stringify(folder)} has no <name>/<version>/ with a .onnx file in it; "ternion add <model> --name <name> -r ${folder}" creates one.`,
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

/** The versions that have a graph, by the names of their models. */
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
