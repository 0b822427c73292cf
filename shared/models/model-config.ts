import * as z from 'zod';
import { MOST_THREADS, PROTOCOL_NAMES } from '../config.ts';
import type { Label } from '../processing/classification.ts';
import { ANSWER_FORMS } from './answer-forms.ts';

/** The model's folder holds something that cannot be served. The message is fit for clients: no paths, no stacks. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}

const answerForm = z.enum(ANSWER_FORMS);

/** Members of `model.json` that all tasks have. */
export const commonMembers = {
  description: z.string().optional(),
  /** The form of answers: one for the protocols of all other servers, or by protocol. */
  answers: z.union([answerForm, z.partialRecord(z.enum(PROTOCOL_NAMES), answerForm)]).optional(),
  /** The graph, below the folder, where it is not called `model.onnx` and not the only one. */
  file: z.string().min(1).optional(),
  /** Results on held-out data, by name. */
  metrics: z.record(z.string(), z.number()).optional(),
  /** Most instances of one request. */
  maxBatchSize: z.number().int().min(1).optional(),
  /** Shapes of tensors for clients, by name, where the graph has the same elements in another shape. */
  shapes: z
    .record(
      z.string(),
      z.array(
        z
          .number()
          .int()
          .min(-1)
          .refine((size) => size !== 0, 'must be a size, or -1 for any'),
      ),
    )
    .optional(),
  session: z
    .strictObject({
      intraOpThreads: z.number().int().min(1).max(MOST_THREADS).optional(),
      graphOptimization: z.enum(['disabled', 'basic', 'extended', 'all']).optional(),
    })
    .optional(),
};

/**
 * What `model.json` says, the optional file beside the graph that says what the graph cannot; or what the other files
 * of a folder amount to in its words. The members of its task are known to the task alone.
 */
export interface ModelConfig extends z.output<z.ZodObject<typeof commonMembers>> {
  readonly task: string;
  readonly labels?: readonly Label[] | undefined;
  readonly [member: string]: unknown;
}

/** Holds configs to what the tasks of a server allow. */
export interface ConfigReader {
  /**
   * Reads the text of a `model.json`.
   * @throws ModelError naming each field that is wrong
   */
  parse(text: string): ModelConfig;
  /**
   * Holds what the files of another format amount to, to the same.
   * @throws ModelError when it needs what this server does not have
   */
  check(config: ModelConfig): ModelConfig;
  /** Whether a config of this task can name classes. */
  canHaveLabels(task: string): boolean;
}
