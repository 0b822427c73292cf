import type { Plugin } from 'esbuild';

/** The functions of `semver` that sharp calls. */
const FUNCTIONS = ['coerce', 'gte', 'satisfies'];

/** The parser of colours, for which images here have no use: nothing is drawn, and nothing has a background. */
const COLOURS = '@img/colour';

/**
 * Leaves out of bundles what sharp imports and does not call here: 25 kB that read colours, and most functions of
 * `semver`.
 */
export function sharpPlugin(): Plugin {
  return {
    name: 'sharp',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^(?:semver|@img\/colour)$/ }, ({ path, resolveDir, kind }) =>
        kind === 'import-statement' ? { path, namespace: 'sharp', pluginData: resolveDir } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'sharp' }, ({ path, pluginData }) =>
        path === COLOURS
          ? {
              contents: `export default () => { throw new Error('${COLOURS} is not part of this bundle'); };`,
            }
          : { contents: functionsOf(path), resolveDir: String(pluginData) },
      );
    },
  };
}

function functionsOf(name: string): string {
  return [
    ...FUNCTIONS.map((each) => `import ${each} from '${name}/functions/${each}.js';`),
    `export default { ${FUNCTIONS.join(', ')} };`,
  ].join('\n');
}
