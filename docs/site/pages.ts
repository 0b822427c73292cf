import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, matchesGlob, posix } from 'node:path';
import { linkTargetsOf, splitTitle, toAnchor } from './markdown.ts';

/** The folder of the repository. */
export const ROOT = join(import.meta.dirname, '../..');

/** A page of the site. Its text is a file of the repository, which is read in its place. */
export interface Page {
  /** Path of the file from the root of the repository, with `/`. */
  readonly path: string;
  /** Where the page is in the site: `docs/clients` for `docs/clients.md`, and the empty text for `README.md`. */
  readonly slug: string;
  readonly title: string;
  /** Markdown without the title. */
  readonly body: string;
  /** Whether it is text for readers. Otherwise it shows a file that a page links to. */
  readonly isText: boolean;
}

/** The pages of the site, and files that are copied because a page links to them or shows them. */
export interface Contents {
  readonly pages: readonly Page[];
  readonly copied: readonly string[];
}

/** Pages at the top of the repository. `README.md` is the first page of the site. */
const FIRST = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'];

/**
 * The groups of the sidebar, each with files or patterns. A file belongs to the first group that names it. A text that no
 * group names belongs to the group with `REST`, so a new page is in the sidebar as soon as it is in `docs/`.
 */
export const REST = 'REST';
export const GROUPS: readonly { readonly label: string; readonly files: readonly string[] }[] = [
  { label: 'Start', files: ['README.md', 'docs/project.md', 'examples/**'] },
  {
    label: 'Use',
    files: ['docs/requests.md', 'docs/answers.md', 'docs/command.md', 'docs/cells.md', 'docs/api.md'],
  },
  {
    label: 'Models',
    files: [
      'docs/models.md',
      'docs/sources.md',
      'docs/model-folders.md',
      'docs/model-json.md',
      'models/README.md',
      'docs/preprocessing.md',
      'docs/own-code.md',
      'docs/library.md',
    ],
  },
  { label: 'Clients', files: ['docs/clients.md', 'docs/mlflow-registry.md'] },
  { label: 'Deploy', files: ['docs/deploy-*.md', 'docs/container.md'] },
  {
    label: 'Operate',
    files: [
      'docs/configuration.md',
      'docs/releases.md',
      'docs/observe.md',
      'docs/runbook.md',
      'docs/security.md',
      'docs/guarantees.md',
    ],
  },
  { label: 'Reference', files: [REST] },
  {
    label: 'Contribute',
    files: [
      'CONTRIBUTING.md',
      'docs/architecture.md',
      'docs/messages.md',
      'test/**',
      'SECURITY.md',
      'CHANGELOG.md',
    ],
  },
];

/** Size in bytes. A larger file is copied, not shown. */
const LARGEST_SHOWN = 200_000;

/** Reads the pages, and follows their links to files of the repository. `resolveLink` reports broken links. */
export function readContents(root: string = ROOT): Contents {
  const texts = [
    ...FIRST.filter((path) => existsSync(join(root, path))),
    ...globSync('docs/*.md', { cwd: root }).map((path) => path.replaceAll('\\', '/')),
  ].sort();
  const pages = new Map<string, Page>();
  const copied = new Set<string>();
  const visit = (path: string): void => {
    if (pages.has(path) || copied.has(path)) return;
    const page = readPage(root, path);
    if (page === undefined) {
      copied.add(path);
      return;
    }
    pages.set(path, page);
    if (page.isText) for (const target of targetsOf(root, path)) visit(target);
  };
  texts.forEach(visit);
  return { pages: [...pages.values()], copied: [...copied].sort() };
}

