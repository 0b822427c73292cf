import type { Limits } from '../config.ts';
import type { JsonObject, JsonValue } from '../json/parse-json.ts';
import type { Task } from '../models/model-config.ts';
import type { Label } from '../processing/classification.ts';
import type { NamedTensors, Session, TensorSpec } from '../runtime/session.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { InferenceInput, InferenceOutput, InputKind } from './input.ts';

/** Turns what a request brings into the one input tensor of a model. */
export interface Encoder {
  readonly input: TensorSpec;
  /**
   * One row of the tensor per instance of the request.
   * @throws InferenceError when the request does not fit the model
   */
  encode(input: InferenceInput, limits: Limits): Tensor | Promise<Tensor>;
  /** A tensor of one made-up instance. */
  example(): Tensor;
  /** Body of a predict request with one made-up instance. */
  readonly exampleRequest: JsonObject;
}

/** Turns the outputs of a model into predictions. */
export interface Decoder {
  /** Names of the outputs it needs. */
  readonly fetches: readonly string[];
  readonly labels: readonly Label[] | undefined;
  decode(outputs: NamedTensors): InferenceOutput;
}

/** A task bound to one model. */
export interface TaskRunner {
  /** What makes the input of raw ones, where the model takes a single tensor. */
  readonly encoder?: Encoder;
  /** What makes predictions of the outputs, where the task has some. */
  readonly decoder?: Decoder;
  readonly labels: readonly Label[] | undefined;
  /** Body of a predict request with one made-up instance; undefined where it would be huge. */
  readonly example: JsonObject | undefined;
  /**
   * @param session the model's session, or a wrapper of it
   * @throws InferenceError when the input does not fit the model
   */
  infer(input: InferenceInput, session: Session, limits: Limits): Promise<InferenceOutput>;
  /** One run on made-up input, so that the first request does not pay for lazy initialisation. */
  warmUp(session: Session): Promise<void>;
}

/** The kind of input each task takes. */
export const INPUT_KINDS: Record<Task, InputKind> = {
  'tabular-classification': 'features',
  'tabular-regression': 'features',
  'image-classification': 'image',
  tensor: 'tensors',
};

/** A request with one instance, or with as many as a graph with a fixed batch size takes. */
export function fillBatch({ shape: [rows = -1] }: TensorSpec, key: string, instance: JsonValue): JsonObject {
  return rows > 1 ? { instances: new Array<JsonValue>(rows).fill({ [key]: instance }) } : { [key]: instance };
}
