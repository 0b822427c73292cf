import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import type { NpyArray } from '../../../shared/tensor/npy.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import { decodeBare, inputsOfArrays } from '../../../shared/values/arrays.ts';
import { errorOf } from '../../support/error-of.ts';
import { contract, spec } from '../../support/make-contract.ts';
import { LIMITS } from '../../support/make-inference.ts';

const MATRIX = contract([spec('x', 'FP32', [-1, 2])]);
const COLUMN = contract([spec('x', 'FP32', [-1, 1])]);
const LIST = contract([spec('x', 'FP32', [-1])]);
const PIXELS = contract([spec('x', 'FP32', [-1, 1, 2, 2])]);
const IMAGE = contract([spec('x', 'FP32', [-1, 1, 2, 2])], { imageInput: 'x' });
const TEXT = contract([spec('x', 'BYTES', [-1, 1])]);
const OPEN = contract([{ ...spec('x', 'FP32', []), isRankDynamic: true }]);

/** An array that has been read. */
const arrayOf = (tensor: Tensor): NpyArray => ({ ...tensor, read: () => tensor });

describe('arrays of NumPy', () => {
  const inputOf = (tensor: Tensor, model = MATRIX) =>
    inputsOfArrays(new Map([['arr_0', arrayOf(tensor)]]), model, LIMITS).get('x');

  it('go to a single input under any name, without a copy', () => {
    const tensor = createTensor('FP64', [1, 2], [1, 2]);
    const input = inputOf(tensor);
    expect(input).toEqual(tensor);
    expect(input && 'data' in input && input.data).toBe(tensor.data);
  });

  it('go to several inputs by their names', () => {
    const arrays = new Map([
      ['a', arrayOf(createTensor('INT32', [2], [1, 2]))],
      ['z', arrayOf(createTensor('INT32', [2], [3, 4]))],
    ]);
    const model = contract([spec('a', 'INT32', [2]), spec('b', 'INT32', [2])]);
    // The check of names reports "z".
    expect([...inputsOfArrays(arrays, model, LIMITS).keys()]).toEqual(['a', 'z']);
  });

  it('of whole numbers are taken for floats, those of booleans are not', () => {
    // Rounded at once to the type of the graph: doubles would take up to eight times the memory of the body.
    expect(inputOf(createTensor('INT64', [1, 2], [1, 16_777_217]))).toEqual({
      datatype: 'FP32',
      shape: [1, 2],
      data: Float32Array.from([1, 16_777_216]),
    });
    expect(inputOf(createTensor('BOOL', [1, 2], [1, 0]))).toMatchObject({ datatype: 'BOOL' });
  });

  it.each([
    ['one instance', MATRIX, [2], [1, 2]],
    ['instances', MATRIX, [3, 2], [3, 2]],
    ['values of one column', COLUMN, [3], [3, 1]],
    ['one image', PIXELS, [1, 2, 2], [1, 1, 2, 2]],
    ['any axes for an input that takes them', OPEN, [4], [4]],
  ])('get the axis they lack: %s', (_, model, shape, fitted) => {
    const size = shape.reduce((product, length) => product * length, 1);
    expect(inputOf(createTensor('FP32', shape, new Array<number>(size).fill(0)), model)).toMatchObject({
      shape: fitted,
    });
  });

  it('of a shape that the model does not take are not read', () => {
    const unread: NpyArray = {
      datatype: 'FP32',
      shape: [2, 2],
      read: () => {
        throw new Error('it was read');
      },
    };
    const error = errorOf(() => inputsOfArrays(new Map([['x', unread]]), PIXELS, LIMITS));
    expect([error.status, error.message]).toEqual([
      400,
      'Input "x" has the shape [2,2]; expected [-1,1,2,2], where -1 is any size.',
    ]);
  });

  it('of texts are texts for a model that takes them, and images for one that takes those', () => {
    const tensor: Tensor = { datatype: 'BYTES', shape: [1], data: ['AAEC'] };
    expect(inputOf(tensor, TEXT)).toEqual({ datatype: 'BYTES', shape: [1], elements: ['AAEC'] });
    expect(inputOf(tensor, IMAGE)).toMatchObject({ elements: [Buffer.from([0, 1, 2])] });
    expect(errorOf(() => inputOf({ ...tensor, data: ['?'] }, IMAGE)).message).toMatch(
      /"x\[0\]" is not base64/,
    );
  });
});

describe('bare JSON', () => {
  it.each<[JsonValue, typeof MATRIX, number[], unknown[]]>([
    [[1, 2], MATRIX, [1, 2], [1, 2]],
    [
      [
        [1, 2],
        [3, 4],
      ],
      MATRIX,
      [2, 2],
      [1, 2, 3, 4],
    ],
    [[1, 2, 3], COLUMN, [3, 1], [1, 2, 3]],
    [[[1], [2]], COLUMN, [2, 1], [1, 2]],
    [7, COLUMN, [1, 1], [7]],
    [7, LIST, [1], [7]],
    [[7, 8], LIST, [2], [7, 8]],
    [
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
      PIXELS,
      [1, 1, 2, 2],
      [1, 2, 3, 4],
    ],
    [
      [
        [
          [
            [1, 2],
            [3, 4],
          ],
        ],
      ],
      PIXELS,
      [1, 1, 2, 2],
      [1, 2, 3, 4],
    ],
    ['a', TEXT, [1, 1], ['a']],
    [['a', 'b'], TEXT, [2, 1], ['a', 'b']],
    [[{ features: [1, 2] }], MATRIX, [1, 2], [1, 2]],
    [{ features: [1, 2] }, MATRIX, [1, 2], [1, 2]],
    [[1, 2], OPEN, [2], [1, 2]],
  ])('%j makes a tensor', (value, model, shape, elements) => {
    const tensor = decodeBare(value, 'body', model, LIMITS).get('x');
    expect(tensor?.shape).toEqual(shape);
    expect(tensor && 'data' in tensor && [...tensor.data]).toEqual(elements);
  });

  it('of features by name goes by them', () => {
    const model = contract(MATRIX.inputs, { features: ['a', 'b'] });
    for (const value of [{ b: 2, a: 1 }, [{ b: 2, a: 1 }]]) {
      expect(decodeBare(value, 'body', model, LIMITS).get('x')).toMatchObject({
        data: Float32Array.from([1, 2]),
      });
    }
  });

  it('that is an empty list has no instances', () => {
    expect(errorOf(() => decodeBare([], 'body', MATRIX, LIMITS)).message).toBe(
      'Field "body" is empty; expected an array of at least one instance.',
    );
  });
});
