import { make } from '../element.ts';
import type { Chart } from './charts.ts';
import { linesOf, type Moment } from './geometry.ts';
import { formatValue } from './units.ts';

export interface TableView {
  readonly element: HTMLElement;
  /** Takes the moments that the table has when it is opened the next time. */
  offer(moments: readonly Moment[]): void;
}

/** The values of a chart as a table, the latest first. It does not change while somebody reads it. */
export function createTable({ title, unit }: Chart): TableView {
  let offered: readonly Moment[] = [];
  const place = make('div', {
    class: 'table',
    role: 'region',
    tabindex: '0',
    'aria-label': `${title}: table`,
  });
  const element = make('details', {}, make('summary', {}, 'Table'), place);
  element.addEventListener('toggle', () => {
    place.replaceChildren(...(element.open ? [makeTable()] : []));
  });

  function makeTable(): HTMLElement {
    const lines = linesOf(offered);
    const head = ['Time', ...lines].map((text) => make('th', { scope: 'col' }, text));
    const rows = offered.toReversed().map(({ atMs, values }) =>
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, new Date(atMs).toLocaleTimeString()),
        ...lines.map((line) => {
          const value = values.get(line);
          return make('td', {}, value === undefined ? '' : formatValue(unit, value));
        }),
      ),
    );
    return make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows));
  }

  return {
    element,
    offer: (moments) => {
      offered = moments;
    },
  };
}
