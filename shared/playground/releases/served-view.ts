import { make } from '../element.ts';
import { formatShare, partsOf, type Rule, type Served, versionOf } from './served.ts';

/** Colours of parts, one for each; with more, the first ones are used again. */
const COLOURS = 9;

/**
 * Who gets which version: a bar with its legend, and what else decides.
 *
 * @param rules with their whole conditions, where the key of the server was given
 */
export function showServed(served: Served, rules: readonly Rule[]): HTMLElement {
  const parts = partsOf(served);
  const bar = make('div', { class: 'shares', 'aria-hidden': 'true' });
  const legend = make('dl', { class: 'legend' });
  parts.forEach(({ name, version, percent }, index) => {
    const colour = `c${index % COLOURS}`;
    if (version !== undefined && percent > 0) {
      const piece = make('span', { class: colour });
      piece.style.setProperty('--share', String(percent));
      bar.append(piece);
    }
    const label = describeTarget(name, version);
    legend.append(
      make('div', { class: colour }, make('dt', {}, label), make('dd', {}, formatShare(percent))),
    );
  });
  return make(
    'div',
    { class: 'served' },
    make('p', { class: 'live' }, make('strong', {}, served.liveVersion), ' is live'),
    bar,
    legend,
    served.heldBack.length > 0
      ? make(
          'p',
          { class: 'failure' },
          `This instance cannot load ${served.heldBack.join(', ')}. Other versions answer instead, and it tries again.`,
        )
      : undefined,
    showFacts([
      ['Key', served.key === undefined ? [] : [served.key.replace(':', ' ')]],
      [
        'Rules, before the shares',
        rules.map((rule) => [make('code', {}, rule.condition), ` gets ${rule.target}`]),
      ],
      [
        'Shadows',
        served.shadows.map(
          ({ target, percent }) =>
            `${describeTarget(target, versionOf(served, target))}, ${formatShare(percent)}`,
        ),
      ],
    ]),
  );
}

type Item = string | readonly (HTMLElement | string)[];

function showFacts(
  facts: readonly (readonly [name: string, items: readonly Item[]])[],
): HTMLElement | undefined {
  const shown = facts.flatMap(([name, items]) =>
    items.length === 0
      ? []
      : [
          make('dt', {}, name),
          ...items.map((item) => make('dd', {}, ...(typeof item === 'string' ? [item] : item))),
        ],
  );
  return shown.length > 0 ? make('dl', { class: 'facts' }, ...shown) : undefined;
}

function describeTarget(name: string, version: string | undefined): string {
  if (version === undefined) return `${name}, which is not served`;
  return version === name ? name : `${name}: ${version}`;
}

/** All versions of a model, the highest first, with their aliases and what each is for. */
export function showVersions(served: Served): HTMLElement {
  const versions = [...served.versions.toReversed(), ...served.archived.toReversed()];
  const rows = versions.map((version) => {
    const aliases = [...served.aliases].flatMap(([alias, target]) => (target === version ? [alias] : []));
    return make(
      'tr',
      {},
      make('th', { scope: 'row' }, version),
      make('td', {}, aliases.join(', ')),
      make('td', { class: 'text' }, usesOf(served, version).join(', ')),
    );
  });
  return showTable(['Version', 'Aliases', 'Gets'], rows, 'Versions: table');
}

function usesOf(served: Served, version: string): readonly string[] {
  if (served.archived.includes(version)) return ['archived'];
  const isIt = (target: string) => versionOf(served, target) === version;
  return [
    ...partsOf(served).flatMap((part) =>
      part.version !== version ? [] : `${part.name === 'live' ? 'live, ' : ''}${formatShare(part.percent)}`,
    ),
    ...served.rules.flatMap(({ target }) => (isIt(target) ? ['a rule'] : [])),
    ...served.shadows.flatMap(({ target, percent }) =>
      isIt(target) ? [`copies of ${formatShare(percent)}`] : [],
    ),
    ...(served.heldBack.includes(version) ? ['cannot be loaded'] : []),
    ...(served.warm === version ? ['was live before'] : []),
  ];
}

/** A table that scrolls by itself where it is too wide. */
export function showTable(
  heads: readonly string[],
  rows: readonly HTMLElement[],
  label: string,
): HTMLElement {
  const head = heads.map((text) => make('th', { scope: 'col' }, text));
  return make(
    'div',
    { class: 'table', role: 'region', tabindex: '0', 'aria-label': label },
    make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows)),
  );
}
