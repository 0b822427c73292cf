import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** The files of zod that export everything, with the writer of JSON schemas among it. */
const INDEXES = /zod[\\/]v4[\\/](?:mini[\\/]external|core[\\/]index)\.js$/;
const WRITERS =
  /^export .* from "[^"]*(?:json-schema-processors|to-json-schema|json-schema-generator)\.js";$/gm;

/** The one file that reaches a helper through the object of all helpers, which keeps them all. */
const SCHEMAS = /zod[\\/]v4[\\/]mini[\\/]schemas\.js$/;

/**
 * Keeps zod's writer of JSON schemas, 21 kB, out of what each start loads. Bundlers put a file where all files that
 * import it can load it, even if they use nothing of it. So the writer has an import path of its own here: `toJSONSchema`
 * of `zod/v4/core`, which nothing else imports. Of its helpers, each start loads only what is used.
 */
export function zodPlugin(): Plugin {
  return {
    name: 'zod',
    setup: ({ onResolve, onLoad, resolve }) => {
      onResolve({ filter: /^zod\/v4\/core$/ }, async ({ path, importer, kind, resolveDir, pluginData }) => {
        if (pluginData === RESOLVING) return undefined;
        const index = await resolve(path, { importer, kind, resolveDir, pluginData: RESOLVING });
        return { path: join(dirname(index.path), 'json-schema-processors.js'), sideEffects: false };
      });
      onLoad({ filter: INDEXES }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replaceAll(WRITERS, '');
        if (contents === source) throw new Error(`${path} has changed; see how it exports toJSONSchema now`);
        return { contents, loader: 'js' };
      });
      onLoad({ filter: SCHEMAS }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replaceAll('core.util.', 'util.');
        if (contents === source) throw new Error(`${path} has changed; see whether it still uses core.util`);
        return { contents, loader: 'js' };
      });
    },
  };
}

const RESOLVING = Symbol('resolving');
