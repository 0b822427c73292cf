import type { StoredRow, StoredValue } from './feature-store.ts';

/** What is wrong with one entity is nothing to those who ask for others at the same time. */
export function readRow(read: () => readonly StoredValue[]): StoredRow {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
