import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import {
  DATATYPE_NAMES,
  DATATYPES,
  type Datatype,
  datatypeOfOnnxCode,
  datatypeOfOnnxName,
  isDatatype,
} from '../../../shared/tensor/datatype.ts';
import { float16ToNumber } from '../../../shared/tensor/float16.ts';
import { identityModel } from '../../support/build-model.ts';

/** `TensorProto.DataType` of onnx.proto and the runtime's names, repeated here on purpose. */
const EXPECTED: Record<Datatype, readonly [code: number, name: string, bytes: number]> = {
  BOOL: [9, 'bool', 1],
  UINT8: [2, 'uint8', 1],
  UINT16: [4, 'uint16', 2],
  UINT32: [12, 'uint32', 4],
  UINT64: [13, 'uint64', 8],
  INT8: [3, 'int8', 1],
  INT16: [5, 'int16', 2],
  INT32: [6, 'int32', 4],
  INT64: [7, 'int64', 8],
  FP16: [10, 'float16', 2],
  FP32: [1, 'float32', 4],
  FP64: [11, 'float64', 8],
  BYTES: [8, 'string', 0],
};

describe('DATATYPES', () => {
  it.each(DATATYPE_NAMES)('%s has the code, name and size of the ONNX standard', (name) => {
    const { code, onnx, elementBytes } = DATATYPES[name];
    expect([code, onnx, elementBytes]).toEqual(EXPECTED[name]);
  });

  it('has every datatype once', () => {
    expect([...DATATYPE_NAMES].sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(DATATYPE_NAMES)('%s has the name under which the runtime reports its code', async (name) => {
    const session = await InferenceSession.create(identityModel(DATATYPES[name].code, [1]));
    const [input] = session.inputMetadata;
    expect(input?.isTensor && input.type).toBe(DATATYPES[name].onnx);
    await session.release();
  });

  it.each(DATATYPE_NAMES.filter((name) => name !== 'FP16'))(
    '%s allocates the kind of memory a tensor of the runtime takes',
    (name) => {
      const data = DATATYPES[name].allocate(3);
      const tensor = new Tensor(DATATYPES[name].onnx, data, [3]);
      expect(tensor.type).toBe(DATATYPES[name].onnx);
      expect(tensor.size).toBe(3);
      if (!Array.isArray(data)) expect(data.BYTES_PER_ELEMENT).toBe(DATATYPES[name].elementBytes);
    },
  );

  it.each(DATATYPE_NAMES.filter((name) => name !== 'BYTES'))(
    '%s keeps 0 and 1 and allocates zeros',
    (name) => {
      const read = (value: unknown) => (name === 'FP16' ? float16ToNumber(Number(value)) : Number(value));
      expect([...DATATYPES[name].fromNumbers([0, 1])].map(read)).toEqual([0, 1]);
      expect([...DATATYPES[name].allocate(2)].map(read)).toEqual([0, 0]);
    },
  );

  it('writes numbers as text for BYTES and allocates empty texts', () => {
    expect(DATATYPES.BYTES.fromNumbers([1, 2.5])).toEqual(['1', '2.5']);
    expect(DATATYPES.BYTES.allocate(2)).toEqual(['', '']);
  });

  it('rounds to the datatype', () => {
    expect([...DATATYPES.FP32.fromNumbers([0.1])]).toEqual([Math.fround(0.1)]);
    expect([...DATATYPES.FP64.fromNumbers([0.1])]).toEqual([0.1]);
    expect([...DATATYPES.FP16.fromNumbers([0.1])]).toEqual([0x2e66]);
    expect([...DATATYPES.INT64.fromNumbers([-(2 ** 53)])]).toEqual([-9007199254740992n]);
  });
});

describe('datatype look-ups', () => {
  it('finds each datatype by its name and its code', () => {
    for (const name of DATATYPE_NAMES) {
      expect(datatypeOfOnnxName(DATATYPES[name].onnx)).toBe(name);
      expect(datatypeOfOnnxCode(DATATYPES[name].code)).toBe(name);
    }
  });

  it('knows neither int4, bfloat16 and float8 nor names of objects', () => {
    // 16 bfloat16, 17-20 float8, 21-22 int4.
    for (const code of [0, 14, 15, 16, 17, 18, 19, 20, 21, 22, -1]) {
      expect(datatypeOfOnnxCode(code)).toBeUndefined();
    }
    for (const name of ['int4', 'bfloat16', 'FP32', '']) expect(datatypeOfOnnxName(name)).toBeUndefined();
    for (const name of ['toString', '__proto__', 'fp32', '']) expect(isDatatype(name)).toBe(false);
    expect(isDatatype('FP32')).toBe(true);
  });
});
