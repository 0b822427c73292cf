import { make } from '../element.ts';
import type { ModelDescription } from '../model-description.ts';
import { decodeExample } from './example-image.ts';
import { createFileButton, onGivenFile } from './given-files.ts';
import { createImageSheet } from './image-sheet.ts';
import type { FormEvents, InputForm } from './input-form.ts';

/** How long the pen rests before the drawing is sent. */
const PAUSE_MS = 150;

/** Takes a drawing, or an image that is chosen, dropped or pasted, and sends it at once. */
export function createImageForm({ example }: ModelDescription, { run, clear }: FormEvents): InputForm {
  let timer: number | undefined;
  const stop = (): void => clearTimeout(timer);
  const sheet = createImageSheet({
    strokeStarts: stop,
    strokeEnds: () => {
      timer = window.setTimeout(run, PAUSE_MS);
    },
  });
  const show = (file: File | undefined): void => {
    stop();
    sheet.show(file);
    if (file) run();
    else clear();
  };
  const stopListening = onGivenFile(sheet.frame, show);
  const exampleFile = decodeExample(example?.image);
  return {
    element: sheet.element,
    buttons: [
      createFileButton('Choose image', 'image/*', show),
      ...(exampleFile ? [makeButton('Example', () => show(exampleFile))] : []),
      makeButton('Clear', () => show(undefined)),
    ],
    read: async () => {
      const file = await sheet.read();
      return file && { type: file.type || 'application/octet-stream', body: file };
    },
    missing: 'Draw something or choose an image first.',
    blame: () => undefined,
    close: () => {
      stop();
      stopListening();
      sheet.show(undefined);
    },
  };
}

function makeButton(text: string, act: () => void): HTMLElement {
  const button = make('button', { type: 'button' }, text);
  button.addEventListener('click', act);
  return button;
}
