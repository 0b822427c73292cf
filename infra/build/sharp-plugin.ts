import type { Plugin } from 'esbuild';

/** The parser of colours, for which images here have no use: nothing is drawn, and nothing has a background. */
const COLOURS = '@img/colour';

/**
 * Leaves out of bundles what sharp imports and does not need here: 25 kB that read colours, and 25 kB that look for a
 * libvips of the system and compare its version. A bundle has the addon of its platform, and says where it is.
 */
export function sharpPlugin(): Plugin {
  return {
    name: 'sharp',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^@img\/colour$/ }, ({ path }) => ({ path, namespace: 'sharp' }));
      onLoad({ filter: /.*/, namespace: 'sharp' }, () => ({
        contents: `export default () => { throw new Error('${COLOURS} is not part of this bundle'); };`,
      }));
      // Other functions of it are called where sharp looks for its addon, which is replaced.
      onLoad({ filter: /sharp[\\/]dist[\\/]libvips\.mjs$/ }, () => ({
        contents: "export default { runtimePlatformArch: () => [process.platform, process.arch].join('-') };",
      }));
    },
  };
}
