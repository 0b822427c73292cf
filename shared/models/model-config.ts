import * as z from 'zod';
import { MOST_THREADS, PROTOCOL_NAMES } from '../config.ts';
import type { Label } from '../processing/classification.ts';
import { ANSWER_FORMS } from './answer-forms.ts';

/**
 * The model's folder holds something that cannot be served. Clients may see the message: it has neither paths nor
 * stacks.
 */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}

const answerForm = z.enum(ANSWER_FORMS);

/** Members of `model.json` that all tasks have. The descriptions are those of the JSON schema for editors. */
export const commonMembers = {
  description: z
    .string()
    .optional()
    .describe('What the model does, in a sentence for the people who call it.'),
  answers: z
    .union([answerForm, z.partialRecord(z.enum(PROTOCOL_NAMES), answerForm)])
    .optional()
    .describe(
      'The form of the answers to clients of other servers: one word for all protocols, or an object with a word per protocol. By default a tabular model answers as its original server did.',
    ),
  file: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Path of the graph below the folder, such as onnx/model_q4.onnx, if it is not called model.onnx and the folder holds several.',
    ),
  metrics: z
    .record(z.string(), z.number())
    .optional()
    .describe(
      'Results on data that was not used for training, by name. They are shown to clients and change nothing.',
    ),
  maxBatchSize: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('Most instances per request, if fewer than the server allows (MAX_BATCH_SIZE).'),
  shapes: z
    .record(
      z.string(),
      z.array(
        z
          .number()
          .int()
          .min(-1)
          .refine((size) => size !== 0, 'must be a size, or -1 for any size'),
      ),
    )
    .optional()
    .describe(
      'Shapes of inputs and outputs as clients see them, by name, if the graph has the same elements in a different shape. -1 stands for any size.',
    ),
  session: z
    .strictObject({
      intraOpThreads: z
        .number()
        .int()
        .min(1)
        .max(MOST_THREADS)
        .optional()
        .describe('Threads per run of this model, instead of INTRA_OP_THREADS of the server.'),
      graphOptimization: z
        .enum(['disabled', 'basic', 'extended', 'all'])
        .optional()
        .describe(
          'How far ONNX Runtime may optimize the graph when it loads it; by default, all optimizations.',
        ),
    })
    .optional()
    .describe('Settings of ONNX Runtime for this model alone.'),
};

/**
 * The content of `model.json`, the optional file next to the graph with what the graph cannot say. It can also be
 * derived from files of other formats. Only a task knows the members that belong to it.
 */
export interface ModelConfig extends z.output<z.ZodObject<typeof commonMembers>> {
  readonly task: string;
  readonly labels?: readonly Label[] | undefined;
  readonly [member: string]: unknown;
}

/** Checks configs against what the tasks of a server allow. */
export interface ConfigReader {
  /**
   * Reads the text of a `model.json`.
   * @throws ModelError naming each field that is wrong
   */
  parse(text: string): ModelConfig;
  /**
   * Applies the same checks to a config that was derived from files of another format.
   * @throws ModelError when it needs something that this server does not have
   */
  check(config: ModelConfig): ModelConfig;
  /** Whether a config of this task can name classes. */
  canHaveLabels(task: string): boolean;
}
