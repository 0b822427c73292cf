import { describe, expect, it } from 'vitest';
import { findUnservedTask } from '../../../../functions/cli/inspect/find-unserved-task.ts';

type Shape = readonly (number | string)[];
type Outputs = Readonly<Record<string, Shape>>;

interface Facts {
  readonly architectures?: unknown;
  readonly inputs?: readonly string[];
  readonly outputs?: Outputs;
  readonly operators?: readonly string[];
  readonly metadata?: Readonly<Record<string, string>>;
}

const TEXTS = ['input_ids', 'attention_mask'];

function find(facts: Facts, task = 'tensor') {
  const { architectures, inputs = ['x'], outputs = { y: ['n', 4] }, operators = [], metadata = {} } = facts;
  return findUnservedTask(
    {
      kind: 'tensors',
      task,
      inputs: inputs.map((name) => ({ name })),
      outputs: Object.entries(outputs).map(([name, shape]) => ({ name, shape })),
    },
    {
      operators: new Set(operators),
      metadata: Object.entries(metadata).map(([key, value]) => ({ key, value, bytes: value.length })),
    },
    architectures === undefined ? undefined : JSON.stringify({ model_type: 'any', architectures }),
  );
}

describe('a model of a kind that is not served', () => {
  it.each<[string, Facts]>([
    ['token classification', { architectures: ['BertForTokenClassification'] }],
    ['token classification', { architectures: ['DebertaV2ForTokenClassification'] }],
    ['question answering', { architectures: ['RobertaForQuestionAnswering'] }],
    ['fill-mask', { architectures: ['BertForMaskedLM'] }],
    ['text generation', { architectures: ['LlamaForCausalLM'] }],
    ['text generation', { architectures: ['GPT2LMHeadModel'] }],
    ['text generation', { architectures: ['T5ForConditionalGeneration'] }],
    ['object detection', { architectures: ['DetrForObjectDetection'] }],
    ['image segmentation', { architectures: ['SegformerForSemanticSegmentation'] }],
    ['depth estimation', { architectures: ['DPTForDepthEstimation'] }],
    ['multiple choice', { architectures: ['BertForMultipleChoice'] }],
    ['speech', { architectures: ['Wav2Vec2ForCTC'] }],
  ])('%s is recognised by its config.json', (name, facts) => {
    expect(find(facts)).toContain(name);
  });

  it.each<[string, Facts]>([
    ['question answering', { inputs: TEXTS, outputs: { start_logits: ['n', 't'], end_logits: ['n', 't'] } }],
    ['token classification', { inputs: TEXTS, outputs: { logits: ['n', 't', 9] } }],
    ['fill-mask', { inputs: TEXTS, outputs: { logits: ['n', 't', 30522] } }],
    ['object detection', { metadata: { task: 'detect', stride: '32' }, outputs: { output0: [1, 84, 8400] } }],
    ['object detection', { metadata: { task: 'obb' } }],
    ['image segmentation', { metadata: { task: 'segment' } }],
    ['pose estimation', { metadata: { task: 'pose' } }],
    ['object detection', { operators: ['Conv', 'NonMaxSuppression'] }],
    ['object detection', { outputs: { boxes: ['n', 4], labels: ['n'], scores: ['n'] } }],
    ['object detection', { outputs: { logits: [1, 100, 92], pred_boxes: [1, 100, 4] } }],
  ])('%s is recognised by its graph', (name, facts) => {
    expect(find(facts)).toContain(name);
  });

  it('gets a warning that says what clients have to do', () => {
    expect(find({ architectures: ['BertForTokenClassification'], inputs: TEXTS })).toBe(
      'it is a model for token classification, such as named entities, and Ternion has no such task yet: clients send and get its tensors, and tokenize texts themselves',
    );
    expect(find({ metadata: { task: 'detect' } })).toBe(
      'it is a model for object detection, and Ternion has no such task yet: clients send and get its tensors, and prepare the input themselves',
    );
  });

  it.each<[string, Facts, string?]>([
    ['a graph of anything', {}],
    ['an open number of scores for a token', { inputs: TEXTS, outputs: { logits: ['n', 't', 'v'] } }],
    ['logits of texts', { inputs: TEXTS, outputs: { logits: ['n', 3] } }],
    ['a model of a task', { architectures: ['BertForTokenClassification'] }, 'text-classification'],
    ['an unknown class', { architectures: ['MyNetwork'] }],
    ['a config.json with something else in it', { architectures: [4, null] }],
    ['no list of architectures', { architectures: 'BertForTokenClassification' }],
  ])('is not %s', (_, facts, task) => {
    expect(find(facts, task)).toBeUndefined();
  });

  it('is not recognised by a broken config.json', () => {
    const contract = { kind: 'tensors', task: 'tensor', inputs: [], outputs: [] } as const;
    expect(findUnservedTask(contract, { operators: new Set(), metadata: [] }, '{"arch')).toBeUndefined();
  });
});
