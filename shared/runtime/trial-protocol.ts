import type { ModelFile } from './open-model-file.ts';
import type { NamedTensors, SessionOptions, TensorSpec } from './session.ts';

/** The process of a trial ended, or was ended. The message follows "so it was tried in a separate process, which". */
export class TrialError extends Error {
  override readonly name = 'TrialError';
}

/** Requests to the process of a trial: to open a model once, and then to run it. */
export type TrialRequest =
  | {
      readonly kind: 'open';
      readonly file: ModelFile;
      readonly options: SessionOptions;
      /** The process ends itself when it uses more memory than this. */
      readonly memoryBytes: number;
    }
  | { readonly kind: 'run'; readonly feeds: NamedTensors; readonly fetches: readonly string[] | undefined };

/** Its reply when that is done. */
export type TrialReply =
  | {
      readonly kind: 'opened';
      readonly inputs: readonly TensorSpec[];
      readonly outputs: readonly TensorSpec[];
    }
  | { readonly kind: 'ran' }
  /** The runtime's error about the graph or the input. */
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };
