import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildFailure, Message, Plugin } from 'esbuild';
import * as z from 'zod/mini';
import { CommandError } from '../console.ts';

/** What `import ... from 'ternion'` means in own code: the functions that define it, and nothing of the server. */
const DEFINITIONS = import.meta.filename.endsWith('.ts')
  ? join(import.meta.dirname, '../../define.ts')
  : join(import.meta.dirname, 'define.mjs');

/** CommonJS packages need `require`. */
const REQUIRE =
  "import{createRequire as ownRequire}from'node:module';const require=ownRequire(import.meta.url);";

/**
 * Compiles the `ternion.config.ts` of a project, with all packages that it imports, into one file.
 *
 * @param path of the configuration
 * @param outfile what is written
 * @throws CommandError with the place of each mistake
 */
export async function compileConfig(path: string, outfile: string): Promise<void> {
  const { build } = await importEsbuild(path);
  try {
    await build({
      entryPoints: [path],
      outfile,
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      sourcemap: 'inline',
      logLevel: 'silent',
      alias: { ternion: DEFINITIONS },
      banner: { js: REQUIRE },
      plugins: [refuseAddons()],
    });
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    const mistakes = error.errors.map(describe).join('\n');
    throw new CommandError(`${path} cannot be compiled:\n${mistakes}`);
  }
}

async function importEsbuild(path: string): Promise<typeof import('esbuild')> {
  try {
    return await import('esbuild');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
    if (!isMissing) throw error;
    throw new CommandError(`${path} needs esbuild to be compiled: npm install --save-dev esbuild`);
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function describe({ text, location }: Message): string {
  if (!location) return `  ${text}`;
  return `  ${location.file}:${location.line}:${location.column + 1}: ${text}`;
}

/** What packages with a native addon have in their package.json. */
const addonPackage = z.object({
  name: z.string(),
  gypfile: z.optional(z.boolean()),
  binary: z.optional(z.unknown()),
  optionalDependencies: z._default(z.record(z.string(), z.unknown()), {}),
});

/** Names of packages that hold an addon for one platform. */
const PLATFORM = /(?:linux|darwin|win32).*(?:x64|arm64)/;

/** Packages that load an addon from a path which no bundler can follow. */
const LOADERS = /^(?:bindings|node-gyp-build|@mapbox\/node-pre-gyp|node-pre-gyp)$/;

/** An addon is built for one platform, and the bundles of the clouds are made on another one. */
function refuseAddons(): Plugin {
  return {
    name: 'refuse-addons',
    setup: ({ onResolve, resolve }) => {
      const refuse = (name: string) => ({
        errors: [
          {
            text: `"${name}" is a native addon, or loads one, which own code cannot have: it is compiled into bundles for other platforms. Use a package of JavaScript or WebAssembly.`,
          },
        ],
      });
      onResolve({ filter: /\.node$/ }, ({ path }) => refuse(path));
      onResolve({ filter: LOADERS }, ({ path }) => refuse(path));
      onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...options }) => {
        // This package has an addon, but not in its definitions, which the alias takes instead.
        const isHarmless = path === 'ternion' || path.startsWith('node:');
        if (pluginData === IS_RESOLVED || isHarmless) return undefined;
        const found = await resolve(path, { ...options, pluginData: IS_RESOLVED });
        if (found.errors.length > 0 || found.external) return found;
        const name = findAddon(found.path);
        return name === undefined ? found : refuse(name);
      });
    },
  };
}

const IS_RESOLVED = Symbol('resolved');

/** The name of the package of a file, if it has a native addon. */
function findAddon(file: string): string | undefined {
  if (!file.includes('node_modules')) return undefined;
  for (let folder = dirname(file); folder.includes('node_modules'); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (!existsSync(manifest)) continue;
    const parsed = addonPackage.safeParse(JSON.parse(readFileSync(manifest, 'utf8')));
    // Packages have files of this name in other folders too, which only say what kind of modules are there.
    if (!parsed.success) continue;
    const { name, gypfile, binary, optionalDependencies } = parsed.data;
    const hasPlatforms = Object.keys(optionalDependencies).some((other) => PLATFORM.test(other));
    return hasPlatforms || gypfile === true || binary !== undefined || existsSync(join(folder, 'binding.gyp'))
      ? name
      : undefined;
  }
  return undefined;
}