/** The sidebar: each group with its texts, in order. Groups without texts are left out. */
export function sortIntoGroups(
  pages: readonly Page[],
): readonly { readonly label: string; readonly pages: readonly Page[] }[] {
  const named = GROUPS.flatMap(({ files }) => files);
  const texts = pages.filter(({ isText }) => isText).sort((a, b) => (a.path < b.path ? -1 : 1));
  const matching = (pattern: string) => texts.filter(({ path }) => matchesGlob(path, pattern));
  const rest = texts.filter(({ path }) => !named.some((pattern) => matchesGlob(path, pattern)));
  return GROUPS.map(({ label, files }) => ({
    label,
    pages: files.flatMap((pattern) => (pattern === REST ? rest : matching(pattern))),
  })).filter((group) => group.pages.length > 0);
}

/**
 * The address in the site for a link of a page.
 *
 * @param from path of the file that has the link
 * @param base prefix of all addresses of the site, with `/` at its end
 * @throws Error for a file that does not exist
 */
export function resolveLink(contents: Contents, from: string, target: string, base: string): string {
  if (!isInRepository(target)) return target;
  const { path, anchor } = splitTarget(from, target);
  if (contents.copied.includes(path)) return `${base}files/${path}`;
  const page = contents.pages.find(
    (each) => each.path === path || each.path === posix.join(path, 'README.md'),
  );
  if (page === undefined) throw new Error(`${from} links to ${target}, which is not in the repository`);
  // The site shows the title outside of the text, with an anchor of its own.
  const shown = anchor === toAnchor(page.title) ? '_top' : anchor;
  const hash = anchor === '' ? '' : `#${shown}`;
  if (target.startsWith('#')) return hash;
  return `${base}${page.slug}${page.slug === '' ? '' : '/'}${hash}`;
}

/** Whether a target is a file of the repository or an anchor, not an address with a host or a scheme. */
export function isInRepository(target: string): boolean {
  return !/^(?:[a-z][a-z\d+.-]*:|\/\/)/i.test(target);
}

/** The file of the repository and the anchor that a target points to. A path from `/` begins at the root, as on GitHub. */
export function splitTarget(
  from: string,
  target: string,
): { readonly path: string; readonly anchor: string } {
  const [file = '', anchor = ''] = target.split('#');
  const [decoded = ''] = decodeURIComponent(file).split('?');
  if (decoded === '') return { path: from, anchor };
  const joined = decoded.startsWith('/') ? decoded.slice(1) : posix.join(posix.dirname(from), decoded);
  return { path: posix.normalize(joined).replace(/\/$/, ''), anchor };
}

/** The files that a page links to. A folder stands for its README. */
function targetsOf(root: string, from: string): readonly string[] {
  const targets = linkTargetsOf(readFileSync(join(root, from), 'utf8')).filter(isInRepository);
  return targets
    .map((target) => splitTarget(from, target).path)
    .filter((path) => existsSync(join(root, path)))
    .map((path) => {
      const readme = posix.join(path, 'README.md');
      return existsSync(join(root, readme)) ? readme : path;
    });
}

/** @returns nothing for a file that is not text, or a long one */
function readPage(root: string, path: string): Page | undefined {
  const slug = path
    .replace(/(?:^|\/)README\.md$/, '')
    .replace(/\.md$/, '')
    .toLowerCase();
  if (path.endsWith('.md')) {
    const { title = path, body } = splitTitle(readFileSync(join(root, path), 'utf8'));
    return { path, slug, title, body, isText: true };
  }
  const stats = statSync(join(root, path));
  const shown = { path, slug: `files/${slug}`, title: path, isText: false };
  if (stats.isDirectory()) {
    return {
      ...shown,
      body: readdirSync(join(root, path))
        .map((name) => `- \`${name}\`\n`)
        .join(''),
    };
  }
  if (stats.size > LARGEST_SHOWN) return undefined;
  const bytes = readFileSync(join(root, path));
  if (bytes.includes(0) || extname(path) === '.svg') return undefined;
  return { ...shown, body: `~~~~~~${extname(path).slice(1)}\n${bytes.toString()}\n~~~~~~\n` };
}
