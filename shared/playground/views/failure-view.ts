import { make } from '../element.ts';
import type { Failure } from '../outcome.ts';

/** An error with its message, the field it is about, and what to look for in the log. */
export function showFailure({ title, message, field, requestId }: Failure): HTMLElement {
  const facts = [
    ['Field', field],
    ['Request id', requestId],
  ].flatMap(([name, value]) =>
    value === undefined ? [] : [make('dt', {}, name), make('dd', {}, make('code', {}, value))],
  );
  return make(
    'div',
    { class: 'failure' },
    make('p', { class: 'title' }, title),
    make('p', {}, message),
    facts.length > 0 ? make('dl', {}, ...facts) : undefined,
  );
}
