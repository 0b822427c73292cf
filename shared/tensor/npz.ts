import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { type InferenceError, invalid, overLimit } from '../errors.ts';
import { type ArrayOptions, type NpyArray, openNpy, writeNpy } from './npy.ts';
import type { Tensor } from './tensor.ts';
import { countEntries, readEntries, type ZipEntry } from './zip-directory.ts';

interface ArchiveOptions extends ArrayOptions {
  /** Largest size of all arrays together, unpacked. */
  readonly byteLimit: number;
}

/** More than any model has inputs. Each takes the work of a file, however small it is. */
const MOST_ARRAYS = 1000;

/** Methods of ZIP. */
const STORED = 0;
const DEFLATED = 8;

/** Whether bytes begin like a ZIP archive with something in it. */
export function isZip(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'PK\x03\x04';
}

/**
 * Reads several arrays with their names (`.npz`): a ZIP archive of `.npy` files, packed or not. If the sizes that they
 * declare exceed the limit together, nothing is unpacked; unpacking stops at a file that declares a wrong size. Source:
 * numpy.savez.
 *
 * @throws InferenceError for damaged archives, and for arrays that `openNpy` does not take
 */
export async function readNpz(
  bytes: Uint8Array,
  { field, byteLimit, ...options }: ArchiveOptions,
): Promise<ReadonlyMap<string, NpyArray>> {
  const files = await unpack(bytes, field, byteLimit);
  if (files.size === 0)
    throw invalid(`Field "${field}"`, 'holds no arrays; expected an archive of .npy files.');
  return new Map(
    [...files].map(([name, content]) => {
      const arrayName = name.replace(/\.npy$/, '');
      return [arrayName, openNpy(content, { ...options, field: `${field}.${arrayName.slice(0, 100)}` })];
    }),
  );
}

/** Arrays as an archive without packing, as `numpy.savez` writes it. */
export async function writeNpz(tensors: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const { writeZip } = await import('./zip.ts');
  return writeZip(new Map([...tensors].map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)])));
}

async function unpack(
  bytes: Uint8Array,
  field: string,
  byteLimit: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = readDirectory(bytes, field);
  const files = new Map<string, Uint8Array>();
  if (entries.reduce((sum, { size }) => sum + size, 0) > byteLimit) throw tooLarge(field, byteLimit);
  for (const entry of entries) files.set(entry.name, await unpackEntry(entry, field));
  if (files.size !== entries.length) throw unreadable(field);
  return files;
}

function readDirectory(bytes: Uint8Array, field: string): readonly ZipEntry[] {
  if ((countEntries(bytes) ?? 0) > MOST_ARRAYS) throw tooManyArrays(field);
  try {
    return readEntries(bytes);
  } catch {
    throw unreadable(field);
  }
}

/** Exactly as many bytes as the directory says: they are written to their final place, and no more are unpacked. */
async function unpackEntry(
  { method, isEncrypted, packed, size }: ZipEntry,
  field: string,
): Promise<Uint8Array> {
  if (isEncrypted || (method !== STORED && method !== DEFLATED)) throw unreadable(field);
  const content = method === STORED ? packed : await inflateTo(packed, size).catch(() => undefined);
  if (content?.length !== size) throw unreadable(field);
  return content;
}

/** One byte more shows that there are no more; zlib wants a piece of 64 bytes at least. */
function inflateTo(packed: Uint8Array, size: number): Promise<Uint8Array> {
  const bytes = Math.max(64, size + 1);
  return promisify(inflateRaw)(packed, { chunkSize: bytes, maxOutputLength: bytes });
}

function unreadable(field: string): InferenceError {
  return invalid(
    `Field "${field}"`,
    'is not a readable archive of NumPy arrays (.npz), or two of them have the same name.',
  );
}

function tooManyArrays(field: string): InferenceError {
  return overLimit(`Field "${field}"`, `holds more than ${MOST_ARRAYS} arrays, which is the limit.`);
}

function tooLarge(field: string, byteLimit: number): InferenceError {
  return overLimit(
    `Field "${field}"`,
    `unpacks to more than ${byteLimit} bytes, which is the limit (MAX_BODY_BYTES).`,
  );
}
