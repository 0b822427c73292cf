import type { Plugin } from 'esbuild';

/** The functions of `semver` that sharp calls. */
const FUNCTIONS = ['coerce', 'gte', 'satisfies'];

/** Leaves the other functions of `semver` out of bundles: sharp imports all of them, and they are half of it. */
export function semverPlugin(): Plugin {
  return {
    name: 'semver',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^semver$/ }, ({ resolveDir, kind }) =>
        kind === 'import-statement'
          ? { path: 'semver', namespace: 'semver', pluginData: resolveDir }
          : undefined,
      );
      onLoad({ filter: /^semver$/, namespace: 'semver' }, ({ pluginData }) => ({
        contents: [
          ...FUNCTIONS.map((name) => `import ${name} from 'semver/functions/${name}.js';`),
          `export default { ${FUNCTIONS.join(', ')} };`,
        ].join('\n'),
        resolveDir: String(pluginData),
      }));
    },
  };
}
