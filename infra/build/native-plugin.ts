import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import {
  KOFFI_ADDON,
  type NativePackage,
  RUNTIME_ADDON,
  sharpAddon,
} from '../../functions/cli/deploy/native-packages.ts';

/**
 * Lets the packages with native addons be bundled. Each finds its addon by a path made of platform and version,
 * which a bundler cannot follow. Here they load the files that are placed beside the bundle, which need no
 * node_modules. The same bundle runs on all platforms of its host.
 *
 * @param placed the packages whose addons are there
 */
export function nativePlugin(projectFolder: string, placed: readonly NativePackage[]): Plugin {
  const hasKoffi = placed.some(({ name }) => name.startsWith('@koromix/koffi-'));
  const { version } = JSON.parse(
    readFileSync(join(projectFolder, 'node_modules/sharp/package.json'), 'utf8'),
  );
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it becomes a template of the bundle
  const sharp = sharpAddon('${process.platform}-${process.arch}', version);
  return pointAddons([
    [RUNTIME_MODULE, JSON.stringify(`./${RUNTIME_ADDON}`)],
    [/sharp[\\/]dist[\\/]sharp\.mjs$/, `\`./${sharp}\``],
    ...(hasKoffi ? ([[KOFFI_MODULE, JSON.stringify(`./${KOFFI_ADDON}`)]] as const) : []),
  ]);
}

/**
 * The same for the bundle in the npm package, which runs on any platform.
 *
 * @param module our own, which loads ONNX Runtime's addon for the platform that it runs on
 */
export function npmNativePlugin(module: string): Plugin {
  return {
    name: 'native-addons',
    setup: ({ onResolve, onEnd }) => {
      let isReplaced = false;
      onResolve({ filter: RUNTIME_MODULE }, () => {
        isReplaced = true;
        return { path: module };
      });
      onEnd(() => (isReplaced ? {} : { errors: [{ text: `${module} is not bundled` }] }));
    },
  };
}

/** Our own module that imports the package of koffi's addon. */
const KOFFI_MODULE = /shared[\\/]runtime[\\/]foreign-functions\.ts$/;

const RUNTIME_MODULE = /onnxruntime-node[\\/]dist[\\/]binding\.js$/;

/** @param staged modules, each with the expression of the path that it requires instead */
function pointAddons(staged: readonly (readonly [RegExp, string])[]): Plugin {
  return {
    name: 'native-addons',
    setup(build) {
      const pointed = new Set<string>();
      build.onEnd(() => {
        const missed = staged
          .filter(([, addon]) => !pointed.has(addon))
          .map(([, addon]) => ({ text: `${addon} is not bundled` }));
        return { errors: missed };
      });
      build.onLoad({ filter: MANIFESTS }, async ({ path }) => ({
        contents: shorten(await readFile(path, 'utf8')),
        loader: 'json',
      }));
      for (const [filter, addon] of staged) {
        build.onLoad({ filter }, async ({ path }) => {
          const source = await readFile(path, 'utf8');
          pointed.add(addon);
          return { contents: pointAt(source, addon), loader: 'js' };
        });
      }
    },
  };
}

/** Of packages that import their own package.json. */
const MANIFESTS = /(?:sharp|@aws-sdk[\\/][\w-]+)[\\/]package\.json$/;

/** What they read of it. The rest is 6 kB of sharp, and 6 kB of the SDK. */
function shorten(manifest: string): string {
  const { version } = JSON.parse(manifest);
  return JSON.stringify({ version });
}

/**
 * Makes a module load its staged addon.
 *
 * @throws Error when the module is not as expected, instead of bundling something that may not work
 */
function pointAt(source: string, addon: string): string {
  // Not `require` itself, for which the bundler would load a file of its own.
  const load = `process.getBuiltinModule('node:module').createRequire(import.meta.url)(${addon})`;
  const runtime = /require\(`[^`]*onnxruntime_binding\.node`\)/;
  // Its other half prepares the addon for the JavaScript of the package, which is not used.
  if (runtime.test(source)) return `export default { binding: ${load} };`;
  // This module of sharp does nothing but look for its addon.
  if (source.includes('sharp.node')) return `export default ${load};`;
  // Loaded when it is called.
  if (source.includes('@koromix/koffi-')) return `export const loadForeignFunctions = async () => ${load};`;
  throw new Error(`the module that loads ${addon} has changed; see how it finds its addon now`);
}
