import { describe, expect, it } from 'vitest';
import { buildModel, buildNode, FLOAT, INT64, tensorValue } from '../../support/build-model.ts';
import { inferOutput, lookAt, makeInference, tensorsInput } from '../../support/make-inference.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

/** Division fails on the zeros of a made-up input where it is of whole numbers. */
const quotient = (type: number) =>
  buildModel({
    nodes: [buildNode('Div', ['a', 'b'], ['y'])],
    inputs: [tensorValue('a', type, [1]), tensorValue('b', type, [1])],
    outputs: [tensorValue('y', type, [1])],
  });

describe('the first run on made-up input', () => {
  it('is not made where inputs may be axes, counts or indices: some operators never end on zeros', async () => {
    const { inference, log } = makeInference(await makeFolder({ 'm/1/model.onnx': quotient(INT64) }));
    const output = await inferOutput(inference, tensorsInput({ a: [7], b: [2] }));
    expect(output.kind === 'tensors' && output.tensors.get('y')?.data).toEqual(BigInt64Array.of(3n));
    expect(log.map(({ message }) => message)).toEqual(['model loaded']);
  });

  it('does not keep a model from being served when it fails', async () => {
    const model = buildModel({
      nodes: [buildNode('MatMul', ['a', 'b'], ['y'])],
      inputs: [tensorValue('a', FLOAT, ['n', 2]), tensorValue('b', FLOAT, ['m', 2])],
      outputs: [tensorValue('y', FLOAT, ['n', 'k'])],
    });
    const { inference, log } = makeInference(await makeFolder({ 'm/1/model.onnx': model }));
    const output = await inferOutput(
      inference,
      tensorsInput({
        a: [[1, 2]],
        b: [
          [3, 4],
          [5, 6],
        ],
      }),
    );
    expect(output.kind === 'tensors' && output.tensors.get('y')?.data).toEqual(Float32Array.of(13, 16));
    expect(log.map(({ message }) => message)).toEqual(['warm-up failed', 'model loaded']);
  });

  it('is not made of a billion rows where a graph takes so many at once', async () => {
    const model = buildModel({
      nodes: [buildNode('Identity', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, [1_000_000_000, 3])],
      outputs: [tensorValue('y', FLOAT, [1_000_000_000, 3])],
    });
    const config = JSON.stringify({ task: 'tabular-classification' });
    const folder = await makeFolder({ 'm/1/model.onnx': model, 'm/1/model.json': config });
    const { inference, log } = makeInference(folder);
    const example = await lookAt(inference, { name: 'm', version: '1' }, (loaded) => loaded.example);
    expect([example, log.map(({ message }) => message)]).toEqual([undefined, ['model loaded']]);
  });
});
