import type { WritableJson } from '../../../shared/json/write-json.ts';

/** Facts from the file alone. */
export type FileFacts = {
  readonly file: string;
  /** Size of the file with the graph. */
  readonly size_bytes: number;
  /** All files of the model, external weights included. */
  readonly files: number;
  readonly total_bytes: number;
  /** Elements of all weights, without constants in nodes, such as the trees of a forest. */
  readonly parameters: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** The metadata of the file; texts are cut, and `bytes` is the full length of each. */
  readonly metadata: readonly { readonly key: string; readonly value: string; readonly bytes: number }[];
};

export type Value = {
  readonly name: string;
  readonly datatype: string;
  /** Null if even the number of axes is open, or the value is not a tensor. */
  readonly shape: readonly (number | string)[] | null;
};

/** How the model would be served, or why it cannot be. */
export type Verdict =
  | {
      readonly format: string;
      readonly task: string;
      /** The steps of own code around it, in their order. */
      readonly processors: readonly string[] | undefined;
      readonly model_json: WritableJson;
      readonly warnings: readonly string[];
      /** A model.json that would say more; undefined if nothing is open, or nothing can be suggested. */
      readonly suggestion: Suggestion | undefined;
    }
  | { readonly problem: string };

/** A possible model.json for what the graph leaves open, and what to check before it is used. */
export type Suggestion = { readonly model_json: WritableJson; readonly note: string };
