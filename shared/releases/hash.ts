import { PARTS } from '../models/serving.ts';

/**
 * The part of all requests, from 0 to 9,999, that a value belongs to. It is the same on each instance and each cloud, and
 * in each client that can compute it. Source: the hash of version 2 in GrowthBook's specification of its SDKs.
 *
 * @param seed makes the parts of one model independent of those of another
 * @param value what is divided, such as the number of a customer; its UTF-16 code units count
 */
export function partOf(seed: string, value: string): number {
  return fnv1a(String(fnv1a(seed + value))) % PARTS;
}

/** FNV-1a with 32 bits over code units, as GrowthBook has it, and not over bytes. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
