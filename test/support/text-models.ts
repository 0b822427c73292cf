import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  floatsAttribute,
  INT64,
  integerAttribute,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
} from './build-model.ts';
import { PROJECT } from './project.ts';

const tokenizerFile = (name: string) =>
  readFileSync(join(PROJECT, 'test/fixtures/tokenizers/wordpiece', name), 'utf8');

/** The tokenizer of the models below, in the manner of BERT. */
export const TOKENIZER = {
  'tokenizer.json': tokenizerFile('tokenizer.json'),
  'tokenizer_config.json': tokenizerFile('tokenizer_config.json'),
};

const vocabulary: Record<string, number> = JSON.parse(TOKENIZER['tokenizer.json']).model.vocab;

/** The id of a word that is one token. */
export function idOf(word: string): number {
  const id = vocabulary[word];
  if (id !== undefined) return id;
  throw new Error(`${word} is not one token`);
}

const toFloat = { attributes: [integerAttribute('to', FLOAT)] };
const sumRows = { attributes: [integersAttribute('axes', [1n]), integerAttribute('keepdims', 1)] };

/**
 * A classifier with the inputs of BERT. The first score is the sum of all ids that are not padding, the second one that of
 * the ids of the second segment.
 */
export const pairClassifier = buildModel({
  nodes: [
    buildNode('Cast', ['input_ids'], ['ids'], toFloat),
    buildNode('Cast', ['attention_mask'], ['mask'], toFloat),
    buildNode('Cast', ['token_type_ids'], ['types'], toFloat),
    buildNode('Mul', ['ids', 'mask'], ['all']),
    buildNode('Mul', ['all', 'types'], ['second']),
    buildNode('ReduceSum', ['all'], ['sum'], sumRows),
    buildNode('ReduceSum', ['second'], ['sum_of_second'], sumRows),
    buildNode('Concat', ['sum', 'sum_of_second'], ['logits'], { attributes: [integerAttribute('axis', 1)] }),
  ],
  inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) =>
    tensorValue(name, INT64, ['batch_size', 'sequence_length']),
  ),
  outputs: [tensorValue('logits', FLOAT, ['batch_size', 2])],
  opsets: { '': 11 },
});

const WORDS = 400;

/** A vector per token: its id, and 1. */
export const extractor = buildModel({
  nodes: [buildNode('Gather', ['vectors', 'input_ids'], ['last_hidden_state'])],
  inputs: [tensorValue('input_ids', INT64, ['batch_size', 'sequence_length'])],
  outputs: [tensorValue('last_hidden_state', FLOAT, ['batch_size', 'sequence_length', 2])],
  initializers: [
    floatInitializer('vectors', [WORDS, 2], Array.from({ length: WORDS }, (_, id) => [id, 1]).flat()),
  ],
});

/** The vector of a text is 1 for "the dog" and 2 for "dog": its graph takes texts as they are. */
export const wordVectors = buildModel({
  nodes: [
    buildNode('LabelEncoder', ['words'], ['vector'], {
      domain: 'ai.onnx.ml',
      attributes: [
        stringsAttribute('keys_strings', ['the dog', 'dog']),
        floatsAttribute('values_floats', [1, 2]),
      ],
    }),
  ],
  inputs: [tensorValue('words', STRING, ['n', 1])],
  outputs: [tensorValue('vector', FLOAT, ['n', 1])],
  opsets: { '': 13, 'ai.onnx.ml': 2 },
});
