import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensorToBytes } from '../../../../shared/tensor/bytes.ts';
import { DATATYPE_NAMES, DATATYPES, type Datatype } from '../../../../shared/tensor/datatype.ts';
import { float16ToNumber, numberToFloat16 } from '../../../../shared/tensor/float16.ts';
import { shortestFloat32 } from '../../../../shared/tensor/float32.ts';
import { FLOAT, identityModel } from '../../../support/build-model.ts';
import { infer, serveModels, split } from '../../../support/serve-models.ts';

/** Elements of each datatype, as exact as in binary. */
const ELEMENTS: Record<Datatype, fc.Arbitrary<number | bigint | string>> = {
  BOOL: fc.integer({ min: 0, max: 1 }),
  UINT8: fc.integer({ min: 0, max: 255 }),
  UINT16: fc.integer({ min: 0, max: 65_535 }),
  UINT32: fc.integer({ min: 0, max: 4_294_967_295 }),
  UINT64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  INT8: fc.integer({ min: -128, max: 127 }),
  INT16: fc.integer({ min: -32_768, max: 32_767 }),
  INT32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  INT64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  FP16: fc.double({ min: -65_504, max: 65_504, noNaN: true }).map((value) => numberToFloat16(value)),
  FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  BYTES: fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed() && !text.includes('\0')),
};

const models = Object.fromEntries(
  DATATYPE_NAMES.map((name) => [name.toLowerCase(), identityModel(DATATYPES[name].code, ['n', 'm'])]),
);

