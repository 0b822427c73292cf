import type { Plugin } from 'esbuild';
import { throwing } from './throwing.ts';

/** Modules of Hono, each with the functions that others import from it. */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  // `app.mount`, for applications of other frameworks.
  mount: ['createMountedRequest'],
  // `c.req.parseBody`. Bodies are read without Hono's request.
  body: ['parseBody'],
  // `c.html`. Pages are files.
  html: ['resolveCallback'],
};

/** Leaves out of bundles what Hono has and nobody calls here, 3 kB of each start. */
export function honoPlugin(): Plugin {
  return {
    name: 'hono',
    setup: ({ onLoad }) => {
      onLoad({ filter: /hono[\\/]dist[\\/]utils[\\/](?:mount|body|html)\.js$/ }, ({ path }) => {
        const [, name = ''] = /(\w+)\.js$/.exec(path) ?? [];
        const functions = (UNUSED[name] ?? []).map((each) => `export ${throwing(each)}`);
        return {
          contents: ['export const HtmlEscapedCallbackPhase = {};', ...functions].join('\n'),
          loader: 'js',
        };
      });
    },
  };
}
