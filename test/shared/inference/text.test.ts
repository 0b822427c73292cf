import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Axis,
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  floatsAttribute,
  INT32,
  INT64,
  identityModel,
  integerAttribute,
  integerInitializer,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { imagesInput, inferOutput, lookAt, serve, textsInput } from '../../support/make-inference.ts';
import { PROJECT } from '../../support/project.ts';

const tokenizerFile = (name: string) =>
  readFileSync(join(PROJECT, 'test/fixtures/tokenizers/wordpiece', name), 'utf8');
const TOKENIZER = {
  'tokenizer.json': tokenizerFile('tokenizer.json'),
  'tokenizer_config.json': tokenizerFile('tokenizer_config.json'),
};
const WORDS = 400;
/** The vector of a token is its id and the square of its id. */
const vectors = floatInitializer(
  'vectors',
  [WORDS, 2],
  Array.from({ length: WORDS }, (_, id) => [id, id * id]).flat(),
);

/** A vector per token; the mask is an input without effect. */
function tokenModel(batch: Axis, length: Axis, elementType = INT64): Uint8Array {
  return buildModel({
    nodes: [
      buildNode('Gather', ['vectors', 'input_ids'], ['last_hidden_state']),
      buildNode('Identity', ['attention_mask'], ['unused']),
    ],
    inputs: [
      tensorValue('input_ids', elementType, [batch, length]),
      tensorValue('attention_mask', elementType, [batch, length]),
    ],
    outputs: [tensorValue('last_hidden_state', FLOAT, [batch, length, 2])],
    initializers: [vectors],
  });
}

/** The largest id of a text and its square are its two scores. */
const scoreModel = buildModel({
  nodes: [
    buildNode('Gather', ['vectors', 'input_ids'], ['tokens']),
    buildNode('ReduceMax', ['tokens'], ['scores'], {
      attributes: [integersAttribute('axes', [1n]), integerAttribute('keepdims', 0)],
    }),
  ],
  inputs: [tensorValue('input_ids', INT64, ['n', 't'])],
  outputs: [tensorValue('scores', FLOAT, ['n', 2])],
  initializers: [vectors],
  opsets: { '': 11 },
});

/** Two scores of a word: 1 and 0 for "good", 0 and 1 for "bad". */
function wordModel(shape: readonly Axis[]): Uint8Array {
  const score = (output: string, values: readonly number[]) =>
    buildNode('LabelEncoder', ['words'], [output], {
      domain: 'ai.onnx.ml',
      attributes: [
        stringsAttribute('keys_strings', ['good', 'bad']),
        floatsAttribute('values_floats', values),
      ],
    });
  return buildModel({
    nodes: [
      buildNode('Reshape', ['text', 'column'], ['words']),
      score('good', [1, 0]),
      score('bad', [0, 1]),
      buildNode('Concat', ['good', 'bad'], ['scores'], { attributes: [integerAttribute('axis', 1)] }),
    ],
    inputs: [tensorValue('text', STRING, shape)],
    outputs: [tensorValue('scores', FLOAT, ['n', 2])],
    initializers: [integerInitializer('column', [2], [-1n, 1n])],
    opsets: { '': 13, 'ai.onnx.ml': 2 },
  });
}

const extraction = (options: object = {}) => JSON.stringify({ task: 'feature-extraction', ...options });
// By the vocabulary of the fixture: [PAD] 0, [CLS] 2, [SEP] 3.
const vocabulary: Record<string, number> = JSON.parse(TOKENIZER['tokenizer.json']).model.vocab;
const THE = vocabulary.the ?? -1;
const DOG = vocabulary.dog ?? -1;

