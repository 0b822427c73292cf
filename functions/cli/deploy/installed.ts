import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** The packages of CDK that the stack needs. */
export const CDK_PACKAGES: readonly string[] = ['aws-cdk', 'aws-cdk-lib', 'constructs'];

/** The folder of a package that the project in the working folder has installed. */
export function findInstalled(name: string): string | undefined {
  const paths = createRequire(resolve('package.json')).resolve.paths(name) ?? [];
  return paths.map((path) => join(path, name)).find((folder) => existsSync(join(folder, 'package.json')));
}

/** Those that the project has not installed. */
export function findMissing(names: readonly string[]): readonly string[] {
  return names.filter((name) => findInstalled(name) === undefined);
}
