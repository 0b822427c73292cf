import * as z from 'zod/mini';
import type { Budget } from '../budget.ts';
import { SELDOM } from '../json/json-file.ts';
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
import type { CountedColumns } from './expected-values.ts';
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
  /** For texts: tokens of all rows, without padding; undefined if the graph makes them. */
  readonly tokens?: number | undefined;
  /** For texts: the options of the request for their vectors. */
  readonly options?: EmbeddingOptions | undefined;
}

/** Turns the content of a request into the inputs of a model. */
export interface Preprocessor {
  /**
   * One row of each tensor per instance of the request.
   * @throws InferenceError when the request does not fit the model
   */
  preprocess(input: InferenceInput, budget: Budget): Batch | Promise<Batch>;
  /** One made-up instance. */
  example(): Batch | Promise<Batch>;
  /** Whether instances can have several sizes, so that a made-up one does not represent all of them. */
  readonly isOpen?: boolean | undefined;
  /** Body of a predict request with one made-up instance; undefined if it would be huge. */
  readonly exampleRequest: JsonObject | undefined;
  /** The columns of a tabular model; undefined for models of other tasks. */
  readonly features?: RowFormat | undefined;
  /** The same columns, as their values are counted; undefined if they have no names. */
  readonly counted?: CountedColumns | undefined;
  /** Fewest characters of the texts in each column of an input, by its name. */
  readonly minLengths?: ReadonlyMap<string, readonly number[]> | undefined;
  /** Name of the input that takes encoded images; undefined if there is none. */
  readonly imageInput?: string | undefined;
  /** How it takes texts; undefined if it takes none. */
  readonly textInput?: TextInput | undefined;
}

/** Turns the outputs of a model into predictions. */
export interface Postprocessor {
  /** Names of the outputs it needs. */
  readonly fetches: readonly string[];
  readonly labels?: readonly Label[] | undefined;
  /** Whether its scores are known to be probabilities, if it has scores. */
  readonly areProbabilities?: boolean | undefined;
  /** Whether it makes one vector of each instance. */
  readonly givesVectors?: boolean | undefined;
  /** How it turns the values of the graph into scores, if it does. */
  readonly scoreSteps?: readonly ScoreStep[] | undefined;
  /**
   * @param batch what the outputs were computed from
   * @throws InferenceError when the outputs are not what the task needs
   */
  postprocess(outputs: NamedTensors, batch: Batch): InferenceOutput;
  /**
   * What the shape of an output lacks for the task, to follow the words "the model's" or "its"; undefined if nothing.
   */
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
   * @returns body of a predict request that the model answers; undefined if it would be huge
   * @throws ModelError when the outputs are not what the task needs; the error of the run, when the model refuses the
   * input
   */
  warmUp(session: Session): Promise<JsonObject | undefined>;
}

/** The parts of a model that a task is bound to. */
export interface BoundModel {
  readonly graph: Graph;
  readonly session: Session;
  /** Its files, for tasks that need more of them than the graph. */
  readonly folder: ModelFolder;
}

/** One kind of model: everything particular to it is in the file that defines it. */
export interface Task {
  /** Its name as `task` in model.json. */
  readonly name: string;
  /** Its members of model.json. */
  readonly schema: z.ZodMiniObject;
  /** The kind of input of its requests; protocols, the command and the playground each have their own forms for it. */
  readonly kindOf: (config: ModelConfig) => InputKind;
  readonly gives: OutputKind;
  /** The JSON schema of its answers, if it has its own kind of values. */
  readonly answer?: z.ZodMiniType | undefined;
  /** @throws ModelError when the graph does not suit the task, or a file that it needs is missing or broken */
  readonly bind: (config: ModelConfig, model: BoundModel) => Promise<TaskRunner>;
}

export interface TaskDefinition<Members extends z.core.$ZodShape> {
  readonly name: string;
  /** Members of model.json in addition to those of all tasks. */
  readonly members: Members;
  readonly kind: InputKind | ((config: z.output<z.ZodMiniObject<Members>>) => InputKind);
  readonly gives: OutputKind;
  readonly answer?: z.ZodMiniType;
  readonly bind: (
    config: z.output<z.ZodMiniObject<Members>>,
    model: BoundModel,
  ) => TaskRunner | Promise<TaskRunner>;
}

/** For editors. It says nothing about the model, so it is dropped when a file is read. */
const editorSchema = z.optional(z.string()).register(z.globalRegistry, {
  description: 'Where editors find this schema, for completion and checks. Ternion ignores it.',
});

/** Makes a task from its definition. */
export function defineTask<Members extends z.core.$ZodShape>(definition: TaskDefinition<Members>): Task {
  const { name, members, kind, gives, answer, bind } = definition;
  const own = z.object(members);
  return {
    name,
    schema: z.strictObject({
      $schema: editorSchema,
      task: z
        .literal(name)
        .register(z.globalRegistry, { description: 'Kind of model; the other members depend on it.' }),
      ...commonMembers,
      ...members,
    }),
    kindOf: (config) => (typeof kind === 'function' ? kind(own.parse(config, SELDOM)) : kind),
    gives,
    answer,
    bind: async (config, model) => await bind(own.parse(config, SELDOM), model),
  };
}

/** Most instances of a made-up request. A graph can fix a billion. */
export const LARGEST_EXAMPLE_BATCH = 1024;

/** A request with one instance, or with the fixed batch size of the graph; undefined if that is too many. */
export function fillBatch(input: TensorSpec, key: string, instance: JsonValue): JsonObject | undefined {
  const rows = batchSizeOf({ inputs: [input] });
  if (rows > LARGEST_EXAMPLE_BATCH) return undefined;
  return rows > 1 ? { instances: new Array<JsonValue>(rows).fill({ [key]: instance }) } : { [key]: instance };
}
