import { make } from '../element.ts';
import { formatMs } from '../numbers.ts';
import type { Timings } from '../timings.ts';

/** Where the time of a request went: a bar of its parts, and the numbers. */
export function showTimings({ loadMs, runMs, totalMs, roundTripMs }: Timings): HTMLElement {
  const server = totalMs ?? 0;
  const parts: readonly (readonly [string, number])[] = [
    ['load', loadMs ?? 0],
    ['run', runMs ?? 0],
    ['rest', Math.max(0, server - (loadMs ?? 0) - (runMs ?? 0))],
    ['way', Math.max(0, roundTripMs - server)],
  ];
  const rows: readonly (readonly [string, string, number | undefined])[] = [
    ['load', 'Load', loadMs],
    ['run', 'Run', runMs],
    ['rest', 'Server total', totalMs],
    ['way', 'Round trip', roundTripMs],
  ];
  return make(
    'div',
    { class: 'timings' },
    make('div', { class: 'parts', 'aria-hidden': 'true' }, ...parts.map(makePart)),
    make(
      'dl',
      {},
      ...rows.flatMap(([part, name, ms]) =>
        ms === undefined
          ? []
          : [make('div', { class: part }, make('dt', {}, name), make('dd', {}, formatMs(ms)))],
      ),
    ),
  );
}

function makePart([name, ms]: readonly [string, number]): HTMLElement {
  const part = make('span', { class: `part ${name}` });
  part.style.setProperty('flex-grow', String(ms));
  return part;
}
