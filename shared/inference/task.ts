import * as z from 'zod';
import type { Budget } from '../budget.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import { commonMembers, type ModelConfig } from '../models/model-config.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import type { Graph } from '../onnx/graph.ts';
import type { Label, ScoreStep } from '../processing/classification.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { OutputKind, TextInput } from '../values/contract.ts';
import type { EmbeddingOptions, InferenceInput, InputKind } from '../values/input.ts';
import type { RowFormat } from '../values/row.ts';
import type { InferenceOutput } from './output.ts';
import { batchSizeOf, type Runner } from './run-batch.ts';

/** The instances of a request as the inputs of a graph. */
export interface Batch {
  /** How many instances there are: the first axis of every tensor. */
  readonly rows: number;
  readonly feeds: NamedTensors;
  /** For texts: 1 where a row has a token and 0 where it is padded, of shape [rows, tokens]. */
  readonly mask?: Tensor;
  /** For texts: how many of the first tokens of every row are not pooled. */
  readonly promptTokens?: number | undefined;
  /** For texts: what the request asks of their vectors. */
  readonly options?: EmbeddingOptions | undefined;
}

/** Turns what a request brings into the inputs of a model. */
export interface Preprocessor {
  /**
   * One row of each tensor per instance of the request.
   * @throws InferenceError when the request does not fit the model
   */
  preprocess(input: InferenceInput, budget: Budget): Batch | Promise<Batch>;
  /** One made-up instance. */
  example(): Batch;
  /** Whether instances are of several sizes, so that a made-up one does not stand for all of them. */
  readonly isOpen?: boolean | undefined;
  /** Body of a predict request with one made-up instance; undefined where it would be huge. */
  readonly exampleRequest: JsonObject | undefined;
  /** What a row of a tabular model looks like; undefined for models of other tasks. */
  readonly features?: RowFormat | undefined;
  /** Name of the input that takes encoded images; undefined for models that take none. */
  readonly imageInput?: string | undefined;
  /** How it takes texts; undefined for models that take none. */
  readonly textInput?: TextInput | undefined;
}

/** Turns the outputs of a model into predictions. */
export interface Postprocessor {
  /** Names of the outputs it needs. */
  readonly fetches: readonly string[];
  readonly labels?: readonly Label[] | undefined;
  /** Whether its scores are known to be probabilities, where it gives scores. */
  readonly areProbabilities?: boolean | undefined;
  /** Whether it makes one vector of each instance. */
  readonly givesVectors?: boolean | undefined;
  /** How it makes scores of the values of the graph, where it does. */
  readonly scoreSteps?: readonly ScoreStep[] | undefined;
  /**
   * @param batch what the outputs were computed from
   * @throws InferenceError when the outputs are not what the task needs
   */
  postprocess(outputs: NamedTensors, batch: Batch): InferenceOutput;
  /** What the shape of an output lacks for the task, to follow the words "the model's" or "its"; undefined for nothing. */
  readonly misfit?: ((outputs: NamedTensors, rows: number) => string | undefined) | undefined;
}

/** A task bound to one model. */
export interface TaskRunner {
  readonly preprocessor?: Preprocessor | undefined;
  readonly postprocessor?: Postprocessor | undefined;
  readonly labels: readonly Label[] | undefined;
  /**
   * @param run runs the graph of the model
   * @throws InferenceError when the input does not fit the model
   */
  infer(input: InferenceInput, run: Runner, budget: Budget): Promise<InferenceOutput>;
  /**
   * A run on made-up input, so that the first request does not pay for lazy initialisation.
   *
   * @returns body of a predict request that the model answers; undefined where it would be huge
   * @throws ModelError when the outputs are not what the task needs; what the run throws, when the model refuses the input
   */
  warmUp(session: Session): Promise<JsonObject | undefined>;
}

/** What of a model a task is bound to. */
export interface BoundModel {
  readonly graph: Graph;
  readonly session: Session;
  /** Its files, for tasks that need more of them than the graph. */
  readonly folder: ModelFolder;
}

/** One kind of model: all that is particular to it stands in the file that defines it. */
export interface Task {
  /** As `task` in model.json names it. */
  readonly name: string;
  /** What model.json may say of it. */
  readonly schema: z.ZodObject;
  /** What its requests bring: protocols, the command and the playground take it in their own forms. */
  readonly kindOf: (config: ModelConfig) => InputKind;
  readonly gives: OutputKind;
  /** What an answer of it looks like in JSON, where it gives values of its own. */
  readonly answer?: z.ZodType | undefined;
  /** @throws ModelError when the graph is not one for the task, or a file that it needs is missing or broken */
  readonly bind: (config: ModelConfig, model: BoundModel) => Promise<TaskRunner>;
}

export interface TaskDefinition<Members extends z.ZodRawShape> {
  readonly name: string;
  /** Members of model.json beside those that all tasks have. */
  readonly members: Members;
  readonly kind: InputKind | ((config: z.output<z.ZodObject<Members>>) => InputKind);
  readonly gives: OutputKind;
  readonly answer?: z.ZodType;
  readonly bind: (
    config: z.output<z.ZodObject<Members>>,
    model: BoundModel,
  ) => TaskRunner | Promise<TaskRunner>;
}

/** For editors. It says nothing of the model, so what is read of a file goes without it. */
const editorSchema = z
  .string()
  .optional()
  .describe('Where editors find this schema, for completion and checks. Ternion ignores it.');

/** Makes a task of its definition. */
export function defineTask<Members extends z.ZodRawShape>(definition: TaskDefinition<Members>): Task {
  const { name, members, kind, gives, answer, bind } = definition;
  const own = z.object(members);
  return {
    name,
    schema: z.strictObject({
      $schema: editorSchema,
      task: z.literal(name).describe('Kind of model; the other members depend on it.'),
      ...commonMembers,
      ...members,
    }),
    kindOf: (config) => (typeof kind === 'function' ? kind(own.parse(config)) : kind),
    gives,
    answer,
    bind: async (config, model) => await bind(own.parse(config), model),
  };
}

/** Most instances of a made-up request. A graph can fix a billion. */
export const LARGEST_EXAMPLE_BATCH = 1024;

/** A request with one instance, or with as many as a graph with a fixed batch size takes; undefined for too many. */
export function fillBatch(input: TensorSpec, key: string, instance: JsonValue): JsonObject | undefined {
  const rows = batchSizeOf({ inputs: [input] });
  if (rows > LARGEST_EXAMPLE_BATCH) return undefined;
  return rows > 1 ? { instances: new Array<JsonValue>(rows).fill({ [key]: instance }) } : { [key]: instance };
}
