import { JsonText } from '../json/write-json.ts';
import type { Datatype } from './datatype.ts';
import { float16ToNumber } from './float16.ts';
import { shortestFloat32 } from './float32.ts';
import type { Tensor } from './tensor.ts';

/** How elements are written where JSON leaves a choice. */
export interface ElementStyle {
  /** NaN and infinity: as `null`, or as the bare words that Python reads. */
  readonly nonFinite: 'null' | 'literal';
  /** Whether floats always show that they are: `1.0` instead of `1`, as TensorFlow Serving does. */
  readonly isFloatMarked?: boolean;
  /** Whether texts are written as bytes in base64, `{"b64": "…"}`. */
  readonly isBase64?: boolean;
}

/** The elements of a tensor as JSON texts, in row-major order. Float32 is as short as reads back to the same value. */
export function writeElements({ datatype, data }: Tensor, style: ElementStyle): string[] {
  if (Array.isArray(data)) return data.map((text) => writeText(text, style));
  const write = elementWriter(datatype, style);
  const parts = new Array<string>(data.length);
  for (let i = 0; i < data.length; i++) parts[i] = write(data[i] ?? 0);
  return parts;
}

function elementWriter(datatype: Datatype, style: ElementStyle): (value: number | bigint) => string {
  switch (datatype) {
    case 'FP32':
      return (value) => writeFloat(shortestFloat32(Number(value)), style);
    case 'FP16':
      return (value) => writeFloat(shortestFloat32(float16ToNumber(Number(value))), style);
    case 'FP64':
      return (value) => writeFloat(Number(value), style);
    case 'BOOL':
      return (value) => (value === 1 ? 'true' : 'false');
    default:
      return String;
  }
}

function writeText(text: string, { isBase64 }: ElementStyle): string {
  return isBase64 ? `{"b64":"${Buffer.from(text).toString('base64')}"}` : JSON.stringify(text);
}

/** A float with as many digits as it needs. */
export function writeFloat(value: number, { nonFinite, isFloatMarked }: ElementStyle): string {
  if (!Number.isFinite(value)) return nonFinite === 'literal' ? String(value) : 'null';
  if (Object.is(value, -0)) return '-0.0';
  return isFloatMarked && Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

/** A tensor as nested lists in JSON; a scalar comes out bare. */
export function writeTensor(tensor: Tensor, style: ElementStyle): JsonText {
  return new JsonText(nest(writeElements(tensor, style), tensor.shape));
}

/** One JSON text per item of the first axis. */
export function writeRows(tensor: Tensor, style: ElementStyle): JsonText[] {
  const [rows = 0, ...shape] = tensor.shape;
  const elements = writeElements(tensor, style);
  const width = rows === 0 ? 0 : elements.length / rows;
  return Array.from(
    { length: rows },
    (_, row) => new JsonText(nest(elements.slice(row * width, (row + 1) * width), shape)),
  );
}

function nest(elements: readonly string[], shape: readonly number[]): string {
  if (shape.length === 0) return elements[0] ?? 'null';
  if (shape.includes(0)) return nestEmpty(shape);
  let level = elements;
  for (const size of shape.toReversed()) {
    const next: string[] = [];
    for (let start = 0; start < level.length; start += size) {
      next.push(`[${level.slice(start, start + size).join(',')}]`);
    }
    level = next;
  }
  return level[0] ?? '[]';
}

/** Lists without any element in them still show the sizes that are not zero. */
function nestEmpty([size = 0, ...rest]: readonly number[]): string {
  return size === 0 ? '[]' : `[${new Array<string>(size).fill(nestEmpty(rest)).join(',')}]`;
}
