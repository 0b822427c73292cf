import type { Limits } from '../config.ts';
import { InferenceError, invalid } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { expectInput, type InferenceInput, type Located } from './input.ts';
import { type BatchEncoder, type EncodedBatch, fillBatch } from './task.ts';

export const EXAMPLE_TEXT = 'An example of a text.';

/**
 * Prepares the input of a text model that takes strings as they are: its graph does the rest.
 *
 * @throws ModelError when the input does not take one string per row
 */
export function createStringEncoder(spec: TensorSpec): BatchEncoder {
  const rank = spec.shape.length;
  if (rank !== 1 && !(rank === 2 && (spec.shape[1] === 1 || spec.shape[1] === -1))) {
    throw new ModelError(
      `a text model takes one string per row, its input "${spec.name}" is [${spec.shape}]`,
    );
  }
  const toBatch = (texts: readonly string[]): EncodedBatch => ({
    rows: texts.length,
    feeds: new Map([
      [
        spec.name,
        {
          datatype: 'BYTES' as const,
          shape: rank === 1 ? [texts.length] : [texts.length, 1],
          data: [...texts],
        },
      ],
    ]),
  });
  return {
    encode: (given, limits) => {
      const texts = readTexts(given, limits);
      for (const { value, field } of texts) {
        if (value.includes('\0')) {
          throw invalid(`Field "${field}" has a NUL character, which strings cannot hold.`);
        }
      }
      return toBatch(texts.map(({ value }) => value));
    },
    example: () => toBatch([EXAMPLE_TEXT]),
    exampleRequest: fillBatch(spec, 'text', EXAMPLE_TEXT),
  };
}

/**
 * The texts of a request.
 *
 * @throws InferenceError for other input, too much text, and text that is no Unicode
 */
export function readTexts(input: InferenceInput, limits: Limits): readonly Located<string>[] {
  const { texts } = expectInput(input, 'text');
  let characters = 0;
  for (const { value, field } of texts) {
    characters += value.length;
    if (characters > limits.textCharacters) {
      throw new InferenceError(
        'PAYLOAD_TOO_LARGE',
        `Field "${field}" brings the request to more than ${limits.textCharacters} characters of text, the limit (MAX_TEXT_CHARACTERS).`,
      );
    }
    if (!value.isWellFormed()) throw invalid(`Field "${field}" has half of a surrogate pair.`);
  }
  return texts;
}
