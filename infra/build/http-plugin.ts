import type { Plugin } from 'esbuild';

/**
 * Bundles import Node's `http` in a way that leaves its exports alone. An `import` reads all of them, and some are
 * getters that load Node's own HTTP client, WebSockets included: a third of the time until a server of one model
 * answers, for what nothing here uses.
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
