import { invalid } from '../errors.ts';
import { DATATYPES, type Datatype, FLOAT_BOUNDS, INTEGER_RANGES, type TensorData } from './datatype.ts';
import { float16ToNumber, numberToFloat16 } from './float16.ts';
import { type Tensor, toNumbers } from './tensor.ts';

/**
 * The tensor in another datatype. Floats are rounded to the nearest value of another float type; all other conversions
 * between numbers and truth values are made only if the other type has each value. Clients cannot know which type a
 * graph was exported with.
 *
 * @param field what to call the tensor in an error
 * @throws InferenceError for texts, and naming the first value that does not fit
 */
export function castTensor(tensor: Tensor, datatype: Datatype, field: string): Tensor {
  if (tensor.datatype === datatype) return tensor;
  const from = DATATYPES[tensor.datatype].kind;
  const to = DATATYPES[datatype].kind;
  if (from === 'string' || to === 'string') {
    throw invalid(field, `has the datatype ${tensor.datatype}; expected ${datatype}.`);
  }
  if (from === 'float' && to === 'float') return castFloats(tensor, datatype, field);
  return castExactly(tensor, datatype, field);
}

function castFloats(tensor: Tensor, datatype: Datatype, field: string): Tensor {
  const numbers = toNumbers(tensor);
  const bound = FLOAT_BOUNDS[datatype] ?? Number.POSITIVE_INFINITY;
  const index = numbers.findIndex((value) => Number.isFinite(value) && Math.abs(value) >= bound);
  if (index !== -1) throw doesNotFit(field, index, numbers[index], datatype);
  return { datatype, shape: tensor.shape, data: DATATYPES[datatype].fromNumbers(numbers) };
}

/** Each value as it was, to the last digit. */
function castExactly(tensor: Tensor, datatype: Datatype, field: string): Tensor {
  const given = tensor.datatype === 'FP16' ? toNumbers(tensor) : tensor.data;
  const data = DATATYPES[datatype].allocate(given.length);
  const wrong = fillExactly(data, given, datatype);
  if (wrong !== -1) throw doesNotFit(field, wrong, given[wrong], datatype);
  return { datatype, shape: tensor.shape, data };
}

/** The index of the first value that the datatype lacks; -1 when it has them all. */
function fillExactly(data: TensorData, given: ArrayLike<unknown>, datatype: Datatype): number {
  const [low, high] = datatype === 'BOOL' ? [0, 1] : (INTEGER_RANGES[datatype] ?? [-Infinity, Infinity]);
  const isFloat = DATATYPES[datatype].kind === 'float';
  for (let i = 0; i < given.length; i++) {
    const value = given[i];
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      if (typeof value !== 'bigint' && !Number.isInteger(value)) return i;
      const whole = BigInt(Number.isInteger(value) ? Number(value) : String(value));
      data[i] = whole;
      if (data[i] !== whole) return i;
    } else if (!Array.isArray(data)) {
      const number = Number(value);
      if (typeof value === 'bigint' && BigInt(number) !== value) return i;
      if (!isFloat && !(Number.isInteger(number) && number >= low && number <= high)) return i;
      data[i] = datatype === 'FP16' ? numberToFloat16(number) : number;
      if (isFloat && (datatype === 'FP16' ? float16ToNumber(Number(data[i])) : data[i]) !== number) return i;
    }
  }
  return -1;
}

function doesNotFit(field: string, index: number, value: unknown, datatype: Datatype) {
  return invalid(
    `Element ${index} of ${field} is ${value}, which does not fit into the model's ${datatype}.`,
  );
}
