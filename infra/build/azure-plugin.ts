import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Bundles Azure's library for functions from its sources, which its package has beside the built file. That file has
 * everything in one function, from which a bundler cannot leave out anything: 79 kB, of which a function with an HTTP
 * trigger uses half.
 */
export function azurePlugin(): Plugin {
  return {
    name: 'azure',
    setup: ({ onResolve, resolve }) => {
      onResolve(
        { filter: /^@azure\/functions$/ },
        async ({ path, importer, kind, resolveDir, pluginData }) => {
          if (pluginData === RESOLVING) return undefined;
          const built = await resolve(path, { importer, kind, resolveDir, pluginData: RESOLVING });
          return { path: join(dirname(built.path), '../src/index.ts'), sideEffects: false };
        },
      );
      // As the built file gets it: the other form of this package lacks what is imported.
      onResolve({ filter: /^@azure\/functions-extensions-base$/ }, ({ path, kind, resolveDir }) =>
        kind === 'import-statement' ? resolve(path, { kind: 'require-call', resolveDir }) : undefined,
      );
    },
  };
}

const RESOLVING = Symbol('resolving');
