import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, codeBlocksOf, linkTargetsOf, splitTitle } from '../../docs/site/markdown.ts';
import {
  type Contents,
  GROUPS,
  type Page,
  REST,
  readContents,
  resolveLink,
  sortIntoGroups,
} from '../../docs/site/pages.ts';
import { PROJECT } from '../support/project.ts';

describe('what is read out of a page', () => {
  it('is each block of code with its language, those in lists and with longer fences too', () => {
    const page =
      'a\n\n```sh\nls\n```\n\n- b\n\n  ~~~json title\n  {\n    "c": 1\n  }\n  ~~~\n\n````md\n```\nd\n```\n````\n\n```\n```\n';
    expect(codeBlocksOf(page)).toEqual([
      { language: 'sh', content: 'ls', line: 3 },
      { language: 'json', content: '{\n  "c": 1\n}', line: 9 },
      { language: 'md', content: '```\nd\n```', line: 15 },
      { language: '', content: '', line: 21 },
    ]);
  });

  it('is each target of a link, but nothing inside code', () => {
    const page = [
      '[a](b.md) ![c](d.png "e") [f](<g.md#h>) [i][j] `[k](l.md)` [`m`](n.md)',
      '<img alt="o" src="p.png"> <a href=\'q/\'>r</a>',
      '',
      '[j]: https://example.org/',
      '',
      '```md\n[s](t.md)\n```',
      '<!-- [u](v.md) -->',
      '[![w](x.svg)](y.md)',
    ].join('\n');
    const targets = [
      'b.md',
      'd.png',
      'g.md#h',
      'n.md',
      'https://example.org/',
      'p.png',
      'q/',
      'x.svg',
      'y.md',
    ];
    expect([...linkTargetsOf(page)].sort()).toEqual(targets.sort());
  });

  it('is the anchor of each heading as GitHub makes it', () => {
    const page =
      '# The `a_b` of C++\n\n## Twice\n\n## Twice\n\n## [A link](b.md), and é: 1.5 MB\n\n```sh\n# no heading\n```\n\n<a id="set"></a>\n';
    expect(anchorsOf(page)).toEqual(['the-a_b-of-c', 'twice', 'twice-1', 'a-link-and-é-15-mb', 'set']);
  });

  it('is the title without its Markdown, and the rest of the page', () => {
    expect(splitTitle('# The `a`\n\nText.\n\n# More\n')).toEqual({
      title: 'The a',
      body: '\nText.\n\n# More\n',
    });
    expect(splitTitle('Text.\n')).toEqual({ title: undefined, body: 'Text.\n' });
  });
});

describe('a link of the site', () => {
  const page = (path: string, slug: string): Page => ({
    path,
    slug,
    title: 'A title',
    body: '',
    isText: true,
  });
  const contents: Contents = {
    pages: [
      page('README.md', ''),
      page('docs/a.md', 'docs/a'),
      page('docs/b.md', 'docs/b'),
      page('models/README.md', 'models'),
      { ...page('infra/app.ts', 'files/infra/app.ts'), isText: false },
    ],
    copied: ['docs/images/a b.png'],
  };

  it.each([
    ['docs/a.md', 'b.md', '/x/docs/b/'],
    ['docs/a.md', 'b.md#part', '/x/docs/b/#part'],
    ['docs/a.md', 'b.md#a-title', '/x/docs/b/#_top'],
    ['docs/a.md', '#part', '#part'],
    ['docs/a.md', '../README.md#part', '/x/#part'],
    ['docs/a.md', '/docs/b.md', '/x/docs/b/'],
    ['README.md', 'models/', '/x/models/'],
    ['README.md', 'models/README.md', '/x/models/'],
    ['docs/a.md', '../infra/app.ts', '/x/files/infra/app.ts/'],
    ['docs/a.md', 'images/a%20b.png', '/x/files/docs/images/a b.png'],
    ['docs/a.md', 'b.md?plain=1#part', '/x/docs/b/#part'],
    ['docs/a.md', 'https://example.org/b.md', 'https://example.org/b.md'],
    ['docs/a.md', 'mailto:a@example.org', 'mailto:a@example.org'],
  ])('in %s to %s is %s', (from, target, address) => {
    expect(resolveLink(contents, from, target, '/x/')).toBe(address);
  });

  it('without a target stops the build', () => {
    expect(() => resolveLink(contents, 'docs/a.md', 'c.md', '/')).toThrow(
      'docs/a.md links to c.md, which is not in the repository',
    );
  });
});

it('the lock file of the site has no names of hosts, so that any registry serves it', () => {
  const lock: { packages: Record<string, { resolved?: string; integrity?: string }> } = JSON.parse(
    readFileSync(join(PROJECT, 'docs/site/package-lock.json'), 'utf8'),
  );
  const packages = Object.values(lock.packages).slice(1);
  expect(packages.length).toBeGreaterThan(200);
  expect(packages.filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  expect(packages.filter(({ integrity }) => integrity === undefined)).toEqual([]);
});

describe('the sidebar', () => {
  const { pages } = readContents();
  const groups = sortIntoGroups(pages);

  it('has each text once', () => {
    const listed = groups.flatMap((group) => group.pages.map(({ path }) => path));
    expect([...listed].sort()).toEqual(pages.flatMap(({ path, isText }) => (isText ? [path] : [])).sort());
    expect(listed).toContain('docs/clients.md');
  });

  it('names only pages that exist', () => {
    const named = GROUPS.flatMap(({ files }) => files).filter((file) => file !== REST && !file.includes('*'));
    const paths = pages.map(({ path }) => path);
    expect(named.filter((file) => !paths.includes(file))).toEqual([]);
  });

  it('has a new page of docs/ in the group of the rest', () => {
    const page = { path: 'docs/new.md', slug: 'docs/new', title: 'New', body: '', isText: true };
    const rest = sortIntoGroups([...pages, page]).find(({ label }) => label === 'Reference');
    expect(rest?.pages).toContain(page);
  });
});
