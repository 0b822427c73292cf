import { make, makeId } from '../element.ts';
import type { ModelDescription } from '../model-description.ts';
import { textOf } from '../parse.ts';
import type { FormEvents, InputForm } from './input-form.ts';

const ROWS = 5;
const PAIR_ROWS = 3;

/** One text for a text model, or two for one that compares them. */
export function createTextForm({ example }: ModelDescription, { change }: FormEvents): InputForm {
  const given = { text: textOf(example?.text) ?? '', pair: textOf(example?.text_pair) ?? '' };
  const text = makeEditor('Text', ROWS, change);
  const pair = makeEditor('Second text', PAIR_ROWS, change);
  const second = make('details', {}, make('summary', {}, 'Pair with a second text'), pair.field);
  const fill = (): void => {
    text.editor.value = given.text;
    pair.editor.value = given.pair;
    second.open = given.pair !== '';
  };
  fill();
  const button = make('button', { type: 'button' }, 'Example');
  button.addEventListener('click', () => {
    fill();
    change();
  });
  const body = () => ({
    text: text.editor.value,
    ...(pair.editor.value !== '' && { text_pair: pair.editor.value }),
  });
  return {
    element: make('div', {}, text.field, second),
    buttons: given.text === '' ? [] : [button],
    read: async () =>
      text.editor.value === '' ? undefined : { type: 'application/json', body: JSON.stringify(body()) },
    missing: 'Write a text first.',
    blame: (message) => text.editor.setAttribute('aria-invalid', String(message !== '')),
    close: () => undefined,
  };
}

function makeEditor(label: string, rows: number, change: () => void) {
  const id = makeId();
  const editor = make('textarea', { id, class: 'editor prose', rows: String(rows) });
  editor.addEventListener('input', change);
  return { editor, field: make('div', { class: 'field' }, make('label', { for: id }, label), editor) };
}
