import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSession, type Session, UnsupportedGraphError } from '../../../shared/runtime/session.ts';
import { DATATYPE_NAMES, DATATYPES } from '../../../shared/tensor/datatype.ts';
import { createTensor, type Tensor, toNumbers } from '../../../shared/tensor/tensor.ts';
import {
  buildModel,
  buildNode,
  FLOAT,
  FLOAT16,
  INT64,
  identityModel,
  integerAttribute,
  sequenceValue,
  tensorValue,
} from '../../support/build-model.ts';
import { inMemory } from '../../support/in-memory.ts';
import { makeFolder } from '../../support/temporary-folder.ts';

async function open(model: string | Uint8Array): Promise<Session> {
  const session = await createSession(typeof model === 'string' ? model : inMemory(model), {
    intraOpThreads: 1,
  });
  onTestFinished(() => session.release());
  return session;
}

/** The output of an Identity graph for a tensor: the same tensor, after its way through the runtime. */
async function runIdentity(tensor: Tensor): Promise<Tensor | undefined> {
  const axes = tensor.shape.map(() => '');
  const session = await open(identityModel(DATATYPES[tensor.datatype].code, axes));
  return (await session.run(new Map([['x', tensor]]))).get('y');
}

function numbersOf(tensor: Tensor | undefined): number[] {
  return tensor ? [...toNumbers(tensor)] : [];
}

/** One input; its sum with itself and its negation out. */
const twoOutputs = buildModel({
  nodes: [buildNode('Add', ['x', 'x'], ['double']), buildNode('Neg', ['x'], ['negative'])],
  inputs: [tensorValue('x', FLOAT, ['rows', 2])],
  outputs: [tensorValue('double', FLOAT, ['rows', 2]), tensorValue('negative', FLOAT, ['rows', 2])],
});

describe('createSession', () => {
  it('says what the graph takes and gives; axes without a size are -1', async () => {
    const session = await open(identityModel(FLOAT16, ['batch', '', 3, -1]));
    expect(session.inputs).toEqual([{ name: 'x', datatype: 'FP16', shape: [-1, -1, 3, -1] }]);
    expect(session.outputs).toEqual([{ name: 'y', datatype: 'FP16', shape: [-1, -1, 3, -1] }]);
  });

  it('opens a file as well as bytes', async () => {
    const folder = await makeFolder({ 'model.onnx': twoOutputs });
    const session = await open(join(folder, 'model.onnx'));
    expect(session.outputs.map(({ name }) => name)).toEqual(['double', 'negative']);
  });

  it('runs with every level of graph optimisation', async () => {
    for (const graphOptimization of ['disabled', 'basic', 'extended', 'all'] as const) {
      const session = await createSession(inMemory(twoOutputs), { intraOpThreads: 2, graphOptimization });
      const results = await session.run(new Map([['x', createTensor('FP32', [1, 2], [1, 2])]]));
      expect(results.get('double')).toEqual(createTensor('FP32', [1, 2], [2, 4]));
      await session.release();
    }
  });

  it('rejects bytes that are not a model', async () => {
    await expect(createSession(inMemory(Buffer.from('no model')), { intraOpThreads: 1 })).rejects.toThrow();
  });
});

