import { describe, expect, it } from 'vitest';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { inferOutput, makeInference, serve, tensorsInput } from '../../support/make-inference.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

/** Gives its input `x`, float32 `[n, 6]`, back as `y`. */
const model = buildModel({
  nodes: [buildNode('Identity', ['x'], ['y'])],
  inputs: [tensorValue('x', FLOAT, ['n', 6])],
  outputs: [tensorValue('y', FLOAT, ['n', 6])],
});
const serveShapes = (shapes: object) =>
  serve({ 'model.onnx': model, 'model.json': JSON.stringify({ task: 'tensor', shapes }) });
const ROWS = [
  [
    [1, 2, 3],
    [4, 5, 6],
  ],
];

describe('a model with other shapes for clients', () => {
  it('takes and gives them', async () => {
    const inference = await serveShapes({ x: [-1, 2, 3], y: [-1, 3, 2] });
    expect(await inferOutput(inference, tensorsInput({ x: ROWS }))).toMatchObject({
      tensors: new Map([
        ['y', { datatype: 'FP32', shape: [1, 3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
      ]),
    });
    const error = await rejectionOf(inferOutput(inference, tensorsInput({ x: [[1, 2, 3, 4, 5, 6]] })));
    expect(error.message).toContain('[-1,2,3]');
  });

  it('takes those of a config.pbtxt next to its versions', async () => {
    const config = 'max_batch_size: 4 input { name: "x" dims: [ 2, 3 ] reshape { shape: [ 6 ] } }';
    const folder = await makeFolder({ 'm/1/model.onnx': model, 'm/config.pbtxt': config });
    const { inference } = makeInference(folder);
    expect(await inferOutput(inference, tensorsInput({ x: ROWS }))).toMatchObject({
      tensors: new Map([['y', { datatype: 'FP32', shape: [1, 6], data: Float32Array.of(1, 2, 3, 4, 5, 6) }]]),
    });
  });

  it.each([
    [{ z: [1] }, 'its "shapes" name "z", but its graph has x, y'],
    [{ x: [-1, 5] }, 'its "shapes" make x [-1,5], but its graph has [-1,6] there'],
    [{ x: [6] }, 'its "shapes" make x [6], but its graph has [-1,6] there'],
    [{ x: [0] }, 'its model.json is not valid (shapes.x.0: must be a size, or -1 for any size)'],
  ])('is refused where the elements do not fit: %j', async (shapes, reason) => {
    const error = await rejectionOf(inferOutput(await serveShapes(shapes), tensorsInput({ x: ROWS })));
    expect(error.message).toContain(reason);
  });
});
