import { make, makeId } from '../element.ts';
import { formatJson } from '../format-json.ts';
import type { ModelDescription } from '../model-description.ts';
import type { FormEvents, InputForm } from './input-form.ts';

const MOST_ROWS = 22;

/** The JSON body itself, beginning with the model's example. It fits every model. */
export function createJsonForm(model: ModelDescription, { change }: FormEvents): InputForm {
  const id = makeId();
  const example = formatJson(JSON.stringify(model.example ?? emptyRequest(model)));
  const rows = Math.min(MOST_ROWS, Math.max(8, example.split('\n').length + 1));
  const editor = make('textarea', {
    id,
    class: 'editor',
    rows: String(rows),
    spellcheck: 'false',
    autocapitalize: 'off',
    autocomplete: 'off',
  });
  const setExample = (): void => {
    editor.value = example;
    change();
  };
  editor.value = example;
  editor.addEventListener('input', change);
  const button = make('button', { type: 'button' }, 'Example');
  button.addEventListener('click', setExample);
  return {
    element: make('div', { class: 'field' }, make('label', { for: id }, 'Request body, as JSON'), editor),
    buttons: [button],
    read: async () =>
      editor.value.trim() === '' ? undefined : { type: 'application/json', body: editor.value },
    missing: 'Write a JSON body first.',
    blame: (message) => editor.setAttribute('aria-invalid', String(message !== '')),
    close: () => undefined,
  };
}

/** Every input by its name, for models whose example would be too large to read. */
function emptyRequest({ inputs }: ModelDescription): unknown {
  return { inputs: Object.fromEntries(inputs.map(({ name }) => [name, []])) };
}