describe('run', () => {
  it('gives all outputs, or those asked for in their order', async () => {
    const session = await open(twoOutputs);
    const feeds = new Map([['x', createTensor('FP32', [2, 2], [1, 2, 3, 4])]]);
    expect([...(await session.run(feeds))]).toEqual([
      ['double', createTensor('FP32', [2, 2], [2, 4, 6, 8])],
      ['negative', createTensor('FP32', [2, 2], [-1, -2, -3, -4])],
    ]);
    const one = await session.run(feeds, ['negative']);
    expect([...one.keys()]).toEqual(['negative']);
    expect([...(await session.run(feeds, ['negative', 'double'])).keys()]).toEqual(['negative', 'double']);
  });

  it.each(DATATYPE_NAMES)('carries %s in and out', async (datatype) => {
    const tensor = createTensor(datatype, [2, 2], [0, 1, 1, 0]);
    expect(await runIdentity(tensor)).toEqual(tensor);
  });

  it('carries all 65,536 FP16 patterns, those of NaN included', async () => {
    const data = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const result = await runIdentity({ datatype: 'FP16', shape: [65_536], data });
    expect(result?.data).toBeInstanceOf(Uint16Array);
    expect(result?.data).toEqual(data);
  });

  it('computes with FP16 numbers, not with their patterns', async () => {
    const session = await open(
      buildModel({
        nodes: [buildNode('Add', ['x', 'x'], ['y'])],
        inputs: [tensorValue('x', FLOAT16, [3])],
        outputs: [tensorValue('y', FLOAT16, [3])],
      }),
    );
    const results = await session.run(new Map([['x', createTensor('FP16', [3], [1.5, -0.25, 40_000])]]));
    expect(numbersOf(results.get('y'))).toEqual([3, -0.5, Number.POSITIVE_INFINITY]);
  });

  it('reads FP16 that lies in the middle of other memory', async () => {
    const data = Uint16Array.of(1, 2, 0x3c00, 0x4000, 5).subarray(2, 4);
    expect(await runIdentity({ datatype: 'FP16', shape: [2], data })).toEqual({
      datatype: 'FP16',
      shape: [2],
      data: Uint16Array.of(0x3c00, 0x4000),
    });
  });

  it('keeps all digits of 64-bit integers', async () => {
    const signed = { datatype: 'INT64', shape: [2], data: BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n)) };
    const unsigned = { datatype: 'UINT64', shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) };
    expect(await runIdentity({ ...signed, datatype: 'INT64' })).toEqual(signed);
    expect(await runIdentity({ ...unsigned, datatype: 'UINT64' })).toEqual(unsigned);
  });

  it('carries texts beyond ASCII, empty ones and long ones', async () => {
    const tensor: Tensor = { datatype: 'BYTES', shape: [4], data: ['', 'äß', '😀', 'x'.repeat(100_000)] };
    expect(await runIdentity(tensor)).toEqual(tensor);
  });

  it('carries scalars, tensors without elements and numbers that are not finite', async () => {
    const scalar = createTensor('FP32', [], [7]);
    const empty = createTensor('FP32', [0, 2], []);
    const special = createTensor('FP32', [3], [Number.NaN, Infinity, -Infinity]);
    expect(await runIdentity(scalar)).toEqual(scalar);
    expect(await runIdentity(empty)).toEqual(empty);
    expect(await runIdentity(special)).toEqual(special);
  });

  it('rejects a shape the graph does not take', async () => {
    const session = await open(twoOutputs);
    await expect(session.run(new Map([['x', createTensor('FP32', [1, 3], [1, 2, 3])]]))).rejects.toThrow();
  });
});

describe('graphs that cannot be served', () => {
  it.each([
    [22, 'int4'],
    [21, 'uint4'],
  ])(
    'are refused at load where an output has the type %i (%s), whose run would end the process',
    async (code, name) => {
      const model = buildModel({
        nodes: [buildNode('Cast', ['x'], ['y'], { attributes: [castTo(code)] })],
        inputs: [tensorValue('x', FLOAT, [2])],
        outputs: [tensorValue('y', code, [2])],
        opsets: { '': 21 },
      });
      await expectUnsupported(model, `output "y" has the type ${name}, which cannot be served`);
    },
  );

  it('are refused where an input is int4', async () => {
    const model = buildModel({
      nodes: [buildNode('Cast', ['x'], ['y'], { attributes: [castTo(FLOAT)] })],
      inputs: [tensorValue('x', 22, [2])],
      outputs: [tensorValue('y', FLOAT, [2])],
      opsets: { '': 21 },
    });
    await expectUnsupported(model, 'input "x" has the type int4, which cannot be served');
  });

  it('are refused where an input is a sequence', async () => {
    const model = buildModel({
      nodes: [buildNode('SequenceLength', ['x'], ['y'])],
      inputs: [sequenceValue('x', FLOAT)],
      outputs: [tensorValue('y', INT64, [])],
    });
    await expectUnsupported(model, 'input "x" is not a tensor (a sequence, map or optional)');
  });

  it('are refused where an input is bfloat16', async () => {
    const model = identityModel(16, [1]);
    await expect(createSession(inMemory(model), { intraOpThreads: 1 })).rejects.toThrow(
      'input "x" has the type bfloat16, which cannot be served',
    );
  });

  it('are not those with a sequence among the outputs: it is left out', async () => {
    const session = await open(
      buildModel({
        nodes: [buildNode('SequenceConstruct', ['x', 'x'], ['pair']), buildNode('Neg', ['x'], ['negative'])],
        inputs: [tensorValue('x', FLOAT, [2])],
        outputs: [sequenceValue('pair', FLOAT), tensorValue('negative', FLOAT, [2])],
      }),
    );
    expect(session.outputs.map(({ name }) => name)).toEqual(['negative']);
    const results = await session.run(new Map([['x', createTensor('FP32', [2], [1, 2])]]));
    expect([...results.keys()]).toEqual(['negative']);
  });

  it('are refused where no output is a tensor', async () => {
    const model = buildModel({
      nodes: [buildNode('SequenceConstruct', ['x', 'x'], ['pair'])],
      inputs: [tensorValue('x', FLOAT, [2])],
      outputs: [sequenceValue('pair', FLOAT)],
    });
    await expectUnsupported(model, 'none of its outputs is a tensor');
  });
});

async function expectUnsupported(model: Uint8Array, message: string): Promise<void> {
  const created = createSession(inMemory(model), { intraOpThreads: 1 });
  await expect(created).rejects.toThrow(UnsupportedGraphError);
  await expect(created).rejects.toThrow(message);
}

/** The attribute `to` of a Cast. */
function castTo(elementType: number): Uint8Array {
  return integerAttribute('to', elementType);
}
