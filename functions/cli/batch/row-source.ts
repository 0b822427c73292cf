import type { JsonValue } from '../../../shared/json/json-value.ts';

/** One row, line or file of the input. */
export interface InputRow {
  /** Counted from 1. */
  readonly row: number;
  /** Path below the folder, when the input is one. */
  readonly file?: string;
  /** Its size, if it can be an image: bytes of a file, or characters of a line. */
  readonly bytes?: number;
  /** Why it cannot be used; such rows are kept with their error. */
  readonly problem?: string;
  /** A row of CSV as texts by column, a line of JSON, or the bytes of a file. */
  readonly value: Cells | JsonValue | Uint8Array;
}

/** A row of CSV, before it is known which cells the model takes. */
export class Cells {
  readonly texts: readonly string[];

  constructor(texts: readonly string[]) {
    this.texts = texts;
  }
}

export interface RowSource {
  readonly kind: 'table' | 'lines' | 'folder';
  /** The names of a table's columns; undefined if it has none. */
  readonly names?: readonly string[] | undefined;
  /** Whether the names were recognised in the first row, without the user saying so. */
  readonly areNamesGuessed?: boolean;
  /** Which parts of the input are not among the rows, for the user. */
  readonly note?: string | undefined;
  /** What `position` counts up to: bytes of a file, or files of a folder. */
  readonly total: number;
  position(): number;
  /** Identifies these rows: size and time of a file, the paths in a folder, and how they are read. */
  readonly identity: string;
  /** @param skip how many of the first rows are left out */
  rows(skip?: number): AsyncIterable<InputRow>;
}
