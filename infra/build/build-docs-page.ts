import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { bundleForBrowsers } from './bundle-for-browsers.ts';

/** The largest page, Swagger UI, has 359 kB so, and 460 kB with gzip. */
const SMALLEST = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } };

/**
 * Builds the documentation page: `docs.html` with its Content-Security-Policy beside it, and its files, compressed once
 * for all requests. Swagger UI comes from its package, so the page needs no other server.
 */
export async function buildDocsPage(projectFolder: string, output: string): Promise<void> {
  const source = join(projectFolder, 'shared/docs-page');
  const library = join(projectFolder, 'node_modules/swagger-ui-dist');
  writeFileSync(
    join(output, 'docs.html'),
    readFileSync(join(source, 'docs.html'), 'utf8').replace(/\n\s+/g, '\n'),
  );
  writeFileSync(join(output, 'docs.html.csp'), `${POLICY}\n`);
  const pack = (name: string, content: string) =>
    writeFileSync(join(output, `${name}.br`), brotliCompressSync(content, SMALLEST));
  pack('docs.js', await bundleForBrowsers(join(source, 'main.ts')));
  pack('docs.css', await bundleForBrowsers(join(source, 'docs.css')));
  for (const name of ['swagger-ui.css', 'swagger-ui-bundle.js'])
    pack(name, withoutSourceMap(readFileSync(join(library, name), 'utf8')));
  const notices = ['NOTICE', 'swagger-ui-bundle.js.LICENSE.txt', 'LICENSE'];
  const texts = notices.map((name) => readFileSync(join(library, name), 'utf8').trim());
  pack('swagger-ui-bundle.js.LICENSE.txt', `${texts.join('\n\n')}\n`);
}

/**
 * Allows only scripts and styles from our own files. Swagger UI has pictures in its style, and shows pictures of
 * answers.
 * Source: W3C Content Security Policy Level 3.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data: blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Source maps are as large as the rest, so they are left out. */
function withoutSourceMap(content: string): string {
  return content.replace(/\n?(?:\/\/|\/\*)# sourceMappingURL=.*$/s, '\n');
}
