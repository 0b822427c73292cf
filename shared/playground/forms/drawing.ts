import { make } from '../element.ts';

/** Black ink on white paper. */
export interface Drawing {
  readonly canvas: HTMLCanvasElement;
  clear(): void;
  isEmpty(): boolean;
  /** The drawing as PNG, cropped around the ink. */
  toPng(): Promise<File>;
}

export interface DrawingEvents {
  strokeStarts(): void;
  strokeEnds(): void;
}

/** Side of the paper in its own pixels; the page scales it. */
const SIDE = 560;
/** About as thick as the stroke of a felt pen, compared with the digit it writes. */
const PEN = SIDE / 13;
const SENT_SIDE = 280;
/** White around the ink, as a share of the larger side. */
const MARGIN = 0.12;
/** A dot is not enlarged to a blob: the ink counts as covering at least this share of the paper. */
const LEAST_SIDE = SIDE * 0.4;

/** Paper for pens, fingers and mice. With a keyboard, people use the file button next to it. */
export function createDrawing({ strokeStarts, strokeEnds }: DrawingEvents): Drawing {
  const canvas = make('canvas', {
    class: 'paper',
    width: String(SIDE),
    height: String(SIDE),
    role: 'img',
    'aria-label': 'Paper to draw on with a pointer. With a keyboard, choose an image file instead.',
  });
  const context = contextOf(canvas);
  context.lineWidth = PEN;
  context.lineCap = 'round';
  let ink: Box | undefined;

  const draw = (from: Point, to: Point): void => {
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    ink = grow(ink, to);
  };
  const clear = (): void => {
    ink = undefined;
    wipe(context, SIDE);
  };
  clear();
  followPointer(canvas, { strokeStarts, strokeEnds, draw });
  return { canvas, clear, isEmpty: () => ink === undefined, toPng: () => cutOut(canvas, ink) };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function grow(box: Box | undefined, { x, y }: Point): Box {
  const { left, top, right, bottom } = box ?? { left: x, top: y, right: x, bottom: y };
  return {
    left: Math.min(left, x),
    top: Math.min(top, y),
    right: Math.max(right, x),
    bottom: Math.max(bottom, y),
  };
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser cannot draw');
  return context;
}

function wipe(context: CanvasRenderingContext2D, side: number): void {
  context.fillStyle = '#fff';
  context.fillRect(0, 0, side, side);
}

interface PenEvents extends DrawingEvents {
  draw(from: Point, to: Point): void;
}

/** Draws along one pointer at a time, from where it goes down to where it comes up. */
function followPointer(canvas: HTMLCanvasElement, { strokeStarts, strokeEnds, draw }: PenEvents): void {
  let pen: { readonly id: number; readonly at: Point } | undefined;
  const move = (event: PointerEvent): void => {
    if (pen?.id !== event.pointerId) return;
    for (const step of [...event.getCoalescedEvents(), event]) {
      const at = pointOf(step, canvas);
      draw(pen.at, at);
      pen = { id: pen.id, at };
    }
  };
  const lift = (event: PointerEvent): void => {
    if (pen?.id !== event.pointerId) return;
    pen = undefined;
    strokeEnds();
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (pen || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    const at = pointOf(event, canvas);
    pen = { id: event.pointerId, at };
    strokeStarts();
    draw(at, at);
  });
  canvas.addEventListener('pointermove', move);
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);
}

/** The place of a pointer on the paper; strokes may leave it, ink cannot. */
function pointOf({ clientX, clientY }: PointerEvent, canvas: HTMLCanvasElement): Point {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const place = (share: number): number => Math.min(Math.max(share, 0), 1) * SIDE;
  return { x: place((clientX - left) / width), y: place((clientY - top) / height) };
}

/** The square around the ink: models of drawings are trained on ones that fill their frame. */
async function cutOut(canvas: HTMLCanvasElement, ink: Box | undefined): Promise<File> {
  const { left, top, right, bottom } = ink ?? { left: 0, top: 0, right: SIDE, bottom: SIDE };
  const inked = Math.max(right - left, bottom - top) + PEN;
  const side = Math.max(inked, LEAST_SIDE) * (1 + 2 * MARGIN);
  const sent = make('canvas', { width: String(SENT_SIDE), height: String(SENT_SIDE) });
  const context = contextOf(sent);
  wipe(context, SENT_SIDE);
  const scale = SENT_SIDE / side;
  const x = (side - left - right) / 2;
  const y = (side - top - bottom) / 2;
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, x * scale, y * scale, SIDE * scale, SIDE * scale);
  return await new Promise((resolve, reject) => {
    sent.toBlob((blob) => {
      if (blob) resolve(new File([blob], 'drawing.png', { type: blob.type }));
      else reject(new Error('this browser cannot write PNG'));
    }, 'image/png');
  });
}
