import { describe, expect, it } from 'vitest';
import { toNumbers } from '../../../shared/tensor/tensor.ts';
import type { EmbeddingOptions, FieldValue, InferenceInput } from '../../../shared/values/input.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  floatInitializer,
  INT64,
  integerAttribute,
  integersAttribute,
  STRING,
  stringsAttribute,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { type Files, readFormatFile, readFormatFolder } from '../../support/format-folders.ts';
import { inferOutput, lookAt, serve } from '../../support/make-inference.ts';

type Vectors = readonly (readonly number[])[];

interface Golden {
  readonly texts: readonly string[];
  readonly prompts: Readonly<Record<string, string>>;
  readonly pooled: readonly {
    readonly mode: string;
    readonly includePrompt: boolean;
    readonly prompt: string;
    readonly vectors: Vectors;
  }[];
  readonly default: Vectors;
  readonly leftCut: Vectors;
  readonly firstThree: Vectors;
  readonly firstThreeNormalized: Vectors;
}

/** The answers of sentence-transformers, written by test/fixtures/formats/make_prompts.py. */
const golden: Golden = JSON.parse(readFormatFile('prompts.json').toString());
const PROMPTS = 'config_sentence_transformers.json';
const MODULES = ['Transformer', 'Pooling', 'Normalize'].map((name, idx) => ({
  idx,
  path: idx === 0 ? '' : `${idx}_${name}`,
  type: `sentence_transformers.models.${name}`,
}));

const json = (value: unknown) => JSON.stringify(value);
const at = <T>(value: T, field = 'f'): FieldValue<T> => ({ value, field });

interface Setup {
  readonly pooling?: object;
  readonly default_prompt_name?: string;
  readonly isNormalized?: boolean;
  readonly files?: Files;
}

/** The model of the fixture, with other files of sentence-transformers next to it. */
function open({ pooling = { pooling_mode: 'mean' }, default_prompt_name, isNormalized, files }: Setup) {
  return serve({
    ...readFormatFolder('optimum/sentence-mean'),
    'modules.json': json(MODULES.slice(0, isNormalized ? 3 : 2)),
    '1_Pooling/config.json': json(pooling),
    [PROMPTS]: json({ prompts: golden.prompts, default_prompt_name }),
    ...files,
  });
}

function textsOf(options: EmbeddingOptions, texts: readonly string[] = golden.texts): InferenceInput {
  return { kind: 'text', texts: texts.map((text, index) => at(text, `inputs[${index}]`)), options };
}

async function embed(
  setup: Setup,
  options: EmbeddingOptions = {},
  texts: readonly string[] = golden.texts,
): Promise<Vectors> {
  const output = await inferOutput(await open(setup), textsOf(options, texts));
  if (output.kind !== 'embedding') expect.fail(`it gives ${output.kind}`);
  return output.predictions.map((vector) => [...toNumbers(vector)]);
}

function expectVectors(vectors: Vectors, expected: Vectors): void {
  expect(vectors.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  const distance = vectors.flatMap((vector, row) =>
    vector.map((value, index) => Math.abs(value - (expected[row]?.[index] ?? 0))),
  );
  expect(Math.max(...distance)).toBeLessThan(2e-6);
}

describe('prompts of sentence-transformers', () => {
  it.each(golden.pooled)('$prompt is pooled by $mode, with it: $includePrompt', async (each) => {
    const pooling = { pooling_mode: each.mode, include_prompt: each.includePrompt };
    expectVectors(await embed({ pooling }, { prompt: at(each.prompt) }), each.vectors);
  });

  it('go before texts where one is the default', async () => {
    const setup = { isNormalized: true, default_prompt_name: 'passage' };
    expectVectors(await embed(setup), golden.default);
    expectVectors(await embed(setup, { prompt: at('passage') }), golden.default);
  });

  it('must include the default one', async () => {
    const inference = await open({ default_prompt_name: 'topic' });
    const { message } = await rejectionOf(lookAt(inference, { name: 'm', version: '1' }, () => 0));
    expect(message).toContain('its default prompt "topic" is not one of "query", "passage", "none"');
  });

  it('are known by name', async () => {
    const inference = await open({});
    const unknown = await rejectionOf(
      inferOutput(inference, textsOf({ prompt: at('topic', 'prompt_name') })),
    );
    expect(unknown.message).toBe(
      'Field "prompt_name" is "topic"; the prompts of this model are: "query", "passage", "none".',
    );
    const without = await open({ files: { [PROMPTS]: '{}' } });
    const none = await rejectionOf(inferOutput(without, textsOf({ prompt: at('query', 'prompt_name') })));
    expect(none.message).toBe('Field "prompt_name" is "query"; the prompts of this model are: none.');
  });
});

describe('options of vectors', () => {
  it('leave the first numbers, and make their length 1 where that is wanted', async () => {
    const dimensions = at(3);
    expectVectors(await embed({}, { dimensions }), golden.firstThree);
    expectVectors(await embed({}, { dimensions, normalize: at(true) }), golden.firstThreeNormalized);
    expectVectors(await embed({ isNormalized: true }, { dimensions }), golden.firstThreeNormalized);
    expectVectors(
      await embed({ isNormalized: true }, { dimensions, normalize: at(false) }),
      golden.firstThree,
    );
    const tooMany = await rejectionOf(embed({}, { dimensions: at(9, 'dimensions') }));
    expect(tooMany.message).toBe('Field "dimensions" is 9; the vectors of this model have 8 numbers.');
  });

  it('say which end of a text is cut, or that none is', async () => {
    expectVectors(await embed({}, { cutSide: at('left') }), golden.leftCut);
    const whole = textsOf({ truncate: at(false, 'truncate') }, golden.texts.slice(0, 2));
    expect(await inferOutput(await open({}), whole)).toMatchObject({ kind: 'embedding' });
    const tooLong = await rejectionOf(embed({}, { truncate: at(false, 'truncate') }));
    expect(tooLong).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: 'Field "inputs[2]" has more than 24 tokens, the limit of this model, and "truncate" is false.',
    });
  });
});

