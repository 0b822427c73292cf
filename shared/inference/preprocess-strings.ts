import type { Budget } from '../budget.ts';
import { invalid } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { textFault } from '../tensor/text-fault.ts';
import { expectInput, type FieldValue, type InferenceInput } from '../values/input.ts';
import { type Batch, fillBatch, type Preprocessor } from './task.ts';

export const EXAMPLE_TEXT = 'An example of a text.';

/**
 * Prepares the input of a text model that takes strings as they are: its graph does the rest.
 *
 * @throws ModelError when the input does not take one string per row
 */
export function createStringPreprocessor(spec: TensorSpec): Preprocessor {
  const rank = spec.shape.length;
  if (rank !== 1 && !(rank === 2 && (spec.shape[1] === 1 || spec.shape[1] === -1))) {
    throw new ModelError(
      `a text model takes one string per row, its input "${spec.name}" is [${spec.shape}]`,
    );
  }
  const toBatch = (texts: readonly string[]): Batch => ({
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
    preprocess: (given, budget) => {
      const texts = readTexts(given, budget);
      for (const { value, field } of texts) {
        const fault = textFault(value);
        if (fault) throw invalid(`Field "${field}"`, `has ${fault}, which strings cannot hold.`);
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
 * @throws InferenceError for other input, too much text, and text that is not Unicode
 */
export function readTexts(input: InferenceInput, budget: Budget): readonly FieldValue<string>[] {
  const { texts } = expectInput(input, 'text');
  for (const { value, field } of texts) {
    budget.spend('textCharacters', value.length, `Field "${field}"`);
    if (!value.isWellFormed()) throw invalid(`Field "${field}"`, 'has half of a surrogate pair.');
  }
  return texts;
}
