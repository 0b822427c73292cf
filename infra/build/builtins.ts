import type { Plugin } from 'esbuild';

/**
 * The text of a module that gets what it imports from Node's own modules without an `import`, which would read all of
 * their exports. Some are getters that load more: Node's HTTP client with WebSockets for `http`, its streams for `fs`.
 * The former takes a third of the time until a server with one model answers, and nothing here uses it.
 *
 * Each import is on as many lines as before, for the source maps.
 */
export function withoutImports(source: string): string {
  return source.replaceAll(IMPORT, (_, names: string, module: string) => {
    const values = names.split(',').filter((name) => !/^\s*type /.test(name));
    return `const {${values.join(',').replaceAll(' as ', ': ')}} = process.getBuiltinModule('${module}');`;
  });
}

const IMPORT = /^import \{([^}]*)\} from '(node:[^']+)';$/gm;

/** The same for packages that import `http`. */
export function httpPlugin(): Plugin {
  return {
    name: 'http',
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^(?:node:)?http$/ }, ({ kind }) =>
        kind === 'import-statement' ? { path: 'http', namespace: 'http' } : undefined,
      );
      onLoad({ filter: /^http$/, namespace: 'http' }, () => ({
        contents: "module.exports = process.getBuiltinModule('node:http');",
      }));
    },
  };
}
