import type { Budget } from '../budget.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import type { ModelConfig } from '../models/model-config.ts';
import type { Label } from '../processing/classification.ts';
import type { RowFormat } from '../processing/tabular.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { InferenceInput, InferenceOutput, InputKind } from './input.ts';
import type { Runner } from './run-batch.ts';

/** Turns what a request brings into the one input tensor of a model. */
export interface Encoder {
  readonly input: TensorSpec;
  /**
   * One row of the tensor per instance of the request.
   * @throws InferenceError when the request does not fit the model
   */
  encode(input: InferenceInput, budget: Budget): Tensor | Promise<Tensor>;
  /** A tensor of one made-up instance. */
  example(): Tensor;
  /** Body of a predict request with one made-up instance; undefined where it would be huge. */
  readonly exampleRequest: JsonObject | undefined;
}

/** The instances of a request as the inputs of a graph. */
export interface EncodedBatch {
  /** How many instances there are: the first axis of every tensor. */
  readonly rows: number;
  readonly feeds: NamedTensors;
  /** For texts: 1 where a row has a token and 0 where it is padded, of shape [rows, tokens]. */
  readonly mask?: Tensor;
}

/** Turns what a request brings into all input tensors of a model. */
export interface BatchEncoder {
  /** @throws InferenceError when the request does not fit the model */
  encode(input: InferenceInput, budget: Budget): EncodedBatch | Promise<EncodedBatch>;
  /** One made-up instance. */
  example(): EncodedBatch;
  /** Body of a predict request with one made-up instance; undefined where it would be huge. */
  readonly exampleRequest: JsonObject | undefined;
  /** What a row of a tabular model looks like; undefined for models of other tasks. */
  readonly features?: RowFormat | undefined;
}

/** Turns the outputs of a model into predictions. */
export interface Decoder {
  /** Names of the outputs it needs. */
  readonly fetches: readonly string[];
  readonly labels: readonly Label[] | undefined;
  /** @param batch what the outputs were computed from */
  decode(outputs: NamedTensors, batch: EncodedBatch): InferenceOutput;
}

/** A task bound to one model. */
export interface TaskRunner {
  /** What makes the input of encoded images, where the model takes them. */
  readonly encoder?: Encoder;
  /** What makes predictions of the outputs, where the task has some. */
  readonly decoder?: Decoder;
  readonly labels: readonly Label[] | undefined;
  /** What a row of a tabular model looks like; undefined for models of other tasks. */
  readonly features?: RowFormat | undefined;
  /** Body of a predict request with one made-up instance; undefined where it would be huge. */
  readonly example: JsonObject | undefined;
  /**
   * @param run runs the graph of the model
   * @throws InferenceError when the input does not fit the model
   */
  infer(input: InferenceInput, run: Runner, budget: Budget): Promise<InferenceOutput>;
  /** One run on made-up input, so that the first request does not pay for lazy initialisation. */
  warmUp(session: Session): Promise<void>;
}

/** The kind of input a model takes, by its config. */
export function inputKindOf(config: ModelConfig): InputKind {
  switch (config.task) {
    case 'tabular-classification':
    case 'tabular-regression':
      return 'features';
    case 'image-classification':
      return 'image';
    case 'text-classification':
      return 'text';
    case 'feature-extraction':
      return config.preprocess ? 'image' : 'text';
    case 'tensor':
      return 'tensors';
  }
}

/** An encoder of one input as one of all inputs. */
export function toBatchEncoder(encoder: Encoder): BatchEncoder {
  const toBatch = (tensor: Tensor): EncodedBatch => ({
    rows: tensor.shape[0] ?? 0,
    feeds: new Map([[encoder.input.name, tensor]]),
  });
  return {
    encode: async (input, budget) => toBatch(await encoder.encode(input, budget)),
    example: () => toBatch(encoder.example()),
    exampleRequest: encoder.exampleRequest,
  };
}

/** Most instances of a made-up request. A graph can fix a billion. */
export const LARGEST_EXAMPLE_BATCH = 1024;

/** A request with one instance, or with as many as a graph with a fixed batch size takes; undefined for too many. */
export function fillBatch(
  { shape: [rows = -1] }: TensorSpec,
  key: string,
  instance: JsonValue,
): JsonObject | undefined {
  if (rows > LARGEST_EXAMPLE_BATCH) return undefined;
  return rows > 1 ? { instances: new Array<JsonValue>(rows).fill({ [key]: instance }) } : { [key]: instance };
}
