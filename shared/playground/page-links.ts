import { find, make } from './element.ts';
import { attempt } from './outcome.ts';
import { membersOf, textOf } from './parse.ts';
import { urlOf } from './server.ts';

/** Links of the index that are for readers, when the server has them. */
const LINKS = [
  ['docs', 'API docs'],
  ['openapi', 'OpenAPI'],
] as const;

/** The pages of the server, by the parameter that names them. */
const PAGES = [
  [undefined, 'Playground'],
  ['curves', 'Curves'],
  ['releases', 'Releases'],
] as const;

/**
 * Shows the version of Ternion, and links to its other pages.
 *
 * @param shown the page itself; by default the playground
 */
export async function showLinks(shown?: string): Promise<void> {
  const links = find('links', HTMLElement);
  const others = PAGES.filter(([page]) => page !== shown);
  links.append(...others.map(([page, text]) => make('a', { href: urlOf('', page) }, text)));
  const { answer } = (await attempt('', new AbortController().signal)) ?? {};
  const { version, links: paths } = membersOf(answer?.json);
  find('ternion-version', HTMLElement).textContent = textOf(version) ?? '';
  for (const [name, linkText] of LINKS) {
    const path = textOf(membersOf(paths)[name]);
    if (path !== undefined) links.append(make('a', { href: urlOf(path.replace(/^\//, '')) }, linkText));
  }
}
