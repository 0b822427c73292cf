import { make } from '../element.ts';

/** A button that opens the file dialog. */
export function createFileButton(text: string, accept: string, take: (file: File) => void): HTMLElement {
  const input = make('input', { type: 'file', accept });
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    // Emptied, so that choosing the same file again is noticed.
    input.value = '';
    if (file) take(file);
  });
  return make('label', { class: 'button' }, text, input);
}

/**
 * Takes files that are dropped or pasted anywhere on the page.
 *
 * @param target element that is highlighted while a file is dragged over the page
 * @returns a function that ends it
 */
export function onGivenFile(target: HTMLElement, take: (file: File) => void): () => void {
  const listening = new AbortController();
  const { signal } = listening;
  const hover = (event: DragEvent, isAbove: boolean): void => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    target.classList.toggle('above', isAbove);
  };
  document.addEventListener('dragover', (event) => hover(event, true), { signal });
  document.addEventListener('dragleave', (event) => hover(event, false), { signal });
  document.addEventListener(
    'drop',
    (event) => {
      hover(event, false);
      takeFirst(event.dataTransfer, take);
    },
    { signal },
  );
  document.addEventListener('paste', (event) => takeFirst(event.clipboardData, take), { signal });
  return () => listening.abort();
}

function takeFirst(data: DataTransfer | null, take: (file: File) => void): void {
  const [file] = data?.files ?? [];
  if (file) take(file);
}
