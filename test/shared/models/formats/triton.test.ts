import { describe, expect, it } from 'vitest';
import { recogniseTriton } from '../../../../shared/models/formats/triton.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const view = viewOf([['x', 'FP32', [-1, 4]]], [['y', 'FP32', [-1, 3]]]);
const NAMED = `
name: "iris"
platform: "onnxruntime_onnx"
max_batch_size: 8
input [
  {
    name: "x"
    data_type: TYPE_FP32
    dims: [ 4 ]
  }
]
output [
  {
    name: "y"
    data_type: TYPE_FP32
    dims: [ 3 ]
    label_filename: "labels.txt"
  }
]
instance_group [ { kind: KIND_CPU count: 2 } ]
dynamic_batching { max_queue_delay_microseconds: 100 }
version_policy: { latest { num_versions: 1 } }
`;
const recognise = (config: string, shared: Readonly<Record<string, string>> = {}) =>
  recogniseTriton(folderOf({}, { 'config.pbtxt': config, ...shared }), view, KNOWN_TASKS);

const KEEPS_SEQUENCES = 'requires the server to keep the requests of a sequence together';

describe('a model with config.pbtxt', () => {
  it('has its labels and its largest batch', async () => {
    expect(await recognise(NAMED, { 'labels.txt': 'a\nb\nc\n' })).toEqual({
      task: 'tensor',
      labels: ['a', 'b', 'c'],
      maxBatchSize: 8,
    });
  });

  it('may be empty', async () => {
    expect(await recognise('')).toEqual({ task: 'tensor' });
    expect(await recognise('backend: "onnxruntime" input { name: "x" dims: -1 dims: 4 }')).toEqual({
      task: 'tensor',
    });
  });

  it('has the task that its graph shows', async () => {
    const graph = { zipMaps: [{ input: 'p', output: 'y', labels: [0, 1, 2] }] };
    const zipped = viewOf([['x', 'FP32', [-1, 4]]], [['y', 'FP32', [-1, 3]]], graph);
    const folder = folderOf({}, { 'config.pbtxt': NAMED, 'labels.txt': 'a\nb\nc' });
    expect(await recogniseTriton(folder, zipped, KNOWN_TASKS)).toMatchObject({
      task: 'tabular-classification',
      labels: ['a', 'b', 'c'],
    });
  });

  it('has the shapes that clients see where they are reshaped', async () => {
    const config = `max_batch_size: 2
      input { name: "x" data_type: TYPE_FP32 dims: [ 2, 2 ] reshape { shape: [ 4 ] } }
      output { name: "y" dims: 1 dims: 3 reshape: { shape: 3 } }`;
    expect(await recognise(config)).toEqual({
      task: 'tensor',
      maxBatchSize: 2,
      shapes: { x: [-1, 2, 2], y: [-1, 1, 3] },
    });
    const scalars = viewOf([['x', 'INT64', [-1]]], [['y', 'INT64', [-1]]]);
    const empty = 'max_batch_size: 2 input { name: "x" dims: [ 1 ] reshape: { shape: [ ] } }';
    expect(
      await recogniseTriton(folderOf({}, { 'config.pbtxt': empty }), scalars, KNOWN_TASKS),
    ).toMatchObject({
      shapes: { x: [-1, 1] },
    });
  });

  it('is not recognised without the file', async () => {
    expect(await recogniseTriton(folderOf({}), view, KNOWN_TASKS)).toBeUndefined();
  });

  it.each([
    ['is not in the text format', 'name "x"', 'its config.pbtxt cannot be read: line 1 has "\\"x\\""'],
    [
      'is of another backend',
      'platform: "tensorrt_plan"',
      'its config.pbtxt has the backend "tensorrt_plan"; only onnxruntime can be served',
    ],
    [
      'is an ensemble',
      'ensemble_scheduling { step [] }',
      'its config.pbtxt has the backend "ensemble"; only onnxruntime can be served',
    ],
    ['names another input', 'input { name: "z" }', 'its config.pbtxt has the input "z", but its graph has x'],
    [
      'has another datatype',
      'input { name: "x" data_type: TYPE_STRING }',
      'its config.pbtxt says that input "x" is BYTES [], but its graph says FP32 [-1,4]',
    ],
    [
      'has another shape',
      'max_batch_size: 4 output { name: "y" data_type: TYPE_FP32 dims: [ 2 ] }',
      'its config.pbtxt says that output "y" is FP32 [-1,2], but its graph says FP32 [-1,3]',
    ],
    [
      'reshapes to what the graph does not have',
      'input { name: "x" dims: [ 2, 2 ] reshape { shape: [ 5 ] } }',
      'its config.pbtxt says that input "x" is FP32 [5], but its graph says FP32 [-1,4]',
    ],
    [
      'has no labels where it says so',
      'output { name: "y" label_filename: "../x" }',
      'its config.pbtxt names the label file "../x", which does not exist',
    ],
  ])('is refused when it %s', async (_, config, reason) => {
    expect(await reasonOf(recognise(config))).toBe(reason);
  });

  it('has the lines of its labels unchanged', async () => {
    expect(await recognise(NAMED, { 'labels.txt': '0 tench\n1 goldfish\n2  shark\n' })).toHaveProperty(
      'labels',
      ['0 tench', '1 goldfish', '2  shark'],
    );
  });

  it('is refused when it has another number of labels', async () => {
    expect(await reasonOf(recognise(NAMED, { 'labels.txt': 'a\nb' }))).toBe(
      'its labels.txt names 2 labels, output "y" has 3 scores',
    );
  });

  const NOT_DONE =
    ', which Ternion does not support; to serve the graph as it is, to clients that send all of its inputs, put a model.json with {"task":"tensor"} into the folder of the version';

  it.each([
    [
      'sequence_batching { state [ { input_name: "h" output_name: "h_out" data_type: TYPE_FP32 dims: [ 1, 3 ] initial_state: { data_type: TYPE_FP32 dims: [ 1, 3 ] zero_data: true name: "zero" } } ] }',
      `${KEEPS_SEQUENCES} and fill the states "h" (sequence_batching)`,
    ],
    [
      'sequence_batching { max_sequence_idle_microseconds: 5000000 control_input [ { name: "START" control [ { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] } ] }, { name: "READY" control { kind: CONTROL_SEQUENCE_READY int32_false_true: [ 0, 1 ] } } ] }',
      `${KEEPS_SEQUENCES} and fill the controls "START", "READY" (sequence_batching)`,
    ],
    [
      'sequence_batching { control_input { name: "END" } state { input_name: "h" } state { input_name: "c" } }',
      `${KEEPS_SEQUENCES} and fill the states "h", "c" and the controls "END" (sequence_batching)`,
    ],
    ['sequence_batching { oldest { max_candidate_sequences: 4 } }', `${KEEPS_SEQUENCES} (sequence_batching)`],
    ['sequence_batching { }', `${KEEPS_SEQUENCES} (sequence_batching)`],
    ['model_transaction_policy { decoupled: true }', 'allows any number of answers per request (decoupled)'],
    [
      'batch_input [ { kind: BATCH_ELEMENT_COUNT target_name: "N" data_type: TYPE_FP32 source_input: "x" } ]',
      'requires the server to fill inputs of its graph (batch_input)',
    ],
    [
      'batch_output [ { target_name: "y" kind: BATCH_SCATTER_WITH_INPUT_SHAPE source_input: "x" } ]',
      'requires the server to divide its outputs (batch_output)',
    ],
  ])('is refused with %s', async (config, problem) => {
    expect(await reasonOf(recognise(config))).toBe(`its config.pbtxt ${problem}${NOT_DONE}`);
  });

  it.each([
    'model_transaction_policy { decoupled: false }',
    'model_transaction_policy { }',
    'dynamic_batching { preferred_batch_size: [ 4, 8 ] }',
    'instance_group { count: 2 } optimization { } parameters { key: "intra_op_thread_count" value: { string_value: "1" } }',
    'response_cache { enable: true } model_warmup { name: "a" batch_size: 1 }',
  ])('is served with %s, which changes no answer', async (config) => {
    expect(await recognise(config)).toEqual({ task: 'tensor' });
  });
});
