import type { Limits } from '../config.ts';
import { invalid } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import { measureNesting } from '../json/nesting.ts';
import type { WritableJson } from '../json/write-json.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { roundTensor } from '../tensor/cast.ts';
import { DATATYPES, isFloatType } from '../tensor/datatype.ts';
import { toNested } from '../tensor/nested.ts';
import type { NpyArray } from '../tensor/npy.ts';
import { sliceRows, type Tensor } from '../tensor/tensor.ts';
import type { ModelContract, TextInput } from './contract.ts';
import { decodeImageValue } from './image-value.ts';
import { checkInstances, decodeRows, imagesOf, takesJson } from './instances.ts';
import { fitShape, type NamedInputs, type TensorInput } from './named-inputs.ts';
import { jsonTexts } from './nested-values.ts';

/**
 * The inputs that NumPy arrays make. A single array goes to a model's only input under any name. As in JSON, whole
 * numbers are taken as floats, and an array without an axis of instances is one instance.
 *
 * @throws InferenceError when texts for an image model are not base64
 */
export function inputsOfArrays(
  arrays: ReadonlyMap<string, NpyArray>,
  contract: ModelContract,
  limits: Limits,
): NamedInputs {
  if (takesJson(contract)) return instancesOfArrays(arrays, contract, limits);
  const { inputs, textInput } = contract;
  const [only, ...others] = inputs;
  const [first, ...more] = arrays.values();
  if (textInput?.isPrepared && first?.datatype === 'BYTES' && more.length === 0) {
    return new Map([[textInput.name, textsOfArray(first, textInput, limits)]]);
  }
  const named =
    only && first && others.length === 0 && more.length === 0 ? new Map([[only.name, first]]) : arrays;
  return new Map(
    [...named].map(([name, array]) => {
      const spec = inputs.find((input) => input.name === name);
      return [name, spec ? adapt(array, spec, contract, limits) : array.read()];
    }),
  );
}

/** Names of arrays that have none: that of an npy file here, and the one that `numpy.savez` makes up. */
const UNNAMED: readonly string[] = ['body', 'arr_0'];

/** One array without a name has the instances, others are columns. */
function instancesOfArrays(
  arrays: ReadonlyMap<string, NpyArray>,
  { inputs }: ModelContract,
  limits: Limits,
): NamedInputs {
  const columns = [...arrays].map(([name, array]) => ({ name, tensor: array.read() }));
  const [first, ...others] = columns;
  const rows = first?.tensor.shape[0] ?? 1;
  checkInstances(rows, first?.name ?? 'body', limits);
  for (const { name, tensor } of others) {
    if (tensor.shape[0] === rows) continue;
    throw invalid(`Input "${name}"`, `has ${tensor.shape[0] ?? 1} rows; the first one has ${rows}.`);
  }
  const isUnnamed = others.length === 0 && UNNAMED.includes(first?.name ?? 'body');
  const instances = Array.from({ length: rows }, (_, row) => {
    const cells = columns.map(({ name, tensor }): [string, WritableJson] => {
      const { shape, ...cell } = sliceRows(tensor, row, row + 1);
      return [name, toNested({ ...cell, shape: shape.slice(1) })];
    });
    return isUnnamed ? cells[0]?.[1] : new Map(cells);
  });
  return new Map([[inputs[0]?.name ?? '', jsonTexts(instances)]]);
}

/** Texts are known by their datatype: the graph takes none. */
function textsOfArray(array: NpyArray, { name }: TextInput, limits: Limits): TensorInput {
  const { shape, data } = array.read();
  checkInstances(shape[0] ?? 1, name, limits);
  return { datatype: 'BYTES', shape, elements: Array.from(data, String) };
}

function adapt(array: NpyArray, spec: TensorSpec, contract: ModelContract, limits: Limits): TensorInput {
  const fitted = fitAxes(array.shape, spec);
  // Checked before its elements are read. Any number of instances is accepted: a graph with a fixed batch size gets
  // them in portions.
  if (spec.name !== contract.imageInput) {
    const anyBatch = spec.shape.map((size, axis) => (axis === 0 ? -1 : size));
    fitShape({ shape: fitted }, { ...spec, shape: anyBatch }, `Input "${spec.name}"`);
  }
  const { datatype, shape, data } = array.read();
  if (Array.isArray(data)) {
    if (spec.name !== contract.imageInput) return { datatype: 'BYTES', shape, elements: data };
    checkInstances(data.length, spec.name, limits);
    return imagesOf(data.map((text, index) => decodeImageValue(text, spec.name, `${spec.name}[${index}]`)));
  }
  const read: Tensor = { datatype, shape: fitted, data };
  const isWhole = DATATYPES[datatype].kind === 'integer';
  return isWhole && isFloatType(spec.datatype)
    ? roundTensor(read, spec.datatype, { field: `Input "${spec.name}"`, bodyBytes: limits.bodyBytes })
    : read;
}

function fitAxes(shape: readonly number[], spec: TensorSpec): readonly number[] {
  if (spec.isRankDynamic || shape.length !== spec.shape.length - 1) return shape;
  return takesColumns(spec) ? [...shape, 1] : [1, ...shape];
}

/** Whether a list without an axis is one of values rather than one instance. */
function takesColumns({ shape }: TensorSpec): boolean {
  return shape.length > 1 && shape.at(-1) === 1;
}

/**
 * The tensors of JSON that is not an object: nested lists as NumPy prints them, a list of instances, or one instance. A
 * list with one level fewer than the axes of the model's input is one instance. Source: SageMaker's inference toolkit,
 * and the generic JSON of its TensorFlow Serving container.
 *
 * @throws InferenceError
 */
export function decodeBare(
  value: JsonValue,
  field: string,
  contract: ModelContract,
  limits: Limits,
): NamedInputs {
  return decodeRows(
    Array.isArray(value) && !isOneInstance(value, contract) ? value : [value],
    field,
    contract,
    limits,
  );
}

function isOneInstance(value: readonly JsonValue[], { inputs, textInput }: ModelContract): boolean {
  const [only, ...others] = inputs;
  if (!only || others.length > 0 || only.isRankDynamic || takesColumns(only) || value.length === 0)
    return false;
  const { shape, leaf } = measureNesting(value);
  if (textInput?.isPrepared && typeof leaf === 'string') return false;
  // An object is a whole instance, however many lists are around it.
  const depth = typeof leaf === 'object' && leaf !== null ? 0 : shape.length;
  return depth === only.shape.length - 1;
}
