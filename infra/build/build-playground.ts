import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleForBrowsers } from './bundle-for-browsers.ts';

/** The pages that are one file each, with the folders of their sources. */
const PAGES = {
  playground: 'shared/playground',
  curves: 'shared/playground/curves',
  releases: 'shared/playground/releases',
} as const;

/**
 * Builds `playground.html` and the other pages with everything they need inside. Beside each of them is its
 * Content-Security-Policy, `<name>.html.csp`, that lets its script and its style run and nothing else.
 */
export async function buildPlayground(projectFolder: string, output: string): Promise<void> {
  for (const [name, folder] of Object.entries(PAGES)) {
    const source = join(projectFolder, folder);
    const script = await bundleForBrowsers(join(source, 'main.ts'), 'esm');
    const style = await bundleForBrowsers(join(source, `${name}.css`));
    const template = readFileSync(join(source, `${name}.html`), 'utf8');
    const page = fill(template, {
      '<!-- style -->': `<style>${style}</style>`,
      '<!-- script -->': `<script type="module">${script}</script>`,
    });
    writeFileSync(join(output, `${name}.html`), page);
    writeFileSync(join(output, `${name}.html.csp`), `${describePolicy(script, style)}\n`);
  }
}

/** @throws Error when a mark is not in the template, because the page would then lack its script */
function fill(template: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce(
    (page, [mark, part]) => {
      if (!page.includes(mark)) throw new Error(`the page has no ${mark}`);
      return page.replace(mark, () => part);
    },
    template.replace(/\n\s+/g, '\n'),
  );
}

/** Source: W3C Content Security Policy Level 3, with Trusted Types, so that no text becomes markup or script. */
function describePolicy(script: string, style: string): string {
  return [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(style)}'`,
    "connect-src 'self'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

function hash(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}
