import type { WritableJson } from '../../../shared/json/write-json.ts';

/** What the file alone tells. */
export type FileFacts = {
  readonly file: string;
  /** Size of the file with the graph. */
  readonly size_bytes: number;
  /** All files of the model, external weights included. */
  readonly files: number;
  readonly total_bytes: number;
  /** Elements of all weights; constants in nodes, such as the trees of a forest, are none. */
  readonly parameters: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** What the maker of the file wrote beside the graph; texts are cut, and `bytes` says how long each is. */
  readonly metadata: readonly { readonly key: string; readonly value: string; readonly bytes: number }[];
};

export type Value = {
  readonly name: string;
  readonly datatype: string;
  /** Null where even the number of axes is open, or the value is not a tensor. */
  readonly shape: readonly (number | string)[] | null;
};

/** What it is taken for, or why it cannot be served. */
export type Verdict =
  | {
      readonly format: string;
      readonly task: string;
      readonly model_json: WritableJson;
      readonly warnings: readonly string[];
      /** A model.json that would say more; undefined where nothing is open, or nothing can be said. */
      readonly suggestion: Suggestion | undefined;
    }
  | { readonly problem: string };

/** What a model.json could be that the graph leaves open, and what has to be checked before it is used. */
export type Suggestion = { readonly model_json: WritableJson; readonly note: string };
