import { describe, expect, it } from 'vitest';
import { MODEL } from '../../../shared/onnx/fields.ts';
import { readGraph } from '../../../shared/onnx/graph.ts';
import { bytesSource, encodeField } from '../../../shared/onnx/protobuf.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../support/build-model.ts';

const build = (metadata: readonly (readonly [string, string])[]) =>
  buildModel({
    nodes: [buildNode('Identity', ['x'], ['y'])],
    inputs: [tensorValue('x', FLOAT, ['n', 2])],
    outputs: [tensorValue('y', FLOAT, ['n', 2])],
    metadata,
  });
const read = async (model: Uint8Array) => (await readGraph(bytesSource(model))).metadata;

describe('the metadata of a graph', () => {
  it('are read in their order, with any content', async () => {
    expect(
      await read(
        build([
          ['stride', '32'],
          ['names', "{0: 'übel'}"],
          ['stride', ''],
          ['', '\u001b[2J'],
        ]),
      ),
    ).toEqual([
      { key: 'stride', value: '32', bytes: 2 },
      { key: 'names', value: "{0: 'übel'}", bytes: 12 },
      { key: 'stride', value: '', bytes: 0 },
      { key: '', value: '\u001b[2J', bytes: 4 },
    ]);
    expect(await read(build([]))).toEqual([]);
  });

  it('are read as far as a megabyte of texts and a hundred names go', async () => {
    const half = 'x'.repeat(700_000);
    const read3 = await read(
      build([
        ['a'.repeat(1000), half],
        ['b', half],
        ['c', 'more'],
      ]),
    );
    expect(read3.map(({ key, value, bytes }) => [key.length, value.length, bytes])).toEqual([
      [256, 700_000, 700_000],
      [1, 1024 * 1024 - 700_000, 700_000],
      [1, 0, 4],
    ]);
    expect(await read(build(Array.from({ length: 5000 }, (_, index) => [`k${index}`, 'v'])))).toHaveLength(
      100,
    );
  });

  it('without a name are ignored', async () => {
    const entry = encodeField(MODEL.metadata, encodeField(2, Buffer.from('value')));
    expect(await read(Buffer.concat([build([['a', 'b']]), entry]))).toEqual([
      { key: 'a', value: 'b', bytes: 1 },
    ]);
  });
});
