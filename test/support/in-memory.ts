import { tmpdir } from 'node:os';
import type { ModelBytes } from '../../shared/runtime/session.ts';

/** A model that has all its data in itself. */
export function inMemory(bytes: Uint8Array): ModelBytes {
  return { bytes, folder: tmpdir() };
}
