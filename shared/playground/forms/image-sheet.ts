import { make } from '../element.ts';
import { formatBytes } from '../numbers.ts';
import { createDrawing, type DrawingEvents } from './drawing.ts';

/** A sheet that holds a drawing, or an image file instead. */
export interface ImageSheet {
  readonly element: HTMLElement;
  /** The part that shows the image. */
  readonly frame: HTMLElement;
  /** Shows a file; without one, empty paper. */
  show(file: File | undefined): void;
  /** The file, or the drawing as one; undefined while the paper is empty. */
  read(): Promise<File | undefined>;
}

/** Images with fewer pixels across are enlarged without smoothing: each pixel is a square. */
const TINY = 64;

const PAPER_CAPTION = 'Draw, drop or paste an image here, or choose a file.';

export function createImageSheet({ strokeStarts, strokeEnds }: DrawingEvents): ImageSheet {
  let file: File | undefined;
  const drawing = createDrawing({
    strokeStarts: () => {
      frame.classList.add('used');
      strokeStarts();
    },
    strokeEnds,
  });
  const picture = make('img', { class: 'picture', hidden: true });
  picture.addEventListener('load', () => picture.classList.toggle('tiny', picture.naturalWidth < TINY));
  const watermark = make('p', { class: 'watermark', 'aria-hidden': 'true' }, 'Draw here');
  const frame = make('div', { class: 'frame' }, drawing.canvas, watermark, picture);
  const caption = make('p', { class: 'hint' }, PAPER_CAPTION);
  return {
    element: make('div', { class: 'image-form' }, frame, caption),
    frame,
    show: (given) => {
      file = given;
      drawing.clear();
      drawing.canvas.hidden = file !== undefined;
      frame.classList.toggle('used', file !== undefined);
      caption.textContent = file ? `${file.name}, ${formatBytes(file.size)}` : PAPER_CAPTION;
      showPicture(picture, file);
    },
    read: async () => file ?? (drawing.isEmpty() ? undefined : await drawing.toPng()),
  };
}

function showPicture(picture: HTMLImageElement, file: File | undefined): void {
  URL.revokeObjectURL(picture.src);
  picture.hidden = file === undefined;
  picture.alt = file ? `The image ${file.name}` : '';
  if (file) picture.src = URL.createObjectURL(file);
  else picture.removeAttribute('src');
}
