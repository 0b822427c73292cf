import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import { createTensor } from '../../../shared/tensor/tensor.ts';
import {
  BOOL,
  buildModel,
  buildNode,
  FLOAT,
  FLOAT16,
  floatInitializer,
  INT64,
  identityModel,
  STRING,
  tensorValue,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { inferOutput, lookAt, rowsInput, serve, tensorsInput } from '../../support/make-inference.ts';

const sum = buildModel({
  nodes: [buildNode('Add', ['a', 'b'], ['sum']), buildNode('Shape', ['a'], ['shape'])],
  inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, [2])],
  outputs: [tensorValue('sum', FLOAT, ['n', 2]), tensorValue('shape', INT64, [2])],
});

async function messageOf(inputs: JsonValue): Promise<string> {
  const inference = await serve({ 'model.onnx': sum });
  const error = await rejectionOf(inferOutput(inference, tensorsInput(inputs)));
  expect(error.status).toBe(400);
  return error.message;
}

describe('a model of tensors', () => {
  it('takes and gives tensors by the names in the graph', async () => {
    const inference = await serve({ 'model.onnx': sum });
    const output = await inferOutput(
      inference,
      tensorsInput({
        b: [10, 20],
        a: [
          [1, 2],
          [3, 4],
        ],
      }),
    );
    expect(output).toEqual({
      kind: 'tensors',
      tensors: new Map([
        ['sum', createTensor('FP32', [2, 2], [11, 22, 13, 24])],
        ['shape', createTensor('INT64', [2], [2, 2])],
      ]),
    });
  });

  it.each<[string, number, readonly string[], JsonValue]>([
    ['texts', STRING, ['n'], ['a', 'ä']],
    ['bools', BOOL, ['n'], [true, false]],
    ['halves', FLOAT16, ['n'], [1.5, -2]],
    ['64-bit integers', INT64, ['n'], [2 ** 53 - 1, -1]],
    ['no elements', FLOAT, ['n'], []],
    ['NaN', FLOAT, ['n'], [Number.NaN, null]],
  ])('takes a bare list for its only input: %s', async (_, elementType, shape, values) => {
    const inference = await serve({ 'model.onnx': identityModel(elementType, shape) });
    const byName = await inferOutput(inference, tensorsInput({ x: values }));
    expect(await inferOutput(inference, tensorsInput(values))).toEqual(byName);
    expect(byName).toMatchObject({ kind: 'tensors' });
  });

  it('takes a scalar', async () => {
    const inference = await serve({ 'model.onnx': identityModel(FLOAT, []) });
    expect(await inferOutput(inference, tensorsInput({ x: 7 }))).toEqual({
      kind: 'tensors',
      tensors: new Map([['y', createTensor('FP32', [], [7])]]),
    });
  });

  it('needs no inputs where the graph has none', async () => {
    const constant = buildModel({
      nodes: [buildNode('Identity', ['c'], ['y'])],
      inputs: [],
      outputs: [tensorValue('y', FLOAT, [2])],
      initializers: [floatInitializer('c', [2], [1, 2])],
    });
    const inference = await serve({ 'model.onnx': constant });
    expect(await inferOutput(inference, tensorsInput({}))).toEqual({
      kind: 'tensors',
      tensors: new Map([['y', createTensor('FP32', [2], [1, 2])]]),
    });
  });

  it.each<[JsonValue, string]>([
    [{ a: [[1, 2]] }, 'Field "inputs" lacks the input "b"; the inputs are: "a", "b".'],
    [{ a: [[1, 2]], b: [1, 2], c: 1 }, 'Field "inputs" has an unknown input "c"; the inputs are: "a", "b".'],
    [
      { a: [[1, 2, 3]], b: [1, 2] },
      'Field "inputs.a" has the shape [1,3]; expected [-1,2], where -1 is any size.',
    ],
    [{ a: [[1, 2]], b: [[1, 2]] }, 'Field "inputs.b" has the shape [1,2]; expected [2].'],
    [{ a: [[1, 2]], b: ['1', 2] }, 'Field "inputs.b[0]" is the string "1"; expected a number.'],
    [
      { a: [[1], [1, 2]], b: [1, 2] },
      'Field "inputs.a[1]" is an array of 2; expected an array of 1, like "inputs.a[0]".',
    ],
    [[1, 2], 'Field "inputs" is an array of 2; expected an object with the inputs "a", "b".'],
    ['a', 'Field "inputs" is the string "a"; expected an object with the inputs "a", "b".'],
    [null, 'Field "inputs" is null; expected an object with the inputs "a", "b".'],
  ])('says what is wrong with %j', async (inputs, message) => {
    expect(await messageOf(inputs)).toBe(message);
  });

  it('takes no more elements than the limit', async () => {
    const inference = await serve({ 'model.onnx': sum }, { limits: { tensorElements: 3 } });
    const inputs = {
      a: [
        [1, 2],
        [3, 4],
      ],
      b: [1, 2],
    };
    const error = await rejectionOf(inferOutput(inference, tensorsInput(inputs)));
    expect(error.message).toMatch('Field "inputs.a" has 4 elements; the limit is 3');
  });

  it('takes no rows', async () => {
    const inference = await serve({ 'model.onnx': sum });
    const error = await rejectionOf(inferOutput(inference, rowsInput([[1, 2]])));
    expect(error.message).toMatch('this model takes tensors, as {"inputs": {...}}.');
  });

  it('has an example of zeros that it answers', async () => {
    const inference = await serve({ 'model.onnx': sum });
    const example = await lookAt(inference, { name: 'm', version: '1' }, (model) => model.example);
    expect(example).toEqual({ inputs: { a: [[0, 0]], b: [0, 0] } });
    const output = await inferOutput(inference, tensorsInput(example?.inputs ?? null));
    expect(output.kind === 'tensors' && output.tensors.get('sum')).toEqual(
      createTensor('FP32', [1, 2], [0, 0]),
    );
  });
});
