import { invalid } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';

/** A part of a request with its place in it, for error messages: `instances[2]`, `file`. */
export interface FieldValue<T> {
  readonly value: T;
  readonly field: string;
}

/** One text, or two that a model reads together. */
export type TextValue = string | TextPair;

export interface TextPair {
  readonly text: string;
  readonly pair: string;
}

/** The input of a request, before any model has checked it. */
export type InferenceInput =
  | { readonly kind: 'features'; readonly rows: readonly FieldValue<JsonValue>[] }
  | { readonly kind: 'image'; readonly images: readonly FieldValue<Uint8Array>[] }
  | {
      readonly kind: 'text';
      readonly texts: readonly FieldValue<TextValue>[];
      readonly options?: EmbeddingOptions | undefined;
    }
  | { readonly kind: 'tensors'; readonly tensors: FieldValue<JsonValue> };

/** What a request asks for text vectors, instead of what the model's own files say. */
export interface EmbeddingOptions {
  /** Name of the prompt that is put before every text. */
  readonly prompt?: FieldValue<string> | undefined;
  /** Whether a text that is too long is cut (true) or refused (false). */
  readonly truncate?: FieldValue<boolean> | undefined;
  /** The side that is cut. */
  readonly cutSide?: FieldValue<'left' | 'right'> | undefined;
  /** How many numbers of each vector are wanted, counted from its first. */
  readonly dimensions?: FieldValue<number> | undefined;
  /** Whether each vector is divided by its length. */
  readonly normalize?: FieldValue<boolean> | undefined;
}

export type InputKind = InferenceInput['kind'];

/** The name of each kind of input, for errors about a wrong kind. */
const INPUT_NAMES: Record<InputKind, string> = {
  features: 'features, as {"features": [...]}',
  image: 'an image, as a file or as {"image": "<base64>"}',
  text: 'text, as {"text": "..."}',
  tensors: 'tensors, as {"inputs": {...}}',
};

/**
 * The input as the one kind a model takes.
 *
 * @throws InferenceError when it is of another kind
 */
export function expectInput<K extends InputKind>(
  input: InferenceInput,
  kind: K,
): Extract<InferenceInput, { kind: K }> {
  if (isInput(input, kind)) return input;
  throw invalid('The request', `brings ${INPUT_NAMES[input.kind]}; this model takes ${INPUT_NAMES[kind]}.`);
}

function isInput<K extends InputKind>(
  input: InferenceInput,
  kind: K,
): input is Extract<InferenceInput, { kind: K }> {
  return input.kind === kind;
}
