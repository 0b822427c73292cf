import type { Limits } from '../../config.ts';
import type { NamedInputs, TensorInput } from '../../inference/check-feeds.ts';
import { measureNesting } from '../../json/nesting.ts';
import type { JsonValue } from '../../json/parse-json.ts';
import type { NamedTensors, TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { type Tensor, toNumbers } from '../../tensor/tensor.ts';
import { decodeImageValue } from './image-value.ts';
import type { ModelContract } from './model-contract.ts';
import { checkInstances, decodeRows, imagesOf } from './rows.ts';

/**
 * The inputs that arrays of NumPy make. A single array goes to a model's single input, whatever it is called. Whole
 * numbers are taken for floats, as in JSON, and an array without an axis of instances for one instance.
 *
 * @throws InferenceError when texts for an image model are no base64
 */
export function inputsOfArrays(arrays: NamedTensors, contract: ModelContract, limits: Limits): NamedInputs {
  const { inputs } = contract;
  const [only, ...others] = inputs;
  const [first, ...more] = arrays.values();
  const named =
    only && first && others.length === 0 && more.length === 0 ? new Map([[only.name, first]]) : arrays;
  return new Map(
    [...named].map(([name, tensor]) => {
      const spec = inputs.find((input) => input.name === name);
      return [name, spec ? adapt(tensor, spec, contract, limits) : tensor];
    }),
  );
}

function adapt(
  { datatype, shape, data }: Tensor,
  spec: TensorSpec,
  contract: ModelContract,
  limits: Limits,
): TensorInput {
  if (Array.isArray(data)) {
    if (spec.name !== contract.imageInput) return { datatype: 'BYTES', shape, elements: data };
    checkInstances(data.length, spec.name, limits);
    return imagesOf(data.map((text, index) => decodeImageValue(text, spec.name, `${spec.name}[${index}]`)));
  }
  const isWidened = DATATYPES[datatype].kind === 'integer' && DATATYPES[spec.datatype].kind === 'float';
  const fitted = fitAxes(shape, spec);
  return isWidened
    ? { datatype: 'FP64', shape: fitted, data: toNumbers({ datatype, shape, data }) }
    : { datatype, shape: fitted, data };
}

function fitAxes(shape: readonly number[], spec: TensorSpec): readonly number[] {
  if (spec.isRankOpen || shape.length !== spec.shape.length - 1) return shape;
  return takesColumns(spec) ? [...shape, 1] : [1, ...shape];
}

/** Whether a list without an axis is one of values rather than one instance. */
function takesColumns({ shape }: TensorSpec): boolean {
  return shape.length > 1 && shape.at(-1) === 1;
}

/**
 * The tensors of JSON that is no object: nested lists as NumPy prints them, a list of instances, or one instance. Lists
 * with one level less than the model's input has axes are one instance.
 * Source: SageMaker's inference toolkit, and the generic JSON of its TensorFlow Serving container.
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

function isOneInstance(value: readonly JsonValue[], { inputs }: ModelContract): boolean {
  const [only, ...others] = inputs;
  if (!only || others.length > 0 || only.isRankOpen || takesColumns(only) || value.length === 0) return false;
  const { shape, leaf } = measureNesting(value);
  // An object is a whole instance, however many lists are around it.
  const depth = typeof leaf === 'object' && leaf !== null ? 0 : shape.length;
  return depth === only.shape.length - 1;
}
