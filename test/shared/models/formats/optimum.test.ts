import { describe, expect, it } from 'vitest';
import { recogniseOptimum } from '../../../../shared/models/formats/optimum.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const tokens = (outputs: Parameters<typeof viewOf>[1]) =>
  viewOf(
    [
      ['input_ids', 'INT64', [-1, -1]],
      ['attention_mask', 'INT64', [-1, -1]],
    ],
    outputs,
  );
const logits = tokens([['logits', 'FP32', [-1, 2]]]);
const hidden = tokens([['last_hidden_state', 'FP32', [-1, -1, 8]]]);
const pixels = viewOf([['pixel_values', 'FP32', [-1, 3, -1, -1]]], [['logits', 'FP32', [-1, 2]]]);

const classifier = {
  model_type: 'bert',
  architectures: ['BertForSequenceClassification'],
  id2label: { '0': 'bad', '1': 'good' },
};
const encoder = { model_type: 'bert', architectures: ['BertModel'] };
const TOKENIZER = { 'tokenizer.json': {}, 'tokenizer_config.json': { model_max_length: 64 } };
const PROCESSOR = {
  'preprocessor_config.json': {
    image_processor_type: 'ViTImageProcessor',
    do_resize: false,
    do_normalize: false,
  },
};
const modules = (...types: string[]) =>
  types.map((type, idx) => ({ idx, path: `${idx}_${type}`, type: `sentence_transformers.models.${type}` }));

