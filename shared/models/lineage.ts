import * as z from 'zod/mini';
import { parseJsonFile } from './formats/format-folder.ts';

/** The file of a published version that says where its model comes from. */
export const LINEAGE_FILE = 'lineage.json';

const text = z.string().check(z.minLength(1), z.maxLength(1000));
const commit = z.string().check(z.regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'must be 40 or 64 hex digits'));

/**
 * `lineage.json`: where a model comes from. It holds only what was found, no secrets and no times, so that equal models
 * from equal places are equal files. Unknown members are ignored, as later releases may add some.
 */
export const lineageSchema = z.object({
  /** What `ternion add` was given, if that is an address: `hf://owner/repo@main`. */
  source: z.optional(text),
  /** The Git repository that the model was in. */
  git: z.optional(
    z.object({
      commit,
      /** Where the model was, below the root of the repository; left out for the root itself. */
      path: z.optional(text),
      /** The URL of the remote, without a user and a password. */
      remote: z.optional(text),
      /** Whether files of the repository differed from the commit, as `git describe --dirty` has it. */
      dirty: z.optional(z.boolean()),
    }),
  ),
  /** What DVC says of the published files. */
  dvc: z.optional(
    z.object({
      /** The file that says so, below the root of the repository: `dvc.lock`, `model.onnx.dvc`. */
      file: text,
      /** The stage of the pipeline that has made them. */
      stage: z.optional(text),
      /** Paths are relative to the folder of the file. The hash of a folder ends in `.dir`. */
      outs: z.array(z.object({ path: text, md5: text })).check(z.maxLength(100)),
    }),
  ),
  /** The run, and the version of a registered model, in MLflow. */
  mlflow: z.optional(
    z.object({
      /** The address of the tracking server, without a user and a password. */
      server: z.optional(text),
      runId: z.optional(text),
      modelUuid: z.optional(text),
      name: z.optional(text),
      version: z.optional(text),
    }),
  ),
  /** The artifact or the run in Weights & Biases. */
  wandb: z.optional(
    z.object({
      /** With its version: `detector:v3`. */
      artifact: z.optional(text),
      run: z.optional(text),
      /** Of the code of the run, as its `wandb-metadata.json` says. */
      commit: z.optional(commit),
      remote: z.optional(text),
    }),
  ),
  /** The repository on the Hugging Face Hub. Files that its command has downloaded name only the commit. */
  huggingFace: z.optional(z.object({ repo: z.optional(text), commit })),
});

/** Where a model comes from. */
export type Lineage = z.infer<typeof lineageSchema>;

/**
 * Reads the text of a `lineage.json`.
 *
 * @throws ModelError naming each field that is wrong
 */
export async function parseLineage(json: string): Promise<Lineage> {
  return await parseJsonFile(json, LINEAGE_FILE, lineageSchema);
}
