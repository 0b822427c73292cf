import { describe, expect, it } from 'vitest';
import { encodeField, encodeVarintField } from '../../../shared/onnx/protobuf.ts';
import { buildModel, buildNode, FLOAT, identityModel, tensorValue, text } from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { inferOutput, serve, tensorsInput } from '../../support/make-inference.ts';

const problemOf = async (model: Uint8Array) =>
  (await rejectionOf(inferOutput(await serve({ 'model.onnx': model }), tensorsInput([[1]])))).message;

describe('a graph the runtime cannot run', () => {
  it.each([
    ['int4 in', 22, 'input "x" has the type int4, which cannot be served'],
    ['uint4', 21, 'input "x" has the type uint4, which cannot be served'],
    ['bfloat16', 16, 'input "x" has the type bfloat16, which cannot be served'],
    ['float8', 17, 'input "x" has the type float8e4m3fn, which cannot be served'],
    ['a type to come', 99, 'input "x" has the type number 99, which cannot be served'],
  ])('is refused by name: %s', async (_, code, problem) => {
    expect(await problemOf(identityModel(code, ['n', 'm']))).toContain(problem);
  });

  it('is refused for an int4 output, which would abort the process', async () => {
    const model = buildModel({
      nodes: [buildNode('Cast', ['x'], ['y'])],
      inputs: [tensorValue('x', FLOAT, ['n', 'm'])],
      outputs: [tensorValue('y', 22, ['n', 'm'])],
    });
    expect(await problemOf(model)).toContain('output "y" has the type int4, which cannot be served');
  });

  it('is refused for an operator set of the future, by number', async () => {
    // The last of a repeated import counts; a model begins with the one of the builder.
    const opset = encodeField(8, encodeVarintField(2, 27));
    expect(await problemOf(Buffer.concat([identityModel(FLOAT, ['n', 'm']), opset]))).toContain(
      'its operator set 27 is too new for the runtime, which supports up to 26',
    );
  });

  it('is refused for a set of operators of scikit-learn of the future', async () => {
    const domain = encodeField(1, text('ai.onnx.ml'));
    const opset = encodeField(8, Buffer.concat([domain, encodeVarintField(2, 6)]));
    expect(await problemOf(Buffer.concat([identityModel(FLOAT, ['n', 'm']), opset]))).toContain(
      'its operator set 6 of ai.onnx.ml is too new for the runtime, which supports up to 5',
    );
  });

  it('is refused for an output of the one name that would be lost', async () => {
    const model = buildModel({
      nodes: [buildNode('Identity', ['x'], ['__proto__'])],
      inputs: [tensorValue('x', FLOAT, ['n', 'm'])],
      outputs: [tensorValue('__proto__', FLOAT, ['n', 'm'])],
    });
    expect(await problemOf(model)).toContain('an output has the name __proto__, which cannot be served');
  });

  it('is refused for an operator the runtime does not have', async () => {
    const model = buildModel({
      nodes: [buildNode('Frobnicate', ['x'], ['y'], { domain: 'com.example' })],
      inputs: [tensorValue('x', FLOAT, ['n', 'm'])],
      outputs: [tensorValue('y', FLOAT, ['n', 'm'])],
    });
    const imported = encodeField(
      8,
      Buffer.concat([encodeField(1, text('com.example')), encodeVarintField(2, 1)]),
    );
    expect(await problemOf(Buffer.concat([model, imported]))).toContain('an operator that the runtime');
  });
});
