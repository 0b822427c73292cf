import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** A source map that maps a whole file to one place: the bundler drops a map that maps nothing. */
const COARSE_MAP = Buffer.from('{"version":3,"sources":["package"],"mappings":"AAAA"}').toString('base64');

/** Keeps packages out of the source maps: they would be most of the size, and traces into packages are not useful. */
export function ownSourceMaps(): Plugin {
  return {
    name: 'own-source-maps',
    setup(build) {
      build.onLoad({ filter: /node_modules.*\.(?:[mc]?js|ts)$/ }, async ({ path }) => ({
        contents: `${await readFile(path, 'utf8')}\n//# sourceMappingURL=data:application/json;base64,${COARSE_MAP}`,
        loader: path.endsWith('.ts') ? 'ts' : 'js',
      }));
    },
  };
}
