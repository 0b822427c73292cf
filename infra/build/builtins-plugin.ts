import type { Plugin } from 'esbuild';
export function builtinsPlugin(): Plugin {
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
