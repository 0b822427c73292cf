import { find, make } from '../element.ts';
import { formatBytes } from '../numbers.ts';
import { type Payload, urlOf } from '../server.ts';
import { type Call, SNIPPETS } from '../snippets.ts';
import { createCodeView } from './code-view.ts';

export interface CallView {
  /** Shows how to send a payload, or, without one, how to send an image. */
  show(path: string, payload: Payload | undefined): void;
}

/** A longer body is shown as a file that is sent. */
const LONGEST_BODY = 8000;

const NO_IMAGE_YET = { type: 'image/png', body: { fileName: 'image.png' } };

/** The current request as code, in the language the user picks. */
export function createCallView(say: (text: string) => void): CallView {
  const code = createCodeView('code', say);
  const sent = make('p', { class: 'hint', hidden: true });
  let call: Call | undefined;
  let [language = ''] = SNIPPETS.keys();

  const refresh = (): void => {
    const write = SNIPPETS.get(language);
    if (call && write) code.show(write(call));
  };
  for (const name of SNIPPETS.keys()) {
    const input = make('input', { type: 'radio', name: 'language', checked: name === language });
    input.addEventListener('change', () => {
      language = name;
      refresh();
    });
    find('languages', HTMLElement).append(
      make('label', {}, input, make('span', { class: 'switch-text' }, name)),
    );
  }
  find('call-head', HTMLElement).append(code.button);
  find('call', HTMLElement).append(code.element, sent);
  return {
    show: (path, payload) => {
      const file = payload && fileOf(payload);
      const body = file ? { fileName: file.name } : { json: String(payload?.body) };
      call = { url: urlOf(path), ...(payload ? { type: payload.type, body } : NO_IMAGE_YET) };
      offer(sent, file);
      refresh();
    },
  };
}

/** The file that holds a payload, or that should hold it because it is long. */
function fileOf({ type, body }: Payload): File | undefined {
  if (typeof body !== 'string') return body;
  return body.length > LONGEST_BODY ? new File([body], 'request.json', { type }) : undefined;
}

/** A link to the file of the call, so that the code works unchanged. */
function offer(element: HTMLElement, file: File | undefined): void {
  const old = element.querySelector('a');
  if (old) URL.revokeObjectURL(old.href);
  element.hidden = file === undefined;
  if (!file) return;
  const link = make('a', { href: URL.createObjectURL(file), download: file.name }, file.name);
  element.replaceChildren('Save ', link, ` (${formatBytes(file.size)}) to run it.`);
}
