import { make, makeId } from '../element.ts';
import type { ModelDescription } from '../model-description.ts';
import { textOf } from '../parse.ts';
import type { FormEvents, InputForm } from './input-form.ts';

const ROWS = 5;

/** One text for a model of texts. */
export function createTextForm({ example }: ModelDescription, { change }: FormEvents): InputForm {
  const id = makeId();
  const given = textOf(example?.text) ?? '';
  const editor = make('textarea', { id, class: 'editor prose', rows: String(ROWS) });
  editor.value = given;
  editor.addEventListener('input', change);
  const button = make('button', { type: 'button' }, 'Example');
  button.addEventListener('click', () => {
    editor.value = given;
    change();
  });
  return {
    element: make('div', { class: 'field' }, make('label', { for: id }, 'Text'), editor),
    buttons: given === '' ? [] : [button],
    read: async () =>
      editor.value === ''
        ? undefined
        : { type: 'application/json', body: JSON.stringify({ text: editor.value }) },
    missing: 'Write a text first.',
    blame: (message) => editor.setAttribute('aria-invalid', String(message !== '')),
    close: () => undefined,
  };
}
