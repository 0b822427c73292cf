/** The files of Ternion's own pages, by name: `playground.html`. They come with the bundle and never change. */
export interface Pages {
  /** The bytes of a file; undefined if there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
}
