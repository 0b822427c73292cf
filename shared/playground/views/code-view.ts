import { make } from '../element.ts';

const COPIED_MS = 2000;

export interface CodeView {
  readonly element: HTMLElement;
  /** Copies the text; its place is in the heading. */
  readonly button: HTMLButtonElement;
  show(text: string): void;
}

/**
 * Text in a box, with a button that copies it.
 *
 * @param name its name, for people who use a screen reader
 * @param say announces to them that it is copied
 */
export function createCodeView(name: string, say: (text: string) => void): CodeView {
  let text = '';
  const code = make('code');
  const element = make('pre', { tabindex: '0', role: 'region', 'aria-label': name }, code);
  const button = make('button', { type: 'button', class: 'copy', 'aria-label': `Copy ${name}` }, 'Copy');
  button.addEventListener('click', () => {
    void copy(text, code).then((isCopied) => {
      button.textContent = isCopied ? 'Copied' : 'Press Ctrl+C';
      say(isCopied ? `${name} copied` : `${name} selected`);
      setTimeout(() => {
        button.textContent = 'Copy';
      }, COPIED_MS);
    });
  });
  return {
    element,
    button,
    show: (shown) => {
      text = shown;
      code.textContent = shown;
    },
  };
}

/** Pages without TLS have no clipboard: there the text is selected, so that people can copy it by hand. */
async function copy(text: string, source: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}
