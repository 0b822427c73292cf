import { printable } from './printable.ts';

/** Ends a server that cannot work, with one sentence. */
export function endWith(message: string): never {
  console.error(printable(message));
  process.exit(1);
}
