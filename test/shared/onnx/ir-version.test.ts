import { describe, expect, it } from 'vitest';
import { encodeField, encodeVarintField } from '../../../shared/onnx/protobuf.ts';
import {
  buildFunction,
  buildModel,
  buildNode,
  externalInitializer,
  FLOAT,
  floatInitializer,
  identityModel,
  integerAttribute,
  tensorValue,
  text,
} from '../../support/build-model.ts';
import { rejectionOf } from '../../support/error-of.ts';
import { inferTensors, serve } from '../../support/make-inference.ts';

const x = tensorValue('x', FLOAT, ['n', 2]);
const y = tensorValue('y', FLOAT, ['n', 2]);
const sum = { nodes: [buildNode('Add', ['x', 'w'], ['y'])], inputs: [x], outputs: [y] };
const weights = floatInitializer('w', [2], [10, 20]);

/** A model, and other fields of the message after its own; of a repeated one the last counts. */
const withFields = (model: Uint8Array, ...fields: readonly Uint8Array[]) => Buffer.concat([model, ...fields]);
const version = (irVersion: number) => encodeVarintField(1, irVersion);
/** A model with a graph that has one more field. */
const withPart = (number: number, part: Uint8Array) =>
  withFields(
    buildModel({ ...sum, initializers: [weights], irVersion: 14 }),
    encodeField(7, encodeField(number, part)),
  );

async function outputOf(files: Readonly<Record<string, Uint8Array>>): Promise<unknown> {
  const { outputs } = await inferTensors(await serve(files), {
    reference: { name: 'm', version: '1' },
    inputs: new Map([['x', { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) }]]),
    outputs: undefined,
  });
  return [...(outputs.get('y')?.data ?? [])];
}

describe('a file of a newer format than the runtime takes', () => {
  const local = {
    functions: [
      buildFunction({
        name: 'Twice',
        inputs: ['a'],
        outputs: ['b'],
        nodes: [buildNode('Add', ['a', 'a'], ['b'])],
      }),
    ],
    opsets: { '': 18, local: 1 },
  };
  const pair = Buffer.concat([encodeField(1, text('key')), encodeField(2, text('value'))]);
  it.each([
    ['14', buildModel({ ...sum, initializers: [weights], irVersion: 14 }), [11, 22]],
    ['15', buildModel({ ...sum, initializers: [weights], irVersion: 15 }), [11, 22]],
    ['99', buildModel({ ...sum, initializers: [weights], irVersion: 99 }), [11, 22]],
    [
      '14, said twice',
      withFields(version(14), buildModel({ ...sum, initializers: [weights] }), version(14)),
      [11, 22],
    ],
    [
      '14, with a function',
      buildModel({
        ...sum,
        ...local,
        nodes: [buildNode('Twice', ['x'], ['y'], { domain: 'local' })],
        irVersion: 14,
      }),
      [2, 4],
    ],
    ['14, with notes', withPart(16, pair), [11, 22]],
    [
      '14, with devices',
      withFields(
        buildModel({ ...sum, initializers: [weights], irVersion: 14 }),
        encodeField(26, Buffer.concat([encodeField(1, text('two')), encodeVarintField(2, 2)])),
      ),
      [11, 22],
    ],
  ])('is served where it has nothing new: %s', async (_, model, expected) => {
    expect(await outputOf({ 'model.onnx': model })).toEqual(expected);
  });

  it('is served with weights in another file', async () => {
    const model = buildModel({ ...sum, initializers: [externalInitializer('w', 'w.bin')], irVersion: 14 });
    const data = Buffer.from(Float32Array.of(10, 20).buffer);
    expect(await outputOf({ 'model.onnx': model, 'w.bin': data })).toEqual([11, 22]);
  });

  const NEWER = 'its IR version 14 is too new for the runtime, which supports up to 13: ';
  it.each([
    [
      'a datatype',
      withPart(5, Buffer.concat([encodeField(8, text('v')), encodeVarintField(2, 27)])),
      'it has the type float6e2m3',
    ],
    [
      'a datatype within a node',
      withPart(
        1,
        buildNode('Constant', [], ['c'], {
          attributes: [
            Buffer.concat([
              encodeField(1, text('value')),
              encodeField(5, encodeVarintField(2, 99)),
              encodeVarintField(20, 4),
            ]),
          ],
        }),
      ),
      'it has the type number 99',
    ],
    ['a datatype of a value', withPart(13, tensorValue('v', 28, [1])), 'it has the type float6e3m2'],
    [
      'a field of the model',
      withFields(identityModel(FLOAT, ['n', 2]), version(14), encodeField(27, text('a'))),
      'its model has the unknown field 27',
    ],
    [
      'a field of a node',
      withPart(1, withFields(buildNode('Identity', ['x'], ['z']), encodeVarintField(11, 1))),
      'its node has the unknown field 11',
    ],
    [
      'a kind of attribute',
      withPart(
        1,
        buildNode('Identity', ['x'], ['z'], {
          attributes: [withFields(integerAttribute('a', 1), encodeVarintField(20, 15))],
        }),
      ),
      'its attribute has the unknown field 20',
    ],
  ])('is refused with what is new in it: %s', async (_, model, problem) => {
    expect((await rejectionOf(outputOf({ 'model.onnx': model }))).message).toContain(NEWER + problem);
  });

  it('is refused for its operators first', async () => {
    const model = buildModel({ ...sum, initializers: [weights], irVersion: 14, opsets: { '': 27 } });
    expect((await rejectionOf(outputOf({ 'model.onnx': model }))).message).toContain(
      'its operator set 27 is too new',
    );
  });
});

describe('a file of an old format', () => {
  it.each([0, 3, 10, 13])('is served: %d', async (irVersion) => {
    const model = buildModel({ ...sum, inputs: [x], nodes: [buildNode('Relu', ['x'], ['y'])], irVersion });
    expect(await outputOf({ 'model.onnx': model })).toEqual([1, 2]);
  });

  it('is refused where it does not say which', async () => {
    // The version is the first field, of two bytes.
    const model = buildModel({ ...sum, initializers: [weights] }).subarray(2);
    expect((await rejectionOf(outputOf({ 'model.onnx': model }))).message).toContain(
      'its file does not say its IR version',
    );
  });
});