describe.each(DATATYPE_NAMES)('an inference on %s', (datatype) => {
  const shapes = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 4 }));
  const tensors = shapes.chain(([rows, columns]) =>
    fc.record({
      shape: fc.constant([rows, columns]),
      elements: fc.array(ELEMENTS[datatype], { minLength: rows * columns, maxLength: rows * columns }),
    }),
  );

  it('returns the bytes that it was sent', async () => {
    const host = await serveModels(models);
    await fc.assert(
      fc.asyncProperty(tensors, async ({ shape, elements }) => {
        const bytes = toBytes(datatype, elements);
        const input = { name: 'x', datatype, shape, parameters: { binary_data_size: bytes.length } };
        const parameters = { binary_data_output: true };
        const request = Buffer.from(JSON.stringify({ id: 'a', inputs: [input], parameters }));
        const answer = await host.send({
          method: 'POST',
          path: `/v2/models/${datatype.toLowerCase()}/infer`,
          headers: { 'inference-header-content-length': String(request.length) },
          body: Buffer.concat([request, bytes]),
        });
        expect(answer.status, answer.body.toString()).toBe(200);
        const { json, tail } = split(answer);
        expect(json).toEqual({
          id: 'a',
          model_name: datatype.toLowerCase(),
          model_version: '1',
          outputs: [{ name: 'y', datatype, shape, parameters: { binary_data_size: bytes.length } }],
        });
        expect(tail.equals(bytes)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('returns the JSON that it was sent, flat and nested, with all digits', async () => {
    const host = await serveModels(models);
    await fc.assert(
      fc.asyncProperty(tensors, fc.boolean(), async ({ shape, elements }, isNested) => {
        const texts = elements.map((element) => toJson(datatype, element));
        const data = isNested ? nest(texts, shape[1] ?? 0) : `[${texts.join(',')}]`;
        const answer = await infer(
          host,
          datatype.toLowerCase(),
          `{"inputs":[{"name":"x","datatype":"${datatype}","shape":[${shape}],"data":${data}}]}`,
        );
        expect(answer.status, answer.body.toString()).toBe(200);
        const [, given = ''] = /"data":\[(.*)\]\}\]\}$/s.exec(split(answer).text) ?? [];
        expect(given.replace(/-0\.0(?=,|$)/g, '0')).toBe(texts.join(',').replace(/-0(?=,|$)/g, '0'));
      }),
      { numRuns: 40 },
    );
  });
});

describe('float32 in JSON', () => {
  it('takes null for NaN, and answers null for what is not finite unless the words are asked for', async () => {
    const request =
      '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,4],"data":[null,NaN,-Infinity,0.1]}]}';
    const host = await serveModels(models);
    expect(split(await infer(host, 'fp32', request)).text).toContain('"data":[null,null,null,0.1]');
    const literal = await serveModels(models, { NON_FINITE_JSON: 'literal' });
    const answer = (await infer(literal, 'fp32', request)).body.toString();
    expect(answer).toContain('"data":[NaN,NaN,-Infinity,0.1]');
  });
});

describe('datatypes that differ', () => {
  it('are cast where that is safe and refused where it is not', async () => {
    const host = await serveModels(models);
    const ask = async (model: string, datatype: string, data: unknown[]) => {
      const answer = await infer(host, model, {
        inputs: [{ name: 'x', datatype, shape: [1, data.length], data }],
      });
      const { json } = split(answer);
      return answer.status === 200 ? json.outputs[0].data : json.error;
    };
    expect(await ask('fp32', 'FP64', [0.1, 2])).toEqual([0.1, 2]);
    expect(await ask('fp16', 'FP32', [0.5])).toEqual([0.5]);
    expect(await ask('int8', 'INT64', [-128, 127])).toEqual([-128, 127]);
    expect(await ask('uint64', 'INT32', [7])).toEqual([7]);
    expect(await ask('fp32', 'FP64', [1e39])).toBe(
      'Element 0 of Input "x" is 1e+39, which does not fit into the model\'s FP32.',
    );
    expect(await ask('int8', 'INT64', [128])).toBe(
      'Element 0 of Input "x" is 128, which does not fit into the model\'s INT8.',
    );
    expect(await ask('uint64', 'INT32', [-1])).toBe(
      'Element 0 of Input "x" is -1, which does not fit into the model\'s UINT64.',
    );
    expect(await ask('fp32', 'INT32', [1])).toEqual([1]);
    expect(await ask('fp32', 'INT64', [2 ** 24, -8])).toEqual([2 ** 24, -8]);
    expect(await ask('fp32', 'INT64', [1, 2 ** 24 + 1])).toBe(
      'Element 1 of Input "x" is 16777217, which does not fit into the model\'s FP32.',
    );
    expect(await ask('fp16', 'UINT8', [255])).toEqual([255]);
    expect(await ask('fp16', 'INT32', [2049])).toMatch(/is 2049, which does not fit into the model's FP16/);
    expect(await ask('fp32', 'BOOL', [true, false])).toEqual([1, 0]);
    expect(await ask('int8', 'FP64', [-128, 127])).toEqual([-128, 127]);
    expect(await ask('int8', 'FP32', [1.5])).toMatch(/is 1.5, which does not fit into the model's INT8/);
    expect(await ask('uint64', 'FP32', [3])).toEqual([3]);
    expect(await ask('fp32', 'BYTES', ['1'])).toBe('Input "x" has the datatype BYTES; expected FP32.');
  });
});

describe('a scalar', () => {
  it('has the shape [] and one element', async () => {
    const host = await serveModels({ scalar: identityModel(FLOAT, []) });
    const answer = await infer(host, 'scalar', {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [], data: [1.5] }],
    });
    expect(split(answer).json.outputs).toEqual([{ name: 'y', datatype: 'FP32', shape: [], data: [1.5] }]);
  });
});

function toBytes(datatype: Datatype, elements: readonly (number | bigint | string)[]): Buffer {
  const data = DATATYPES[datatype].allocate(elements.length);
  for (const [index, element] of elements.entries()) Object.assign(data, { [index]: element });
  return Buffer.from(tensorToBytes({ datatype, shape: [elements.length], data }));
}

function toJson(datatype: Datatype, element: number | bigint | string): string {
  if (datatype === 'BOOL') return element === 1 ? 'true' : 'false';
  if (datatype === 'FP16') return String(shortestFloat32(float16ToNumber(Number(element))));
  if (datatype === 'FP32') return String(shortestFloat32(Number(element)));
  return typeof element === 'bigint' ? element.toString() : JSON.stringify(element);
}

function nest(texts: readonly string[], columns: number): string {
  if (columns === 0) return '[]';
  const rows = Array.from({ length: texts.length / columns }, (_, row) =>
    texts.slice(row * columns, (row + 1) * columns),
  );
  return `[${rows.map((row) => `[${row.join(',')}]`).join(',')}]`;
}
