import type { Context } from 'hono';
import { InferenceError } from '../errors.ts';
import { BytesResponse } from '../http/bytes.ts';
import { compressResponse } from '../http/compress.ts';
import type { AppEnvironment } from '../http/context.ts';
import { loadOnce } from '../memo.ts';
import { hasTag, makeTag, respondPage } from '../pages/respond-page.ts';
import {
  type ListedProtocol,
  loadProtocols,
  type Protocol,
  type ProtocolOptions,
} from '../protocols/operation.ts';

/** The files of the page. */
const FILES = [
  'docs.css',
  'docs.js',
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-bundle.js.LICENSE.txt',
];

/**
 * The description of the other protocols: as OpenAPI for programs and as a page for people. The first request for the
 * document loads the code that writes it.
 */
export function createDocs(options: ProtocolOptions, described: readonly ListedProtocol[]): Protocol {
  const { pages } = options;
  const loadSource = loadOnce(async () => {
    const { createDocumentSource } = await import('./document-source.ts');
    return createDocumentSource(options, await loadProtocols(described));
  });

  async function answerDocument(c: Context<AppEnvironment>): Promise<Response> {
    const bytes = await (await loadSource()).read();
    const headers = { 'cache-control': 'no-cache', etag: makeTag(bytes) };
    if (hasTag(c.req.raw, headers.etag)) return new Response(null, { status: 304, headers });
    const type = { 'content-type': 'application/json' };
    return await compressResponse(c.req.raw, new BytesResponse(bytes, { headers: { ...headers, ...type } }));
  }

  async function answerFile(c: Context<AppEnvironment>, name: string): Promise<Response> {
    const response = await respondPage(pages, name, c.req.raw);
    if (response) return response;
    throw noFile(name);
  }

  return {
    name: 'docs',
    description: 'The description of the server.',
    operations: [
      { method: 'GET', path: '/openapi.json', handle: answerDocument },
      {
        method: 'GET',
        path: '/docs',
        handle: async (c) => {
          // The page refers to its files relative to its own address, which therefore must not end in a slash.
          const isFolder = new URL(c.req.url).pathname.endsWith('/');
          if (isFolder) return new Response(null, { status: 308, headers: { location: '../docs' } });
          return await answerFile(c, 'docs.html');
        },
      },
      {
        method: 'GET',
        path: '/docs/{file}',
        handle: async (c) => {
          const file = c.req.param('file') ?? '';
          if (!FILES.includes(file)) throw noFile(file);
          return await answerFile(c, file);
        },
      },
    ],
  };
}

function noFile(name: string): InferenceError {
  const text = `There is no ${JSON.stringify(name.slice(0, 100))} among the files of this build.`;
  return new InferenceError('ENDPOINT_NOT_FOUND', text);
}
