import type { Lineage } from '../../../shared/models/lineage.ts';
import type { ModelStore } from '../../../shared/stores/model-store.ts';
import type { RemoteFile } from './remote-files.ts';

/** The files of one model elsewhere. */
export interface RemoteModel {
  /** What the user called it. */
  readonly title: string;
  /** What exactly is downloaded, in messages: `owner/repo at 1234567`. */
  readonly what: string;
  /** What a version is named after. */
  readonly name: string;
  readonly lineage: Lineage;
  readonly files: readonly RemoteFile[];
  readonly store: ModelStore;
  /** Bytes of one request. */
  readonly partBytes: number;
}

/** A model whose server has its files in a folder of this machine. */
export interface LocalModel {
  readonly path: string;
  readonly name: string;
  readonly lineage: Lineage;
}

/** A model that is on this machine now, for as long as it is not closed. */
export interface OpenedSource {
  /** Its file or folder. */
  readonly path: string;
  /** What a version is named after. */
  readonly name: string;
  readonly lineage: Lineage;
  /** @param isDone whether its files are not needed for another try */
  close(isDone: boolean): Promise<void>;
}