/** Sums the vectors of the tokens inside the graph, which makes them `[N, 2]`. */
const pooledInside = buildModel({
  nodes: [
    buildNode('Gather', ['vectors', 'input_ids'], ['tokens']),
    buildNode('ReduceSum', ['tokens'], ['sentence_embedding'], {
      attributes: [integersAttribute('axes', [1n]), integerAttribute('keepdims', 0)],
    }),
  ],
  inputs: [tensorValue('input_ids', INT64, ['n', 't'])],
  outputs: [tensorValue('sentence_embedding', FLOAT, ['n', 2])],
  initializers: [
    floatInitializer('vectors', [400, 2], Array.from({ length: 400 }, (_, id) => [id, 1]).flat()),
  ],
  opsets: { '': 11 },
});

describe('a graph that pools inside', () => {
  const files = { 'onnx/model.onnx': pooledInside };

  it('gets the prompt before its texts', async () => {
    const texts = ['good'];
    const setup = { files, default_prompt_name: 'passage' };
    const [plain] = await embed({ files }, {}, texts);
    const [prompted] = await embed(setup, {}, texts);
    const [chosen] = await embed(setup, { prompt: at('none') }, texts);
    // "film: " is two tokens more.
    expect((prompted?.[1] ?? 0) - (plain?.[1] ?? 0)).toBe(2);
    expect(chosen).toEqual(plain);
  });

  it('is refused where the prompt should be left out of it', async () => {
    const pooling = { pooling_mode: 'mean', include_prompt: false };
    const always = await open({ files, pooling, default_prompt_name: 'query' });
    expect((await rejectionOf(lookAt(always, { name: 'm', version: '1' }, () => 0))).message).toContain(
      'its graph also pools the tokens of the prompt "query", although "includePrompt" is false',
    );
    const asked = await rejectionOf(embed({ files, pooling }, { prompt: at('query', 'prompt_name') }));
    expect(asked.message).toMatch(
      /^Field "prompt_name" cannot be used: the graph of this model also pools the prompt/,
    );
    expect(await embed({ files, pooling }, { prompt: at('none') })).toHaveLength(3);
  });

  it('cannot be kept from normalising', async () => {
    const normalized = { files, isNormalized: true };
    const [vector = []] = await embed(normalized);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 6);
    const refused = await rejectionOf(embed(normalized, { normalize: at(false, 'normalize') }));
    expect(refused.message).toBe(
      'Field "normalize" is false; the graph of this model gives vectors of length 1.',
    );
  });
});

describe('a graph of strings', () => {
  const counts = buildModel({
    nodes: [
      buildNode('LabelEncoder', ['text'], ['number'], {
        domain: 'ai.onnx.ml',
        attributes: [
          stringsAttribute('keys_strings', ['film: good']),
          integersAttribute('values_int64s', [7n]),
        ],
      }),
      buildNode('Cast', ['number'], ['vector'], { attributes: [integerAttribute('to', FLOAT)] }),
    ],
    inputs: [tensorValue('text', STRING, ['n', 1])],
    outputs: [tensorValue('vector', FLOAT, ['n', 1])],
    opsets: { '': 17, 'ai.onnx.ml': 2 },
  });
  const config = { task: 'feature-extraction', prompts: { passage: 'film: ' }, defaultPrompt: 'passage' };
  const start = (more: object = {}) =>
    serve({ 'model.onnx': counts, 'model.json': json({ ...config, ...more }) });

  it('gets the prompt as well, and cuts texts itself', async () => {
    const output = await inferOutput(await start(), textsOf({}, ['good']));
    expect(output).toMatchObject({ predictions: [{ data: Float32Array.of(7) }] });
    const cut = await rejectionOf(
      inferOutput(await start(), textsOf({ truncate: at(false, 'truncate') }, ['good'])),
    );
    expect(cut.message).toBe(
      'Field "truncate" cannot be used: the graph of this model truncates texts itself.',
    );
  });

  it('is refused with a prompt that should not be pooled, or is not there', async () => {
    const reasonOf = async (more: object) => {
      const inference = await start(more);
      return (await rejectionOf(lookAt(inference, { name: 'm', version: '1' }, () => 0))).message;
    };
    expect(await reasonOf({ includePrompt: false })).toContain('cannot be excluded from the pooling');
    expect(await reasonOf({ defaultPrompt: 'query' })).toContain(
      'its default prompt "query" is not one of "passage"',
    );
  });
});
