import { PARTS } from '../models/serving.ts';

/**
 * The part of all requests, from 0 to 9,999, that a value belongs to. It is the same on each instance and each cloud, and
 * in each client that can compute it. Source: the hash of version 2 in GrowthBook's specification of its SDKs.
 *
 * @param seed makes the parts of one model independent of those of another. Several texts count as one: to join them would
 *   cost a request more than to hash them.
 * @param value what is divided, such as the number of a customer; its UTF-16 code units count
 */
export function partOf(seed: string | readonly string[], value: string): number {
  let hash = BASIS;
  for (const text of typeof seed === 'string' ? [seed] : seed) hash = fnv1a(text, hash);
  return fnv1a(String(fnv1a(value, hash)), BASIS) % PARTS;
}

const BASIS = 0x811c9dc5;

/** FNV-1a with 32 bits over code units, as GrowthBook has it, and not over bytes; `hash` is that of the text before it. */
function fnv1a(text: string, hash: number): number {
  let next = hash;
  for (let index = 0; index < text.length; index++) {
    next = Math.imul(next ^ text.charCodeAt(index), 0x01000193);
  }
  return next >>> 0;
}
