import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineHastPlugin, defineMdastPlugin } from 'satteri';
import { type Contents, ROOT, resolveLink } from './pages.ts';

/**
 * Plugins of the Markdown processor. They turn links between files of the repository into links of the site, also in HTML,
 * and diagrams into elements that `src/diagrams.ts` draws. Long names get places where they may be broken.
 */
export function createPlugins(contents: Contents, base: string) {
  const resolve = (fileURL: URL | undefined, target: unknown): string | undefined => {
    if (fileURL === undefined || typeof target !== 'string') return undefined;
    const from = relative(ROOT, fileURLToPath(fileURL)).replaceAll('\\', '/');
    return resolveLink(contents, from, target, base);
  };
  const links = defineHastPlugin({
    name: 'links-of-the-repository',
    element: {
      filter: ['a', 'img'],
      visit(node, context) {
        for (const name of ['href', 'src']) {
          const found = resolve(context.fileURL, node.properties?.[name]);
          if (found !== undefined) context.setProperty(node, name, found);
        }
      },
    },
  });
  const linksInHtml = defineMdastPlugin({
    name: 'links-in-html',
    html(node, context) {
      const attribute = /(\s(?:href|src|srcset)\s*=\s*)(["'])(.*?)\2/gi;
      const value = node.value.replaceAll(
        attribute,
        (_, name: string, quote: string, target: string) =>
          `${name}${quote}${resolve(context.fileURL, target)}${quote}`,
      );
      if (value !== node.value) context.replaceNode(node, { type: 'html', value });
    },
  });
  const diagrams = defineMdastPlugin({
    name: 'diagrams',
    code(node, context) {
      if (node.lang !== 'mermaid') return;
      context.replaceNode(node, {
        type: 'html',
        value: `<pre class="diagram">${escapeHtml(node.value)}</pre>`,
      });
    },
  });
  return { hastPlugins: [links, longNames], mdastPlugins: [linksInHtml, diagrams] };
}

/** A longer name in a cell takes the room of the columns beside it. */
const LONGEST_NAME = 24;

/** Lets the names in tables break between their words, and those in headings as well. */
const longNames = defineHastPlugin({
  name: 'long-names',
  text(node, context) {
    const parent = context.parent(node);
    const around = parent && context.parent(parent);
    const parts = partsOf([around, parent].map(tagOf).join(' '), node.value);
    if (parts.length === 1) return;
    context.replaceNode(
      node,
      parts.flatMap((value, index) => [
        ...(index > 0 ? [{ type: 'element' as const, tagName: 'wbr', properties: {}, children: [] }] : []),
        { type: 'text' as const, value },
      ]),
    );
  },
});

/** In a cell, names break after each `_` and lists after their commas. `TernionRequestsInProgress` in a heading has three places. */
function partsOf(tags: string, text: string): readonly string[] {
  if (tags === 'td code' && text.length > LONGEST_NAME) return text.split(/(?<=\w[_./,])(?=\w)/);
  if (tags.endsWith(' h3')) return text.split(/(?<=[a-z])(?=[A-Z])/);
  return [text];
}

function tagOf(node: { readonly type: string; readonly tagName?: string } | undefined): string {
  return node?.type === 'element' && node.tagName !== undefined ? node.tagName : '';
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
