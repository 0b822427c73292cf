import { loadOnce } from '../memo.ts';
import type { ListedProtocol, ProtocolOptions } from '../protocols/operation.ts';

/** The description of the other protocols. The first request for it loads its code. */
export function listDocs(options: ProtocolOptions, described: readonly ListedProtocol[]): ListedProtocol {
  return {
    routes: [
      { method: 'GET', path: '/openapi.json' },
      { method: 'GET', path: '/docs' },
      { method: 'GET', path: '/docs/{file}' },
    ],
    load: loadOnce(async () => {
      const { createDocs } = await import('./docs-routes.ts');
      return createDocs(options, described);
    }),
  };
}
