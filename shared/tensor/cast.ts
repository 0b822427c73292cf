import { invalid } from '../errors.ts';
import { DATATYPES, type Datatype, FLOAT_BOUNDS, INTEGER_RANGES } from './datatype.ts';
import { type Tensor, toNumbers } from './tensor.ts';

/**
 * The tensor in another datatype, where that is safe: between floats, rounding to the nearest, and between whole
 * numbers that fit. JSON clients cannot know which of them a graph was exported with.
 *
 * @param field what to call the tensor in an error
 * @throws InferenceError for any other pair, and for values that do not fit
 */
export function castTensor(tensor: Tensor, datatype: Datatype, field: string): Tensor {
  if (tensor.datatype === datatype) return tensor;
  const from = DATATYPES[tensor.datatype].kind;
  const to = DATATYPES[datatype].kind;
  if (from === 'float' && to === 'float') return castFloats(tensor, datatype, field);
  if (from === 'integer' && to === 'integer') return castIntegers(tensor, datatype, field);
  throw invalid(field, `has the datatype ${tensor.datatype}; expected ${datatype}.`);
}

function castFloats(tensor: Tensor, datatype: Datatype, field: string): Tensor {
  const numbers = toNumbers(tensor);
  const bound = FLOAT_BOUNDS[datatype] ?? Number.POSITIVE_INFINITY;
  const index = numbers.findIndex((value) => Number.isFinite(value) && Math.abs(value) >= bound);
  if (index !== -1) throw tooLarge(field, index, numbers[index], datatype);
  return { datatype, shape: tensor.shape, data: DATATYPES[datatype].fromNumbers(numbers) };
}

function castIntegers(tensor: Tensor, datatype: Datatype, field: string): Tensor {
  const data = DATATYPES[datatype].allocate(tensor.data.length);
  const [low, high] = INTEGER_RANGES[datatype] ?? [0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = BigInt(tensor.data[i] ?? 0);
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      data[i] = value;
      if (data[i] !== value) throw tooLarge(field, i, value, datatype);
    } else {
      const number = Number(value);
      if (number < low || number > high) throw tooLarge(field, i, value, datatype);
      data[i] = number;
    }
  }
  return { datatype, shape: tensor.shape, data };
}

function tooLarge(field: string, index: number, value: unknown, datatype: Datatype) {
  return invalid(
    `Element ${index} of ${field} is ${value}, which does not fit into the model's ${datatype}.`,
  );
}
