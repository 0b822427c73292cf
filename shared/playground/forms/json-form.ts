import { make, makeId } from '../element.ts';
import { formatJson } from '../format-json.ts';
import type { ModelDescription } from '../model-description.ts';
import type { FormEvents, InputForm } from './input-form.ts';

const MOST_ROWS = 22;

/** The JSON body itself. It starts with the model's example if there is one, and it fits every model. */
export function createJsonForm(model: ModelDescription, { change }: FormEvents): InputForm {
  const id = makeId();
  const example = model.example && formatJson(JSON.stringify(model.example));
  const text = example ?? formatJson(JSON.stringify(outlineOf(model)));
  const rows = Math.min(MOST_ROWS, Math.max(8, text.split('\n').length + 1));
  const editor = make('textarea', {
    id,
    class: 'editor',
    rows: String(rows),
    spellcheck: 'false',
    autocapitalize: 'off',
    autocomplete: 'off',
  });
  editor.value = example ?? '';
  if (example === undefined) editor.placeholder = text;
  editor.addEventListener('input', change);
  return {
    element: make('div', { class: 'field' }, make('label', { for: id }, 'Request body, as JSON'), editor),
    buttons: example === undefined ? [] : [makeExampleButton(editor, example, change)],
    read: async () =>
      editor.value.trim() === '' ? undefined : { type: 'application/json', body: editor.value },
    missing: 'Write a JSON body first.',
    blame: (message) => editor.setAttribute('aria-invalid', String(message !== '')),
    close: () => undefined,
  };
}

function makeExampleButton(editor: HTMLTextAreaElement, example: string, change: () => void): HTMLElement {
  const button = make('button', { type: 'button' }, 'Example');
  button.addEventListener('click', () => {
    editor.value = example;
    change();
  });
  return button;
}

/** A sketch of a request, for models without an example; it is shown, but cannot be sent. */
export function outlineOf({ input, inputs }: Pick<ModelDescription, 'input' | 'inputs'>): unknown {
  // Rows of a step of own code can have any form.
  if (input === 'features') return { features: '…' };
  return { inputs: Object.fromEntries(inputs.map(({ name }) => [name, '…'])) };
}
