import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

const targetSchema = z.strictObject({
  /** Platforms to build for, as `<os>-<cpu>`; `host` is the machine that builds. */
  platforms: z.array(z.string()).min(1),
  /** Scripts next to the entry, without `.ts`, each of which becomes one file. */
  entries: z.array(z.string()).default([]),
  /** Modules that the host provides. */
  external: z.array(z.string()).default([]),
  /**
   * Modules that are left out because the host never loads them. Lambda has its credentials in the environment, and no
   * profile of a person.
   */
  omitted: z.array(z.string()).default([]),
  /** Files next to the entry that are copied unchanged. */
  files: z.array(z.string()).default([]),
  /** A package.json for the output, if the host needs one. */
  packageJson: z.record(z.string(), z.unknown()).optional(),
  /** Packages that the host installs, pinned to the versions of this project. */
  dependencies: z.array(z.string()).default([]),
  /** Whether it becomes part of this project's npm package, which runs on any platform. */
  isNpmPackage: z.boolean().default(false),
  /** Whether it is for a cloud: it has models, and projects build their own from its bundle in the npm package. */
  isDeployed: z.boolean().default(true),
  /** Whether koffi's addon is part of the output, with which native memory is given back to the system. */
  koffi: z.boolean().default(true),
});

/** One folder below dist/: one entry for one platform. */
export interface Target extends z.infer<typeof targetSchema> {
  /** Folder name below dist/, such as `aws-arm64`. */
  readonly name: string;
  /** Name of its folder below functions/. */
  readonly host: string;
  readonly folder: string;
  readonly platform: string;
}

/**
 * All targets: each folder of `functions/` with a `target.json` is a host, which is built once per platform in that
 * file.
 *
 * @throws Error when a target.json is not valid
 */
export function findTargets(functionsFolder: string): Target[] {
  return readdirSync(functionsFolder)
    .sort()
    .flatMap((host) => {
      const folder = join(functionsFolder, host);
      const file = join(folder, 'target.json');
      if (!existsSync(file)) return [];
      const target = targetSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      const platforms = target.platforms.map((given) =>
        given === 'host' ? `${process.platform}-${process.arch}` : given,
      );
      return platforms.map((platform) => {
        const cpu = platform.split('-')[1] ?? platform;
        const name = platforms.length > 1 ? `${host}-${cpu}` : host;
        return { ...target, platforms, name, host, folder, platform };
      });
    });
}
