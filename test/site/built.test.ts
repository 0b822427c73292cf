import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeBlocksOf } from '../../docs/site/markdown.ts';
import { readContents } from '../../docs/site/pages.ts';
import { listPages, readAddress, SITE } from './site.ts';

const ORIGIN = 'http://site';

/** An element of a page with one of its addresses, resolved. */
interface Address {
  readonly element: string;
  readonly url: URL;
}

function addressesOf(page: string): readonly Address[] {
  const html = readAddress(page)?.toString() ?? '';
  return [...html.matchAll(/<([a-z][\w-]*)\s([^>]*)>/g)].flatMap(([, element = '', attributes = '']) =>
    [...attributes.matchAll(/(?:^|\s)(href|src|srcset|poster|action)="([^"]*)"/g)].flatMap(
      ([, name, value = '']) => {
        const addresses =
          name === 'srcset' ? value.split(',').map((part) => part.trim().split(' ')[0] ?? '') : [value];
        return addresses.map((address) => ({
          element,
          url: new URL(unescapeHtml(address), `${ORIGIN}${page}`),
        }));
      },
    ),
  );
}

function unescapeHtml(text: string): string {
  return text.replaceAll(/&#(?:x26|38);|&amp;/g, '&');
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The text of a page, without its elements. */
function textOf(page: string): string {
  const html = readAddress(page)?.toString() ?? '';
  return html
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (entity, hex?: string, decimal?: string, name = '') => {
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return decimal === undefined ? (NAMED[name] ?? entity) : String.fromCodePoint(Number(decimal));
    });
}

function isBroken({ url }: Address): boolean {
  const target = readAddress(url.pathname);
  if (target === undefined) return true;
  const id = decodeURIComponent(url.hash.slice(1));
  return id !== '' && !target.toString().includes(` id="${id}"`);
}

const contents = readContents();
/** Each of them is in the sidebar of each page. */
const texts = contents.pages.filter(({ isText }) => isText);
const pages = listPages();
const isOwn = ({ url }: Address) => url.origin === ORIGIN;
/** A link loads nothing until a reader follows it. Data URLs are in the page itself. */
const isLoaded = ({ element, url }: Address) => element !== 'a' && url.protocol !== 'data:';

describe('the built site', () => {
  it('has each page of the repository', () => {
    const slugs = contents.pages.map(({ slug }) => (slug === '' ? '/' : `/${slug}/`));
    expect(slugs.length).toBeGreaterThan(10);
    expect(slugs.filter((slug) => !pages.includes(slug))).toEqual([]);
  });

  it.each(pages)('in %s leads to pages, files and headings that exist', (page) => {
    const addresses = addressesOf(page).filter(isOwn);
    expect(addresses.length).toBeGreaterThan(texts.length);
    expect(addresses.filter(isBroken).map(({ url }) => url.pathname + url.hash)).toEqual([]);
  });

  it.each(texts)('has each line of the code in $path', ({ slug, body }) => {
    const text = textOf(slug === '' ? '/' : `/${slug}/`);
    const lines = codeBlocksOf(body).flatMap(({ content }) => content.split('\n').map((line) => line.trim()));
    expect(lines.filter((line) => !text.includes(line))).toEqual([]);
  });

  it('lets long names in tables break, as `OTEL_EXPORTER_OTLP_ENDPOINT` after each `_`', () => {
    const html = readAddress('/docs/observe/')?.toString();
    expect(html).toContain('<td><code>OTEL_<wbr>EXPORTER_<wbr>OTLP_<wbr>ENDPOINT</code></td>');
  });

  it.each([...pages, '/404.html'])('in %s loads nothing from another host', (page) => {
    const foreign = addressesOf(page).filter((address) => isLoaded(address) && !isOwn(address));
    expect(foreign.map(({ element, url }) => `${element}: ${url.href}`)).toEqual([]);
  });

  it('has no style sheet that loads something from another host', () => {
    const sheets = globSync('**/*.css', { cwd: SITE });
    expect(sheets.length).toBeGreaterThan(1);
    const foreign = sheets.flatMap((sheet) =>
      [
        ...readFileSync(join(SITE, sheet), 'utf8').matchAll(
          /(?:@import\s*|url\()["']?(?:https?:)?\/\/[^)"']*/g,
        ),
      ].map(([address]) => `${sheet}: ${address}`),
    );
    expect(foreign).toEqual([]);
  });
});
