import { readdirSync } from 'node:fs';
import { compareVersions } from '../../../shared/models/versions.ts';

/** The versions of each model of a repository, by the name of the model. */
export type FoundVersions = ReadonlyMap<string, readonly string[]>;

/**
 * The versions of a model repository on this machine: each `<name>/<version>/` that holds a graph. Names are in the
 * order of the alphabet, and versions from low to high.
 *
 * @throws Error of node:fs if the folder cannot be read
 */
export function findVersions(folder: string): FoundVersions {
  const found = new Map<string, Set<string>>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const [name, version, ...rest] = path.split(/[/\\]/);
    if (name === undefined || version === undefined || rest.length === 0 || !path.endsWith('.onnx')) continue;
    found.set(name, (found.get(name) ?? new Set()).add(version));
  }
  return new Map([...found].map(([name, versions]) => [name, [...versions].sort(compareVersions)]));
}

/** `digits 1; iris 1, 2`. */
export function describeVersions(found: FoundVersions): string {
  return [...found].map(([name, versions]) => `${name} ${versions.join(', ')}`).join('; ');
}
