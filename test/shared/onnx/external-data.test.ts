import { describe, expect, it } from 'vitest';
import { readExternalLocations } from '../../../shared/onnx/external-data.ts';
import { bytesSource, encodeField, ProtobufError } from '../../../shared/onnx/protobuf.ts';
import {
  buildModel,
  buildNode,
  externalInitializer,
  FLOAT,
  join,
  tensorValue,
  text,
} from '../../support/build-model.ts';

const tensor = (location: string) => externalInitializer('weights.bin', location);
const attribute = (field: number, content: Uint8Array) =>
  join([encodeField(1, text('value')), encodeField(field, content)]);
const node = (field: number, content: Uint8Array) =>
  buildNode('Other', ['in.bin'], ['out.bin'], { attributes: [attribute(field, content)] });
const ends = { inputs: [tensorValue('x.bin', FLOAT, [1])], outputs: [tensorValue('y.bin', FLOAT, [1])] };
const locationsOf = (bytes: Uint8Array) => [...readExternalLocations(bytesSource(bytes))].sort();

describe('the external data of a model', () => {
  it('is what tensors name, anywhere in the graph, and no other text', () => {
    const nested = encodeField(1, node(5, tensor('nested')));
    const model = buildModel({
      ...ends,
      nodes: [node(5, tensor('constant')), node(10, tensor('constants')), node(6, nested)],
      initializers: [tensor('weights'), tensor('weights'), tensor('below/more')],
    });
    const inFunction = encodeField(25, encodeField(7, node(22, encodeField(1, tensor('sparse')))));
    expect(locationsOf(join([model, inFunction]))).toEqual([
      'below/more',
      'constant',
      'constants',
      'nested',
      'sparse',
      'weights',
    ]);
  });

  it('is not there for a model in a single file', () => {
    expect(
      locationsOf(buildModel({ ...ends, nodes: [buildNode('Identity', ['x.bin'], ['y.bin'])] })),
    ).toEqual([]);
  });

  it('cannot be read from what is not a model', () => {
    expect(() => locationsOf(text('not a model'))).toThrow(ProtobufError);
  });
});
