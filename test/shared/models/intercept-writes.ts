import type * as files from 'node:fs/promises';

type Files = typeof files;

/** The disk: returns how many of the given bytes it takes, and throws if it takes none. */
export type AcceptBytes = (length: number) => number | Promise<number>;

/**
 * `node:fs/promises` on a disk that can be full: as a real one, without the rights that making one takes.
 */
export function interceptWrites(original: Files, accept: AcceptBytes): Files {
  return {
    ...original,
    open: async (...args: Parameters<Files['open']>) => {
      const handle = await original.open(...args);
      const write = handle.write.bind(handle);
      Object.assign(handle, {
        write: async (bytes: Uint8Array, offset: number, length: number, position: number) =>
          await write(bytes, offset, await accept(length), position),
      });
      return handle;
    },
  };
}

export function diskError(code: string): Error {
  return Object.assign(new Error(`${code}: write`), { code });
}