describe('a folder with the config.json of transformers', () => {
  it('is a text classifier by the name of its class and its logits', async () => {
    expect(await recogniseOptimum(folderOf({ 'config.json': classifier, ...TOKENIZER }), logits)).toEqual({
      task: 'text-classification',
      labels: ['bad', 'good'],
      output: 'logits',
      postprocess: [{ step: 'softmax' }],
    });
  });

  it.each([
    ['multi_label_classification', 2, [{ step: 'sigmoid' }]],
    ['single_label_classification', 2, [{ step: 'softmax' }]],
    ['single_label_classification', 1, [{ step: 'sigmoid' }]],
    ['regression', 1, []],
    [null, 1, [{ step: 'sigmoid' }]],
  ])(
    'of the problem %s with %i classes has the scores of the pipelines',
    async (problem_type, count, steps) => {
      const id2label = Object.fromEntries(Array.from({ length: count }, (_, index) => [index, `L${index}`]));
      const folder = folderOf({ 'config.json': { ...classifier, id2label, problem_type }, ...TOKENIZER });
      const view = tokens([['logits', 'FP32', [-1, count]]]);
      expect(await recogniseOptimum(folder, view)).toMatchObject({ postprocess: steps });
    },
  );

  it('is an image classifier by the inputs of its graph', async () => {
    const config = { ...classifier, model_type: 'vit', architectures: ['ViTForImageClassification'] };
    expect(await recogniseOptimum(folderOf({ 'config.json': config, ...PROCESSOR }), pixels)).toMatchObject({
      task: 'image-classification',
      labels: ['bad', 'good'],
      preprocess: [{ step: 'convert' }, { step: 'rescale' }, { step: 'layout' }],
    });
  });

  it('gives vectors by the name of its output, for any name of its class', async () => {
    const folder = folderOf({ 'config.json': classifier, ...TOKENIZER });
    expect(await recogniseOptimum(folder, hidden)).toEqual({
      task: 'feature-extraction',
      output: 'last_hidden_state',
    });
    const sentence = tokens([
      ['token_embeddings', 'FP32', [-1, -1, 8]],
      ['sentence_embedding', 'FP32', [-1, 8]],
    ]);
    const modular = folderOf({
      'config.json': encoder,
      ...TOKENIZER,
      'modules.json': modules('Transformer', 'Pooling', 'Normalize'),
    });
    // The graph pools and normalises, so the vectors have length 1.
    expect(await recogniseOptimum(modular, sentence)).toEqual({
      task: 'feature-extraction',
      output: 'sentence_embedding',
      normalize: true,
    });
  });

  it.each([
    [
      'a model that takes texts and images',
      encoder,
      viewOf(
        [
          ['input_ids', 'INT64', [-1, -1]],
          ['pixel_values', 'FP32', [-1, 3, 8, 8]],
        ],
        [['image_embeds', 'FP32', [-1, 8]]],
      ),
    ],
    [
      'scores for every token',
      { ...encoder, architectures: ['BertForTokenClassification'] },
      tokens([['logits', 'FP32', [-1, -1, 9]]]),
    ],
    [
      'inputs of another kind',
      encoder,
      viewOf([['input_values', 'FP32', [-1, -1]]], [['logits', 'FP32', [-1, 2]]]),
    ],
    ['no class name', { model_type: 'bert' }, logits],
  ])('takes tensors: %s', async (_, config, view) => {
    expect(await recogniseOptimum(folderOf({ 'config.json': config, ...TOKENIZER }), view)).toEqual({
      task: 'tensor',
    });
  });

  it('knows its task without the graph where the class name says it', async () => {
    const taskOf = async (config: object, files: object) =>
      (await recogniseOptimum(folderOf({ 'config.json': config, ...files }), undefined))?.task;
    expect(await taskOf(classifier, TOKENIZER)).toBe('text-classification');
    expect(await taskOf({ ...classifier, architectures: ['ViTForImageClassification'] }, PROCESSOR)).toBe(
      'image-classification',
    );
    expect(await taskOf(encoder, TOKENIZER)).toBe('feature-extraction');
    expect(await taskOf(encoder, { ...TOKENIZER, ...PROCESSOR })).toBeUndefined();
    expect(await taskOf({ ...encoder, architectures: ['BertForMaskedLM'] }, TOKENIZER)).toBeUndefined();
  });

  it.each([
    ['it is missing', {}],
    ['it is of something else', { 'config.json': { version: 1 } }],
    ['it is not an object', { 'config.json': '[1]' }],
  ])('is not recognised where %s', async (_, files) => {
    expect(await recogniseOptimum(folderOf(files), logits)).toBeUndefined();
  });

  it.each([
    ['is not JSON', { 'config.json': '{', ...TOKENIZER }, 'its config.json is not valid JSON'],
    ['has no tokenizer', { 'config.json': classifier }, 'a text model needs a tokenizer.json next to it'],
    [
      'has a slow tokenizer alone',
      { 'config.json': classifier, 'vocab.txt': '' },
      'a text model needs a tokenizer.json next to it; transformers converts its vocab.txt if you save a fast tokenizer',
    ],
    [
      'has another number of labels',
      { 'config.json': { ...classifier, id2label: { '0': 'a', '1': 'b', '2': 'c' } }, ...TOKENIZER },
      'its config.json names 3 labels, output "logits" has 2 scores',
    ],
    [
      'leaves a label out',
      { 'config.json': { ...classifier, id2label: { '0': 'a', '2': 'c' } }, ...TOKENIZER },
      'its config.json has 2 labels in "id2label", but none for class 1',
    ],
    [
      'has a problem nobody knows',
      { 'config.json': { ...classifier, problem_type: 'guessing' }, ...TOKENIZER },
      /^its config.json is not valid \(problem_type: /,
    ],
  ])('is refused when it %s', async (_, files, reason) => {
    expect(await reasonOf(recogniseOptimum(folderOf(files), logits))).toMatch(reason);
  });
});

describe('the modules of sentence-transformers', () => {
  const recognise = (files: object) =>
    recogniseOptimum(folderOf({ 'config.json': encoder, ...TOKENIZER, ...files }), hidden);

  it('say how to pool, in files of all ages', async () => {
    const poolings: [object, string][] = [
      [{ pooling_mode_mean_tokens: true, pooling_mode_cls_token: false }, 'mean'],
      [{ pooling_mode_max_tokens: true }, 'max'],
      [{ pooling_mode: 'cls' }, 'cls'],
    ];
    for (const [config, pooling] of poolings) {
      const files = { 'modules.json': modules('Transformer', 'Pooling'), '1_Pooling/config.json': config };
      expect(await recognise(files)).toMatchObject({ pooling, normalize: false });
    }
  });

  it.each([
    [
      'a module that changes the vector',
      { 'modules.json': modules('Transformer', 'Pooling', 'CNN') },
      'its modules.json has the module "CNN"; only Transformer, Pooling, Dense and Normalize are supported',
    ],
    [
      'modules in another order',
      { 'modules.json': modules('Transformer', 'Pooling', 'Normalize', 'Dense') },
      'its modules.json has the modules Transformer, Pooling, Normalize, Dense; expected Transformer, Pooling, then any Dense, then Normalize or nothing',
    ],
    ['no pooling', { 'modules.json': modules('Transformer') }, 'its modules.json has no module Pooling'],
    [
      'a pooling that is not there',
      { 'modules.json': modules('Transformer', 'Pooling') },
      'its modules.json names 1_Pooling/config.json, which does not exist',
    ],
    [
      'two poolings at once',
      {
        'modules.json': modules('Transformer', 'Pooling'),
        '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true },
      },
      'its 1_Pooling/config.json pools by pooling_mode_cls_token and pooling_mode_mean_tokens; expected one of mean, cls, max, lasttoken, mean_sqrt_len_tokens and weightedmean',
    ],
    [
      'a pooling of another kind',
      {
        'modules.json': modules('Transformer', 'Pooling'),
        '1_Pooling/config.json': { pooling_mode: 'attention' },
      },
      'its 1_Pooling/config.json pools by attention; expected one of mean, cls, max, lasttoken, mean_sqrt_len_tokens and weightedmean',
    ],
    [
      'what the tokenizer is called with',
      { 'sentence_bert_config.json': { processing_kwargs: { text: { add_special_tokens: false } } } },
      /^its sentence_bert_config.json is not valid \(processing_kwargs.text.*add_special_tokens/,
    ],
    [
      'texts that are never cut',
      { 'sentence_bert_config.json': { processing_kwargs: { text: { truncation: false } } } },
      /processing_kwargs.text.truncation: must be true/,
    ],
    [
      'lower case before the tokenizer',
      { 'sentence_bert_config.json': { do_lower_case: true } },
      'its sentence_bert_config.json is not valid (do_lower_case: is not supported: the tokenizer decides it)',
    ],
  ])('are refused with %s', async (_, files, reason) => {
    const said = await reasonOf(recognise(files));
    if (typeof reason === 'string') expect(said).toBe(reason);
    else expect(said).toMatch(reason);
  });

  it.each([
    ['all of it', { prompts: { query: 'q: ', none: null }, default_prompt_name: 'query' }, false],
    ['a prompt that is always there', { prompts: {}, default_prompt_name: 'document' }, true],
  ])('say which prompts there are: %s', async (_, config, include_prompt) => {
    const files = {
      'modules.json': modules('Transformer', 'Pooling'),
      '1_Pooling/config.json': { pooling_mode: 'mean', include_prompt },
      'config_sentence_transformers.json': config,
    };
    expect(await recognise(files)).toEqual({
      task: 'feature-extraction',
      output: 'last_hidden_state',
      pooling: 'mean',
      normalize: false,
      ...(!include_prompt && {
        prompts: { query: 'q: ', none: '' },
        defaultPrompt: 'query',
        includePrompt: false,
      }),
    });
  });
});

describe('the most tokens', () => {
  const limitOf = async (files: object, config: object = {}) => {
    const folder = folderOf({ 'config.json': { ...encoder, ...config }, 'tokenizer.json': {}, ...files });
    const recognised = await recogniseOptimum(folder, hidden);
    return recognised && 'maxTokens' in recognised ? recognised.maxTokens : undefined;
  };

  it('are those of sentence-transformers, then of the tokenizer itself, then the positions of the model', async () => {
    const positions = { max_position_embeddings: 514, pad_token_id: 1 };
    expect(await limitOf({ 'sentence_bert_config.json': { max_seq_length: 128 } }, positions)).toBe(128);
    const processing_kwargs = { text: { max_length: 99, truncation: true }, image: { do_resize: false } };
    expect(await limitOf({ 'sentence_bert_config.json': { max_seq_length: 128, processing_kwargs } })).toBe(
      99,
    );
    expect(await limitOf({ 'tokenizer_config.json': { model_max_length: 64 } }, positions)).toBeUndefined();
    expect(await limitOf({ 'tokenizer_config.json': { model_max_length: 1e30 } }, positions)).toBe(514);
    expect(await limitOf({}, { ...positions, model_type: 'roberta' })).toBe(512);
    expect(await limitOf({})).toBeUndefined();
  });

  it('are the smaller of the positions and those of the tokenizer where sentence-transformers gives no number', async () => {
    const sentence = (model_max_length: number, max_seq_length?: null) => ({
      'sentence_bert_config.json': { do_lower_case: false, max_seq_length },
      'tokenizer_config.json': { model_max_length },
    });
    const positions = { max_position_embeddings: 512 };
    expect(await limitOf(sentence(1024), positions)).toBe(512);
    expect(await limitOf(sentence(1024, null), positions)).toBe(512);
    expect(await limitOf(sentence(1e30), positions)).toBe(512);
    // The tokenizer itself truncates.
    expect(await limitOf(sentence(128), positions)).toBeUndefined();
    expect(await limitOf(sentence(1024))).toBeUndefined();
    const roberta = { model_type: 'roberta', max_position_embeddings: 514, pad_token_id: 1 };
    expect(await limitOf(sentence(514), roberta)).toBe(512);
    const alone = { 'tokenizer_config.json': { model_max_length: 1024 } };
    expect(await limitOf(alone, positions)).toBeUndefined();
    const modular = {
      'modules.json': modules('Transformer', 'Pooling'),
      '1_Pooling/config.json': { pooling_mode: 'mean' },
    };
    expect(await limitOf({ ...alone, ...modular }, positions)).toBe(512);
  });

  it.each([
    'sentence_roberta_config.json',
    'sentence_distilbert_config.json',
    'sentence_camembert_config.json',
    'sentence_albert_config.json',
    'sentence_xlm-roberta_config.json',
    'sentence_xlnet_config.json',
  ])('are those of %s where there is no newer file', async (file) => {
    expect(await limitOf({ [file]: { max_seq_length: 99 } })).toBe(99);
    const newer = { 'sentence_bert_config.json': { max_seq_length: 77 } };
    expect(await limitOf({ [file]: { max_seq_length: 99 }, ...newer })).toBe(77);
    expect(await limitOf({ [file]: { max_seq_length: 99 }, 'sentence_bert_config.json': {} })).toBe(99);
  });
});
