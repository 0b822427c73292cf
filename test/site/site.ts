import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, relative } from 'node:path';
import { portOf } from '../support/port-of.ts';
import { PROJECT } from '../support/project.ts';

/** The output of `npm run docs`. */
export const SITE = join(PROJECT, 'docs/site/dist');

/** The addresses of all pages of the site: `/`, `/docs/clients/`. */
export function listPages(): readonly string[] {
  const files = readdirSync(SITE, { recursive: true, encoding: 'utf8' }).map(
    (file) => `/${file.replaceAll('\\', '/')}`,
  );
  return files
    .filter((file) => file.endsWith('/index.html'))
    .map((file) => file.slice(0, -'index.html'.length))
    .sort();
}

/** The file of an address, or nothing where the site has none. */
export function readAddress(path: string): Buffer | undefined {
  const decoded = decodeURIComponent(path);
  const file = join(SITE, decoded.endsWith('/') ? `${decoded}index.html` : decoded);
  if (relative(SITE, file).startsWith('..')) return undefined;
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '/': 'text/html',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

/** Serves the site to this machine, as any server of files does. */
export async function serveSite(): Promise<{ readonly origin: string; close(): void }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    const body = readAddress(pathname);
    const [extension = ''] = /(?:\.\w+|\/)$/.exec(pathname) ?? [];
    response.writeHead(body ? 200 : 404, { 'content-type': TYPES[extension] ?? 'application/octet-stream' });
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { origin: `http://127.0.0.1:${portOf(server)}`, close: () => server.close() };
}