describe('feature extraction from texts', () => {
  it('pools over the tokens of each text, not over its padding', async () => {
    const inference = await serve({
      'model.onnx': tokenModel('n', 't'),
      'model.json': extraction({ pooling: 'mean' }),
      ...TOKENIZER,
    });
    const output = await inferOutput(inference, textsInput(['The dog', 'dog']));
    const long = [2, THE, DOG, 3];
    const short = [2, DOG, 3];
    const mean = (ids: readonly number[]) => [
      ids.reduce((sum, id) => sum + id, 0) / ids.length,
      ids.reduce((sum, id) => sum + id * id, 0) / ids.length,
    ];
    expect(output).toEqual({
      kind: 'embedding',
      predictions: [long, short].map((ids) => ({
        datatype: 'FP32',
        shape: [2],
        data: Float32Array.from(mean(ids)),
      })),
      usage: { tokens: long.length + short.length, dimensions: 2 },
    });
  });

  it('gives a vector per token where it does not pool', async () => {
    const inference = await serve({
      'model.onnx': tokenModel('n', 't', INT32),
      'model.json': extraction(),
      ...TOKENIZER,
    });
    const output = await inferOutput(inference, textsInput(['dog', 'The dog']));
    expect(output).toMatchObject({
      predictions: [{ shape: [3, 2], data: Float32Array.of(2, 4, DOG, DOG * DOG, 3, 9) }, { shape: [4, 2] }],
    });
  });

  it('brings vectors to length 1 where its model.json says so', async () => {
    const inference = await serve({
      'model.onnx': tokenModel('n', 't'),
      'model.json': extraction({ pooling: 'cls', normalize: true }),
      ...TOKENIZER,
    });
    const length = Math.hypot(2, 4);
    expect(await inferOutput(inference, textsInput(['dog']))).toMatchObject({
      predictions: [{ data: Float32Array.of(2 / length, 4 / length) }],
    });
  });

  it('cuts long texts to the tokens its model.json says, or its tokenizer_config.json', async () => {
    const lengthOf = async (files: Readonly<Record<string, string>>) => {
      const inference = await serve({ 'model.onnx': tokenModel('n', 't'), ...TOKENIZER, ...files });
      const output = await inferOutput(inference, textsInput(['dog '.repeat(1000)]));
      return output.kind === 'embedding' ? output.predictions[0]?.shape[0] : undefined;
    };
    expect(await lengthOf({ 'model.json': extraction({ maxTokens: 7 }) })).toBe(7);
    expect(await lengthOf({ 'model.json': extraction() })).toBe(64);
    expect(
      await lengthOf({ 'model.json': extraction(), 'tokenizer_config.json': '{"pad_token":"[PAD]"}' }),
    ).toBe(512);
  });

  it('names a text that has too many tokens', async () => {
    const { normalizer, ...rest } = JSON.parse(TOKENIZER['tokenizer.json']);
    const doubling = { type: 'Replace', pattern: { String: 'q' }, content: 'qq' };
    const normalizers = [normalizer, ...new Array<object>(40).fill(doubling)];
    const inference = await serve({
      'model.onnx': tokenModel('n', 't'),
      'model.json': extraction({ pooling: 'mean' }),
      ...TOKENIZER,
      'tokenizer.json': JSON.stringify({ ...rest, normalizer: { type: 'Sequence', normalizers } }),
    });
    const { status, message } = await rejectionOf(inferOutput(inference, textsInput(['dog', 'a quick dog'])));
    expect([status, message]).toEqual([
      413,
      'Field "instances[1].text" has 11 characters; the tokenizer of this model expands them to more than 10352, which is the limit.',
    ]);
    expect(await inferOutput(inference, textsInput(['dog']))).toMatchObject({ kind: 'embedding' });
  });

  it('is refused for a graph whose rows are longer than any text', async () => {
    const inference = await serve({
      'model.onnx': tokenModel('n', 2 ** 20 + 1),
      'model.json': extraction({ pooling: 'mean' }),
      ...TOKENIZER,
    });
    const { message } = await rejectionOf(inferOutput(inference, textsInput(['dog'])));
    expect(message).toContain('it takes rows of 1048577 tokens; the limit is 1048576');
  });

  it('fills a graph of a fixed size, in length and in rows', async () => {
    const inference = await serve({
      'model.onnx': tokenModel(2, 6),
      'model.json': extraction({ pooling: 'max' }),
      ...TOKENIZER,
    });
    const texts = ['dog', 'dog '.repeat(50), 'The dog', ''];
    expect(await inferOutput(inference, textsInput(texts))).toMatchObject({
      predictions: [DOG, DOG, Math.max(THE, DOG), 3].map((id) => ({ data: Float32Array.of(id, id * id) })),
    });
    const example = await lookAt(inference, { name: 'm', version: '1' }, (model) => model.example);
    expect(example).toEqual({
      instances: [{ text: 'An example of a text.' }, { text: 'An example of a text.' }],
    });
  });
});

