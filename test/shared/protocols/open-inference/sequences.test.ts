import { expect, it, onTestFinished } from 'vitest';
import { post } from '../../../contracts/exchanges.ts';
import { buildModel, buildNode, FLOAT, tensorValue } from '../../../support/build-model.ts';
import { openApp } from '../../../support/hosts/in-process.ts';
import { makeFolder } from '../../../support/temporary-folder.ts';

/** A graph that adds what it is given to its state. */
const SUM = buildModel({
  nodes: [buildNode('Add', ['x', 'h'], ['h_out'])],
  inputs: [tensorValue('x', FLOAT, [1, 2]), tensorValue('h', FLOAT, [1, 2])],
  outputs: [tensorValue('h_out', FLOAT, [1, 2])],
});
const CONFIG =
  'sequence_batching { state { input_name: "h" output_name: "h_out" data_type: TYPE_FP32 dims: [ 1, 2 ] } }';
const tensor = (name: string, data: readonly number[]) => ({ name, datatype: 'FP32', shape: [1, 2], data });

/** Sends tensors to a model whose state Triton would keep. */
async function open(files: Readonly<Record<string, string>>) {
  const folder = await makeFolder({ 'sum/1/model.onnx': SUM, 'sum/config.pbtxt': CONFIG, ...files });
  const app = openApp({ MODEL_REPOSITORY: folder });
  onTestFinished(() => app.close());
  return async (...inputs: readonly object[]) => {
    const { status, body } = await app.send(post('/v2/models/sum/infer', { inputs }));
    return { status, body: JSON.parse(body.toString()) };
  };
}

it('are not kept: a model that needs the server to fill its states is not served', async () => {
  const send = await open({});
  expect(await send(tensor('x', [1, 2]))).toMatchObject({
    status: 503,
    body: {
      error: expect.stringContaining(
        'fill the states "h" (sequence_batching), which Ternion does not support',
      ),
    },
  });
});

it('are kept by clients where a model.json says that the graph is served as it is', async () => {
  const send = await open({ 'sum/1/model.json': '{"task": "tensor"}' });
  const first = await send(tensor('x', [1, 2]), tensor('h', [0, 0]));
  expect(first.body.outputs[0].data).toEqual([1, 2]);
  const second = await send(tensor('x', [1, 2]), tensor('h', first.body.outputs[0].data));
  expect(second.body.outputs[0].data).toEqual([2, 4]);
});
