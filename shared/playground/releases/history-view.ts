import { make } from '../element.ts';
import { type Change, describeDivision } from './served.ts';
import { showTable } from './served-view.ts';

/** The changes of a model as a table, the newest first. */
export function showHistory(changes: readonly Change[]): HTMLElement {
  if (changes.length === 0) return make('p', { class: 'empty' }, 'Nobody has changed this model yet.');
  const rows = changes.map((change) => {
    const at = new Date(change.atMs);
    return make(
      'tr',
      {},
      make('th', { scope: 'row' }, String(change.revision)),
      make('td', {}, make('time', { datetime: at.toISOString() }, at.toLocaleString())),
      make('td', { class: 'text' }, change.by),
      make('td', { class: 'text' }, change.action),
      make('td', { class: 'text' }, change.why),
      make('td', { class: 'text' }, describeDivision(change)),
    );
  });
  return showTable(['Revision', 'When', 'Who', 'What', 'Why', 'Served then'], rows, 'History: table');
}
