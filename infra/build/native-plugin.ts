import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { NATIVE_FOLDER, sharpAddon } from './native-files.ts';

/**
 * Makes the two packages with native addons bundle: each finds its addon by a path made of platform and version,
 * which a bundler cannot follow. They are pointed at the files staged beside the bundle, which need no node_modules.
 */
export function nativePlugin(projectFolder: string, output: string, platform: string): Plugin {
  const staged: readonly (readonly [RegExp, string])[] = [
    [/onnxruntime-node[\\/]dist[\\/]binding\.js$/, `./${NATIVE_FOLDER}/onnxruntime/onnxruntime_binding.node`],
    [/sharp[\\/]dist[\\/]sharp\.cjs$/, sharpAddon(output, platform)],
  ];
  return {
    name: 'native-addons',
    setup(build) {
      // sharp's ESM build locates its addon by import.meta.url, which a CommonJS bundle does not have.
      build.onResolve({ filter: /^sharp$/ }, () => ({
        path: join(projectFolder, 'node_modules/sharp/dist/index.cjs'),
      }));
      build.onResolve({ filter: /\.node$/ }, ({ path }) => ({ path, external: true }));
      for (const [filter, addon] of staged) {
        build.onLoad({ filter }, async ({ path }) => {
          const source = await readFile(path, 'utf8');
          return { contents: pointAt(source, addon), loader: 'js' };
        });
      }
    },
  };
}

/** binding.js keeps its code around the addon; sharp.cjs does nothing but look for it. */
function pointAt(source: string, addon: string): string {
  const template = /require\(`[^`]*onnxruntime_binding\.node`\)/;
  const load = `require(${JSON.stringify(addon)})`;
  return template.test(source) ? source.replace(template, load) : `module.exports = ${load};`;
}
