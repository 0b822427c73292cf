import type { Plugin } from 'esbuild';

/**
 * Makes bundles import Node's `http` without reading its exports. An `import` reads all of them, and some are getters
 * that load Node's own HTTP client with WebSockets. That takes a third of the time until a server with one model
 * answers, and nothing here uses it.
 */
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