describe('a graph that takes the places of tokens', () => {
  const places = buildModel({
    nodes: [
      buildNode('Cast', ['position_ids'], ['numbers'], { attributes: [integerAttribute('to', FLOAT)] }),
      buildNode('Unsqueeze', ['numbers', 'last'], ['last_hidden_state']),
      buildNode('Identity', ['input_ids'], ['unused']),
    ],
    inputs: [tensorValue('input_ids', INT64, ['n', 't']), tensorValue('position_ids', INT64, ['n', 't'])],
    outputs: [tensorValue('last_hidden_state', FLOAT, ['n', 't', 1])],
    initializers: [integerInitializer('last', [1], [2n])],
    opsets: { '': 13 },
  });
  const placesOf = async (files: Readonly<Record<string, string>>) => {
    const inference = await serve({
      'model.onnx': places,
      'model.json': extraction(),
      ...TOKENIZER,
      ...files,
    });
    const output = await inferOutput(inference, textsInput(['the dog', 'dog']));
    return output.kind === 'embedding' && output.predictions.map(({ data }) => [...data]);
  };

  it('counts them from 0, whichever side is padded', async () => {
    const left = { 'tokenizer_config.json': '{"pad_token": "[PAD]", "padding_side": "left"}' };
    expect(await placesOf({})).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2],
    ]);
    expect(await placesOf(left)).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2],
    ]);
  });

  it('counts them from after the padding where it is a RoBERTa', async () => {
    const config = (rest: object) => ({ 'config.json': JSON.stringify({ model_type: 'roberta', ...rest }) });
    expect(await placesOf(config({}))).toEqual([
      [2, 3, 4, 5],
      [2, 3, 4],
    ]);
    expect(await placesOf(config({ pad_token_id: 0 }))).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3],
    ]);
  });
});

describe('feature extraction from images', () => {
  it('pools over the places of the image', async () => {
    const inference = await serve({
      'model.onnx': buildModel({
        nodes: [buildNode('Identity', ['pixels'], ['map'])],
        inputs: [tensorValue('pixels', FLOAT, ['n', 3, 'h', 'w'])],
        outputs: [tensorValue('map', FLOAT, ['n', 3, 'h', 'w'])],
      }),
      'model.json': extraction({
        pooling: 'mean',
        preprocess: [
          { step: 'convert', mode: 'RGB' },
          { step: 'layout', layout: 'NCHW' },
        ],
      }),
    });
    const { default: sharp } = await import('sharp');
    const image = await sharp({ create: { width: 4, height: 2, channels: 3, background: '#0a141e' } })
      .png()
      .toBuffer();
    expect(await inferOutput(inference, imagesInput([image]))).toEqual({
      kind: 'embedding',
      predictions: [{ datatype: 'FP32', shape: [3], data: Float32Array.of(10, 20, 30) }],
      usage: { tokens: undefined, dimensions: 3 },
    });
    expect((await rejectionOf(inferOutput(inference, textsInput(['a'])))).message).toBe(
      'The request brings text, as {"text": "..."}; this model takes an image, as a file or as {"image": "<base64>"}.',
    );
  });
});

describe('a map of an image', () => {
  it('has no first place that represents all', async () => {
    const inference = await serve({
      'model.onnx': identityModel(FLOAT, ['n', 3, 'h', 'w']),
      'model.json': extraction({
        pooling: 'cls',
        preprocess: [
          { step: 'convert', mode: 'RGB' },
          { step: 'layout', layout: 'NCHW' },
        ],
      }),
    });
    const { message } = await rejectionOf(inferOutput(inference, imagesInput([])));
    expect(message).toMatch(
      'its output "y" has a vector for each position of an image, in no order: its "pooling" cannot be "cls"',
    );
  });
});

