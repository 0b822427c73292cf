import type { Budget } from '../budget.ts';
import { invalid } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { textFault } from '../tensor/text-fault.ts';
import {
  type EmbeddingOptions,
  expectInput,
  type FieldValue,
  type InferenceInput,
  type TextValue,
} from '../values/input.ts';
import { noPairs } from '../values/text-value.ts';
import type { ChoosePrompt } from './prompts.ts';
import { type Batch, fillBatch, type Preprocessor } from './task.ts';

export const EXAMPLE_TEXT = 'An example of a text.';

/**
 * Prepares the input of a text model that takes strings directly: its graph does the rest.
 *
 * @throws ModelError when the input does not take one string per row
 */
export function createStringPreprocessor(spec: TensorSpec, choosePrompt: ChoosePrompt): Preprocessor {
  const rank = spec.shape.length;
  if (rank !== 1 && !(rank === 2 && (spec.shape[1] === 1 || spec.shape[1] === -1))) {
    throw new ModelError(
      `a text model takes one string per row, but its input "${spec.name}" is [${spec.shape}]`,
    );
  }
  const toBatch = (texts: readonly string[], options?: EmbeddingOptions): Batch => ({
    rows: texts.length,
    options,
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
    textInput: { name: spec.name, isPrepared: choosePrompt(undefined) !== '', takesPairs: false },
    preprocess: (given, budget) => {
      const { texts: all, options } = readTexts(given, budget, choosePrompt);
      const texts = singleTexts(all);
      const cut = options?.truncate ?? options?.cutSide;
      if (cut) {
        throw invalid(
          `Field "${cut.field}"`,
          'cannot be used: the graph of this model truncates texts itself.',
        );
      }
      for (const { value, field } of texts) {
        const fault = textFault(value);
        if (fault) throw invalid(`Field "${field}"`, `has ${fault}, which strings cannot hold.`);
      }
      return toBatch(
        texts.map(({ value }) => value),
        options,
      );
    },
    example: () => toBatch([EXAMPLE_TEXT]),
    exampleRequest: fillBatch(spec, 'text', EXAMPLE_TEXT),
  };
}

/** The texts of a request, each after the prompt. */
interface PromptedTexts {
  readonly prompt: string;
  readonly texts: readonly FieldValue<TextValue>[];
  readonly options: EmbeddingOptions | undefined;
}

/**
 * The texts of a request.
 *
 * @throws InferenceError for other input, too much text, text that is not Unicode, and prompts that the model lacks
 */
export function readTexts(input: InferenceInput, budget: Budget, choosePrompt: ChoosePrompt): PromptedTexts {
  const { texts: given, options } = expectInput(input, 'text');
  const prompt = choosePrompt(options?.prompt);
  const texts = given.map(({ value, field }) => ({
    value: typeof value === 'string' ? prompt + value : { ...value, text: prompt + value.text },
    field,
  }));
  for (const { value, field } of texts) {
    for (const text of typeof value === 'string' ? [value] : [value.text, value.pair]) {
      budget.spend('textCharacters', text.length, `Field "${field}"`);
      if (!text.isWellFormed()) throw invalid(`Field "${field}"`, 'has half of a surrogate pair.');
    }
  }
  return { prompt, texts, options };
}

/** @throws InferenceError for a pair of texts, which the model does not take */
export function singleTexts(texts: readonly FieldValue<TextValue>[]): readonly FieldValue<string>[] {
  return texts.map(({ value, field }) => {
    if (typeof value === 'string') return { value, field };
    throw noPairs(field);
  });
}
