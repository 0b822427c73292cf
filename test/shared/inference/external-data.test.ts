import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../error-of.ts';
import { buildModel, buildNode, externalInitializer, FLOAT, tensorValue } from '../onnx/build-model.ts';
import { inferOutput, serve, tensorsInput } from './make-inference.ts';

const sumWith = (location: string) =>
  buildModel({
    nodes: [buildNode('Add', ['x', 'w'], ['y'])],
    inputs: [tensorValue('x', FLOAT, [2])],
    outputs: [tensorValue('y', FLOAT, [2])],
    initializers: [externalInitializer('w', location)],
  });

const WEIGHTS = Buffer.from(Float32Array.of(10, 20).buffer);

describe('a model with external data', () => {
  it('finds it beside itself', async () => {
    const inference = await serve({ 'model.onnx': sumWith('weights.data'), 'weights.data': WEIGHTS });
    const output = await inferOutput(inference, tensorsInput([1, 2]));
    expect(output.kind === 'tensors' && [...(output.tensors.get('y')?.data ?? [])]).toEqual([11, 22]);
  });

  it.each([
    ['is missing', 'weights.data'],
    ['escapes its folder', '../../../../etc/passwd'],
    ['is an absolute path', '/etc/passwd'],
  ])('is refused when it %s, without a path in the reason', async (_, location) => {
    const { message } = await rejectionOf(
      inferOutput(await serve({ 'model.onnx': sumWith(location) }), tensorsInput([1, 2])),
    );
    expect(message).toBe(
      'Model "m" version "1" cannot be loaded: its external data file is missing, lies outside its folder, or cannot be read.',
    );
  });
});

describe('a model without inputs', () => {
  it('runs on nothing', async () => {
    const model = buildModel({
      nodes: [buildNode('Identity', ['w'], ['y'])],
      inputs: [],
      outputs: [tensorValue('y', FLOAT, [2])],
      initializers: [externalInitializer('w', 'weights.data')],
    });
    const inference = await serve({ 'model.onnx': model, 'weights.data': WEIGHTS });
    const reference = { name: 'm', version: '1' };
    const { outputs } = await inference.inferTensors({ reference, inputs: new Map(), outputs: undefined });
    expect([...(outputs.get('y')?.data ?? [])]).toEqual([10, 20]);
  });
});
