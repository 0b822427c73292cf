import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { throwing } from './throwing.ts';

/** Parts of the library for other triggers than HTTP, and for streams, which a function must ask for. */
const UNUSED =
  /@azure[\\/]functions[\\/]src[\\/](?:converters[\\/]toMcp\w+|mcp[\\/]PromptInvocationContext|http[\\/]httpProxy)\.ts$/;
const EXTENSIONS = '@azure/functions-extensions-base';

/**
 * Bundles Azure's library for functions from its sources, which its package has beside the built file. That file has
 * everything in one function, from which a bundler cannot leave out anything: 79 kB, of which a function with an HTTP
 * trigger uses a third. What other triggers call throws an error instead.
 */
export function azurePlugin(): Plugin {
  return {
    name: 'azure',
    setup: ({ onLoad, onResolve, resolve }) => {
      onResolve(
        { filter: /^@azure\/functions$/ },
        async ({ path, importer, kind, resolveDir, pluginData }) => {
          if (pluginData === RESOLVING) return undefined;
          const built = await resolve(path, { importer, kind, resolveDir, pluginData: RESOLVING });
          return { path: join(dirname(built.path), '../src/index.ts'), sideEffects: false };
        },
      );
      onLoad({ filter: UNUSED }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const names = [...source.matchAll(/^export (?:async )?(?:function|class) (\w+)/gm)];
        return {
          contents: names.map(([, name = '']) => `export ${throwing(name)}`).join('\n'),
          loader: 'js',
        };
      });
      onResolve({ filter: new RegExp(`^${EXTENSIONS}$`) }, ({ path }) => ({ path, namespace: 'unused' }));
      onLoad({ filter: new RegExp(`^${EXTENSIONS}$`), namespace: 'unused' }, () => ({
        contents: `${throwing('getInstance')}\nexport const ResourceFactoryResolver = { getInstance };`,
        loader: 'js',
      }));
    },
  };
}

const RESOLVING = Symbol('resolving');
