import { tmpdir } from 'node:os';
import type { ModelBytes } from '../../shared/runtime/session.ts';

/** A model with all its data in one file. */
export function inMemory(bytes: Uint8Array): ModelBytes {
  return { bytes, folder: tmpdir() };
}