describe('text classification', () => {
  it('gives labels and probabilities by softmax or sigmoid', async () => {
    const scores = [DOG, DOG * DOG];
    for (const [step, expected] of [
      ['softmax', [0, 1]],
      ['sigmoid', scores.map((score) => 1 / (1 + Math.exp(-score)))],
    ] as const) {
      const inference = await serve({
        'model.onnx': scoreModel,
        'model.json': JSON.stringify({
          task: 'text-classification',
          labels: ['plain', 'squared'],
          postprocess: [{ step }],
        }),
        ...TOKENIZER,
      });
      expect(await inferOutput(inference, textsInput(['dog']))).toEqual({
        kind: 'classification',
        labels: ['plain', 'squared'],
        areProbabilities: true,
        predictions: [
          {
            classId: step === 'softmax' ? 1 : 0,
            label: step === 'softmax' ? 'squared' : 'plain',
            scores: Float64Array.from(expected),
          },
        ],
      });
    }
  });

  it.each([[['n']], [['n', 1]]])(
    'passes strings to a graph that takes them in the shape %j',
    async (shape) => {
      const inference = await serve({
        'model.onnx': wordModel(shape),
        'model.json': JSON.stringify({ task: 'text-classification', labels: ['+', '-'] }),
      });
      const output = await inferOutput(inference, textsInput(['bad', 'good']));
      expect(output).toMatchObject({ predictions: [{ label: '-' }, { label: '+' }] });
      const error = await rejectionOf(inferOutput(inference, textsInput(['a', 'a\0b'])));
      expect([error.code, error.field]).toEqual(['INVALID_PARAMETER_VALUE', 'Field "instances[1].text"']);
      expect(error.problem).toMatch('NUL character');
    },
  );

  it('gives the one score of a single class', async () => {
    const inference = await serve({
      'model.onnx': buildModel({
        nodes: [
          buildNode('Gather', ['vectors', 'input_ids'], ['tokens']),
          buildNode('ReduceMax', ['tokens'], ['scores'], {
            attributes: [integersAttribute('axes', [1n, 2n]), integerAttribute('keepdims', 1)],
          }),
          buildNode('Reshape', ['scores', 'column'], ['logits']),
        ],
        inputs: [tensorValue('input_ids', INT64, ['n', 't'])],
        outputs: [tensorValue('logits', FLOAT, ['n', 1])],
        initializers: [vectors, integerInitializer('column', [2], [-1n, 1n])],
        opsets: { '': 11 },
      }),
      'model.json': JSON.stringify({ task: 'text-classification', labels: ['match'] }),
      ...TOKENIZER,
    });
    expect(await inferOutput(inference, textsInput(['dog']))).toMatchObject({
      predictions: [{ label: 'match', classId: 0, scores: Float64Array.of(DOG * DOG) }],
    });
  });
});

