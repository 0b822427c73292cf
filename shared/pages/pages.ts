/** The files of Ternion's own pages, by name: `playground.html`. They come with the bundle and never change. */
export interface Pages {
  /** The bytes of a file; undefined when there is none of this name. */
  read(name: string): Promise<Uint8Array | undefined>;
}
