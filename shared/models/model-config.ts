import * as z from 'zod/mini';
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

const MOST_PROCESSORS = 16;

/** Members of `model.json` that all tasks have. The descriptions are those of the JSON schema for editors. */
export const commonMembers = {
  description: z
    .optional(z.string())
    .register(z.globalRegistry, { description: 'A sentence for callers that says what the model does.' }),
  answers: z
    .optional(z.union([answerForm, z.partialRecord(z.enum(PROTOCOL_NAMES), answerForm)]))
    .register(z.globalRegistry, {
      description:
        'Form of the answers for clients of other servers: one word for all protocols, or a word for each named protocol. Without it, a tabular model answers in the form of the server that it comes from.',
    }),
  file: z.optional(z.string().check(z.minLength(1))).register(z.globalRegistry, {
    description:
      'Path of the graph below the folder, such as onnx/model_q4.onnx, if it is neither called model.onnx nor the only graph.',
  }),
  metrics: z.optional(z.record(z.string(), z.number())).register(z.globalRegistry, {
    description:
      'Results on data that was not used for training, by name. `ternion promote` compares them with those of the live version.',
  }),
  maxBatchSize: z.optional(z.int().check(z.minimum(1))).register(z.globalRegistry, {
    description:
      'Largest number of instances in one request, if it is less than MAX_BATCH_SIZE of the server.',
  }),
  shapes: z
    .optional(
      z.record(
        z.string(),
        z.array(
          z.number().check(
            z.int(),
            z.minimum(-1),
            z.refine((size) => size !== 0, 'must be a size, or -1 for any size'),
          ),
        ),
      ),
    )
    .register(z.globalRegistry, {
      description:
        'Shapes of inputs and outputs for clients, by name, if the graph has the same elements in another shape. A size of -1 is open.',
    }),
  processors: z
    .optional(
      z
        .array(
          z.looseObject({
            step: z.string().register(z.globalRegistry, {
              description: 'Name of the step, as ternion.config.ts defines it.',
            }),
          }),
        )
        .check(z.maxLength(MOST_PROCESSORS, `must be at most ${MOST_PROCESSORS} steps`)),
    )
    .register(z.globalRegistry, {
      description:
        'Steps of own code around the graph, in order, each with its options. A step may work before the graph, after it, or both.',
    }),
  session: z
    .optional(
      z.strictObject({
        intraOpThreads: z
          .optional(z.int().check(z.minimum(1), z.maximum(MOST_THREADS)))
          .register(z.globalRegistry, {
            description: 'Threads per run of this model, instead of INTRA_OP_THREADS of the server.',
          }),
        graphOptimization: z
          .optional(z.enum(['disabled', 'basic', 'extended', 'all']))
          .register(z.globalRegistry, {
            description: 'How much ONNX Runtime may simplify the graph when it loads it; all by default.',
          }),
      }),
    )
    .register(z.globalRegistry, { description: 'Settings of ONNX Runtime for this model only.' }),
  objective: z
    .optional(
      z.strictObject({
        availability: z.optional(z.number().check(z.gt(0), z.lt(1))).register(z.globalRegistry, {
          description: 'Share of requests without a fault of the server: 0.999.',
        }),
        latency: z
          .optional(
            z.strictObject({
              ms: z
                .number()
                .check(z.gt(0))
                .register(z.globalRegistry, { description: 'Milliseconds for an answer.' }),
              percentile: z.number().check(z.gt(0), z.lt(100)).register(z.globalRegistry, {
                description: 'Percentage of requests with an answer in this time.',
              }),
            }),
          )
          .register(z.globalRegistry, { description: 'How fast answers are.' }),
      }),
    )
    .register(z.globalRegistry, {
      description: 'What callers can rely on; alerts compare requests with it.',
    }),
};

/** What callers of a model can rely on, as its `model.json` says. */
export type Objective = NonNullable<z.output<typeof commonMembers.objective>>;

/**
 * The content of `model.json`, the optional file next to the graph with what the graph cannot say. It can also be
 * derived from files of other formats. Only a task knows the members that belong to it.
 */
export interface ModelConfig extends z.output<z.ZodMiniObject<typeof commonMembers>> {
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
  parse(text: string): Promise<ModelConfig>;
  /**
   * Applies the same checks to a config that was derived from files of another format.
   * @throws ModelError when it needs something that this server does not have
   */
  check(config: ModelConfig): Promise<ModelConfig>;
  /** Whether a config of this task can name classes. */
  canHaveLabels(task: string): boolean;
}
