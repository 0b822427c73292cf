import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

/** The files of zod that export everything, with the writer of JSON schemas among it. */
const INDEXES = /zod[\\/]v4[\\/](?:mini[\\/]external|core[\\/]index)\.js$/;
const WRITERS =
  /^export .* from "[^"]*(?:json-schema-processors|to-json-schema|json-schema-generator)\.js";$/gm;

/** An object of five functions with their classes, of which only one is called: the one for numbers. */
const COERCE = /^export \* as coerce from "\.\/coerce\.js";$/m;
const NUMBERS = 'import { number } from "./coerce.js";\nexport const coerce = { number };';

/** The one file that reaches a helper through the object of all helpers, which keeps them all. */
const SCHEMAS = /zod[\\/]v4[\\/]mini[\\/]schemas\.js$/;

/** The files of the writer. */
const WRITER = /zod[\\/]v4[\\/]core[\\/](?:json-schema-processors|to-json-schema)\.js$/;

/** The version of JSON Schema that OpenAPI 3.1 has, which is the one that is written. */
const DIALECT = 'draft-2020-12';
const IS_DIALECT = /\bctx\.target (===|!==) "([\w.-]+)"/g;

/** Kinds of schemas that no route has. test/bundles/docs-page.test.ts compares what is written without them. */
const UNUSED_KINDS = ['bigint', 'symbol', 'undefined', 'void', 'date', 'nan', 'template_literal', 'file']
  .concat(['success', 'function', 'map', 'set', 'intersection', 'nonoptional', 'prefault', 'readonly'])
  .concat(['promise']);
const KINDS = /(?<=^export const allProcessors = \{\n)[^}]*/m;

/** What is done if there was an intersection. */
const INTERSECTIONS = 'if (ctx.intersections.length)';

/**
 * Keeps zod's writer of JSON schemas, 21 kB, out of what each start loads. Bundlers put a file where all files that
 * import it can load it, even if they use nothing of it. So the writer has an import path of its own here: `toJSONSchema`
 * of `zod/v4/core`, which nothing else imports. Of its helpers, each start loads only what is used. The writer itself
 * keeps one version of JSON Schema and the kinds of schemas that routes have, without the other 6 kB.
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
      onLoad({ filter: WRITER }, async ({ path }) => ({
        contents: shortenWriter(await readFile(path, 'utf8'), path),
        loader: 'js',
      }));
      onLoad({ filter: INDEXES }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const contents = source.replaceAll(WRITERS, '').replace(COERCE, NUMBERS);
        if (contents === source || (path.includes('mini') && !contents.includes(NUMBERS)))
          throw new Error(`${path} has changed; see how it exports toJSONSchema now`);
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

/** @throws Error when the file has nothing of what is left out */
function shortenWriter(source: string, path: string): string {
  const contents = source
    .replaceAll(IS_DIALECT, (_, operator, dialect) => String((dialect === DIALECT) === (operator === '===')))
    .replace(INTERSECTIONS, 'if (false)')
    .replace(KINDS, (kinds) => {
      const lines = kinds.split('\n');
      return lines.filter((line) => !UNUSED_KINDS.includes(line.trim().split(':')[0] ?? '')).join('\n');
    });
  if (IS_DIALECT.test(contents) || contents.length > source.length - 100)
    throw new Error(`${path} has changed; see how it writes schemas now`);
  return contents;
}