describe('a text model', () => {
  const model = tokenModel('n', 't');
  const reasonOf = async (files: Readonly<Record<string, string | Uint8Array>>) => {
    const inference = await serve({ 'model.json': extraction(), ...files });
    const { message } = await rejectionOf(inferOutput(inference, textsInput(['a'])));
    return message.replace(/^.* cannot be loaded: /, '');
  };

  it('needs a tokenizer that works', async () => {
    expect(await reasonOf({ 'model.onnx': model })).toBe('a text model needs a tokenizer.json next to it.');
    expect(await reasonOf({ 'model.onnx': model, 'tokenizer.json': '{' })).toBe(
      'its tokenizer.json is not valid JSON at line 1, column 2.',
    );
    expect(await reasonOf({ 'model.onnx': model, 'tokenizer.json': '{}' })).toBe(
      'its tokenizer.json does not describe a tokenizer ("model").',
    );
    expect(await reasonOf({ 'model.onnx': model, ...TOKENIZER, 'tokenizer_config.json': '[' })).toBe(
      'its tokenizer_config.json is not valid JSON.',
    );
  });

  it('needs the inputs of a text model', async () => {
    const withInput = (name: string, type: number, shape: readonly Axis[]) =>
      buildModel({
        nodes: [buildNode('Cast', [name], ['y'], { attributes: [integerAttribute('to', FLOAT)] })],
        inputs: [tensorValue(name, type, shape)],
        outputs: [tensorValue('y', FLOAT, shape)],
      });
    expect(await reasonOf({ 'model.onnx': withInput('tokens', INT64, ['n', 't']) })).toBe(
      'its graph has the input "tokens"; the inputs of a text model are input_ids, attention_mask, token_type_ids, position_ids.',
    );
    expect(await reasonOf({ 'model.onnx': withInput('attention_mask', INT64, ['n', 't']) })).toBe(
      'its graph has no input "input_ids"; a text model needs it for the tokens.',
    );
    expect(await reasonOf({ 'model.onnx': withInput('input_ids', INT64, ['t']) })).toBe(
      'its input "input_ids" is INT64 [-1]; tokens are a matrix of numbers.',
    );
    expect(await reasonOf({ 'model.onnx': wordModel(['n', 2]) })).toBe(
      'a text model takes one string per row, but its input "text" is [-1,2].',
    );
  });

  it('needs room for a text between the special tokens, and a token to fill a fixed length with', async () => {
    expect(
      await reasonOf({ 'model.onnx': model, 'model.json': extraction({ maxTokens: 2 }), ...TOKENIZER }),
    ).toBe('it takes 2 tokens, and 2 of them are special: there is no room for a text.');
    expect(
      await reasonOf({ 'model.onnx': tokenModel('n', 8), ...TOKENIZER, 'tokenizer_config.json': '{}' }),
    ).toBe('it takes 8 tokens, but its tokenizer has no token to pad with.');
  });

  it('needs an output that can be vectors', async () => {
    expect(
      await reasonOf({ 'model.onnx': model, 'model.json': extraction({ output: 'scores' }), ...TOKENIZER }),
    ).toBe(
      'its model.json names the output "scores" for the embedding, but the graph\'s outputs are: last_hidden_state.',
    );
    expect(
      await reasonOf({
        'model.onnx': scoreModel,
        'model.json': extraction({ pooling: 'mean' }),
        ...TOKENIZER,
      }),
    ).toBe(
      'its output "scores" has one vector per instance, so there is nothing to pool: its "pooling" must be "none".',
    );
  });
});

describe('texts that are refused', () => {
  const errorOf = async (texts: readonly string[], limits = {}, files = {}) => {
    const inference = await serve(
      { 'model.onnx': tokenModel('n', 't'), 'model.json': extraction(), ...TOKENIZER, ...files },
      { limits },
    );
    const { status, message } = await rejectionOf(inferOutput(inference, textsInput(texts)));
    return [status, message];
  };

  it('are too long, together', async () => {
    expect(await errorOf(['12345', '678901'], { textCharacters: 10 })).toEqual([
      413,
      expect.stringMatching(
        /^Field "instances\[1\]\.text" .* more than 10 characters of text.*\(MAX_TEXT_CHARACTERS\)\.$/,
      ),
    ]);
    expect(await errorOf(['dog', 'the dog'], { tensorElements: 7 })).toEqual([
      413,
      'The texts make more than 7 tokens, including padding, the limit (MAX_TENSOR_ELEMENTS).',
    ]);
  });

  it('have no tokens at all', async () => {
    const bare = { ...JSON.parse(TOKENIZER['tokenizer.json']), post_processor: null };
    expect(await errorOf(['dog', ' '], {}, { 'tokenizer.json': JSON.stringify(bare) })).toEqual([
      400,
      'Field "instances[1].text" has no tokens for this model; expected a text.',
    ]);
  });

  it('are not Unicode', async () => {
    expect(await errorOf(['a', '\ud800'])).toEqual([
      400,
      'Field "instances[1].text" has half of a surrogate pair.',
    ]);
  });

  it('have different lengths where nothing can fill the shorter ones', async () => {
    const noPad = { 'tokenizer_config.json': '{}' };
    expect(await errorOf(['dog', 'the dog'], {}, noPad)).toEqual([
      400,
      'The texts have different lengths and the tokenizer of this model has no token to pad with: send one at a time.',
    ]);
    const inference = await serve({
      'model.onnx': tokenModel('n', 't'),
      'model.json': extraction(),
      ...TOKENIZER,
      ...noPad,
    });
    const same = await inferOutput(inference, textsInput(['dog', 'the']));
    expect(same).toMatchObject({ predictions: [{ shape: [3, 2] }, { shape: [3, 2] }] });
  });
});
