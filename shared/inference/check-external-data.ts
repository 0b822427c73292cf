import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { ModelError } from '../models/model-config.ts';
import type { ExternalData } from '../onnx/external-data.ts';

/**
 * Checks the data files that a model names before the runtime opens them: they must be plain files in or below the
 * folder of the model, and contain the bytes that the model refers to.
 *
 * @param path the model file
 * @throws ModelError with the file and what is wrong with it
 */
export async function checkExternalData(path: string, data: readonly ExternalData[]): Promise<void> {
  if (data.length === 0) return;
  const sizes = new Map<string, number>();
  const find = await openFolder(path);
  for (const each of data) {
    const size = sizes.get(each.location) ?? (await find(each.location));
    sizes.set(each.location, size);
    checkRange(each, size);
  }
}

/** Finds the data files of a model and their sizes in bytes. */
async function openFolder(path: string): Promise<(location: string) => Promise<number>> {
  const folders = await Promise.all([realpath(dirname(path)), realpath(path).then(dirname)]);
  const listed = new Map<string, ReadonlySet<string>>();
  const list = async (folder: string) => {
    const names = listed.get(folder) ?? new Set(await readdir(folder).catch((): string[] => []));
    listed.set(folder, names);
    return names;
  };
  return async (location) => {
    const fault = faultOf(location);
    if (fault !== undefined) throw refuse(location, fault);
    let found = dirname(path);
    for (const name of location.split('/').filter((part) => part !== '' && part !== '.')) {
      // Some file systems also find a file by another case or Unicode normal form of its name.
      if (!(await list(found)).has(name)) throw refuse(location, 'is missing');
      found = join(found, name);
    }
    const facts = await stat(found).catch(() => undefined);
    if (!facts) throw refuse(location, 'is missing');
    if (!facts.isFile()) throw refuse(location, 'is not a regular file');
    const real = await realpath(found);
    const isInside = folders.some((folder) => real.startsWith(folder.endsWith(sep) ? folder : folder + sep));
    if (isInside) return facts.size;
    throw refuse(location, 'is a link that leads outside the folder of the model');
  };
}

/** What is wrong with the text of a location, without looking at files. */
function faultOf(location: string): string | undefined {
  if (location === '') return 'has no name';
  if (MEMORY_ADDRESS.test(location)) return 'is an address in memory, not a file';
  if (location.includes('\uFFFD')) return 'has a name that is not valid UTF-8';
  if (/\p{Cc}/u.test(location)) return 'has control characters in its name';
  if (/^\/|^[A-Za-z]:|\\/.test(location)) return 'must be a relative path with forward slashes';
  return location.split('/').includes('..') ? 'is outside the folder of the model' : undefined;
}

/**
 * What the runtime itself writes instead of a path for tensors in memory, with the address as the offset.
 * Source: kTensorProtoMemoryAddressTag in onnxruntime/core/framework/tensorprotoutils.h.
 */
const MEMORY_ADDRESS = /_ORT_\w*MEM_ADDR_/i;

function checkRange({ location, tensor, offset = '0', length = '0' }: ExternalData, size: number): void {
  const [from, count] = [toBytes(offset), toBytes(length)];
  if (from !== undefined && count !== undefined && from + count <= size) return;
  const range = `offset ${quote(offset)} and length ${quote(length)}`;
  throw refuse(location, `has ${size} bytes, but its tensor ${quote(tensor)} should be at ${range}`);
}

function toBytes(digits: string): number | undefined {
  return /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

function refuse(location: string, what: string): ModelError {
  return new ModelError(`its data file ${quote(location)} ${what}`);
}

const LONGEST_QUOTE = 200;

function quote(text: string): string {
  return JSON.stringify(text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text);
}
