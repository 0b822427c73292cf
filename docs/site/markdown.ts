/** Reads parts of a page without a Markdown parser, because the tests of the pages have only Node. */

/** A fenced code block. */
export interface CodeBlock {
  /** The word after the fence; empty if it has no word. */
  readonly language: string;
  readonly content: string;
  /** The number of the line with the opening fence, from 1. */
  readonly line: number;
}

const FENCED = /^([ \t]*)(`{3,}|~{3,})[ \t]*([^\s`]*)[^\n]*\n(?:(.*?)\n)??[ \t]*\2[`~]*[ \t]*$/gms;

/** The fenced code blocks of a page, in their order. Blocks in lists lose the indentation of their fence. */
export function codeBlocksOf(markdown: string): readonly CodeBlock[] {
  return [...markdown.matchAll(FENCED)].map(
    ({ 1: indent = '', 3: language = '', 4: content = '', index }) => ({
      language,
      content: content.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: markdown.slice(0, index).split('\n').length,
    }),
  );
}

/** The targets of the links and images of a page as they are written, including those in HTML and in definitions. */
export function linkTargetsOf(markdown: string): readonly string[] {
  const text = withoutCodeAndComments(markdown).replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/gs, '');
  const forms = [
    /\]\(\s*<?([^\s)>]*)>?(?:\s+"[^"]*")?\s*\)/g,
    /^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm,
    /<[a-z][^>]*?\s(?:href|src|srcset)\s*=\s*["']([^"']*)["']/gi,
  ];
  return forms.flatMap((form) => [...text.matchAll(form)].map(([, target = '']) => target));
}

/** The anchors of a page: those of its headings, as GitHub makes them, and those that HTML sets. */
export function anchorsOf(markdown: string): readonly string[] {
  const seen = new Map<string, number>();
  const set = [
    ...withoutCodeAndComments(markdown).matchAll(/<[a-z][^>]*?\s(?:id|name)\s*=\s*["']([^"']+)["']/gi),
  ];
  const ofHeadings = [...withoutCodeAndComments(markdown).matchAll(/^#{1,6} +(.*?)(?: +#+)?$/gm)].map(
    ([, heading = '']) => {
      const anchor = toAnchor(heading);
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    },
  );
  return [...ofHeadings, ...set.map(([, anchor = '']) => anchor)];
}

/** The anchor of one heading, before the second of two equal ones gets a number. */
export function toAnchor(heading: string): string {
  return heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
}

/** A page without its first heading of level 1, and that heading without its Markdown. */
export function splitTitle(markdown: string): { readonly title: string | undefined; readonly body: string } {
  const [heading, text] = /^# +(.*)\n/m.exec(markdown) ?? [];
  if (heading === undefined) return { title: undefined, body: markdown };
  return { title: text?.replaceAll('`', ''), body: markdown.replace(heading, () => '') };
}

/** The text that a reader sees. Inline code stays. */
function withoutCodeAndComments(markdown: string): string {
  return markdown.replaceAll(FENCED, '').replaceAll(/<!--.*?-->/gs, '');
}
