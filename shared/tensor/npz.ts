import { InferenceError, invalid, overLimit } from '../errors.ts';
import { type ArrayOptions, type NpyArray, openNpy, writeNpy } from './npy.ts';
import type { Tensor } from './tensor.ts';

interface ArchiveOptions extends ArrayOptions {
  /** Largest size of all arrays together, unpacked. */
  readonly byteLimit: number;
}

/** More than any model has inputs. Each takes the work of a file, however small it is. */
const MOST_ARRAYS = 1000;

/** How much of an archive is unpacked at once: a thousandfold of it still fits into memory. */
const STEP_BYTES = 16 * 1024;

/** Whether bytes begin like a ZIP archive with something in it. */
export function isZip(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'PK\x03\x04';
}

/**
 * Reads several arrays with their names (`.npz`): a ZIP archive of `.npy` files, packed or not. An array that says it is
 * larger than the limit is not unpacked; one that lies about it is stopped soon after.
 * Source: numpy.savez.
 *
 * @throws InferenceError for damaged archives, and for arrays that `openNpy` does not take
 */
export async function readNpz(
  bytes: Uint8Array,
  { field, byteLimit, ...options }: ArchiveOptions,
): Promise<ReadonlyMap<string, NpyArray>> {
  const files = await unpack(bytes, field, byteLimit);
  if (files.size === 0) throw invalid(`Field "${field}" holds no arrays; expected an archive of .npy files.`);
  return new Map(
    [...files].map(([name, content]) => {
      const arrayName = name.replace(/\.npy$/, '');
      return [arrayName, openNpy(content, { ...options, field: `${field}.${arrayName.slice(0, 100)}` })];
    }),
  );
}

/** Arrays as an archive without packing, as `numpy.savez` writes it. */
export async function writeNpz(tensors: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const { zipSync } = await import('./zip.ts');
  const files = [...tensors].map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)] as const);
  // The same tensors make the same bytes: no time of day in them.
  return zipSync(Object.fromEntries(files), { level: 0, mtime: new Date(1980, 0, 1) });
}

async function unpack(
  bytes: Uint8Array,
  field: string,
  byteLimit: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { Unzip, UnzipInflate } = await import('./zip.ts');
  const chunks = new Map<string, Uint8Array[]>();
  let declaredBytes = 0;
  let unpackedBytes = 0;
  const unzip = new Unzip((file) => {
    if (chunks.size === MOST_ARRAYS) throw tooManyArrays(field);
    const own: Uint8Array[] = [];
    chunks.set(file.name, own);
    declaredBytes += file.originalSize ?? 0;
    if (declaredBytes > byteLimit) throw tooLarge(field, byteLimit);
    file.ondata = (error, chunk) => {
      if (error) throw error;
      unpackedBytes += chunk.length;
      if (unpackedBytes > byteLimit) throw tooLarge(field, byteLimit);
      own.push(chunk);
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  try {
    for (let start = 0; start < bytes.length; start += STEP_BYTES) {
      unzip.push(bytes.subarray(start, start + STEP_BYTES), start + STEP_BYTES >= bytes.length);
    }
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    throw unreadable(field);
  }
  if (chunks.size !== countEntries(bytes)) throw unreadable(field);
  return new Map([...chunks].map(([name, parts]) => [name, Buffer.concat(parts)]));
}

/** How many files the directory at an archive's end says there are; undefined where the end is missing. */
function countEntries(bytes: Uint8Array): number | undefined {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  return end === -1 || end + 12 > archive.length ? undefined : archive.readUInt16LE(end + 10);
}

function unreadable(field: string): InferenceError {
  return invalid(`Field "${field}" is not a readable archive of NumPy arrays (.npz), or two have one name.`);
}

function tooManyArrays(field: string): InferenceError {
  return overLimit(`Field "${field}" holds more than ${MOST_ARRAYS} arrays, which is the limit.`);
}

function tooLarge(field: string, byteLimit: number): InferenceError {
  return overLimit(
    `Field "${field}" unpacks to more than ${byteLimit} bytes, which is the limit (MAX_BODY_BYTES).`,
  );
}
