import type { TensorSpec } from '../../shared/runtime/session.ts';
import type { Datatype } from '../../shared/tensor/datatype.ts';
import type { ModelContract } from '../../shared/values/contract.ts';

export function spec(name: string, datatype: Datatype, shape: readonly number[]): TensorSpec {
  return { name, datatype, shape };
}

/** What a model of tensors takes, with less to write: NaN is a number like others to it. */
export function contract(
  inputs: readonly TensorSpec[],
  rest: Partial<Pick<ModelContract, 'features' | 'imageInput'>> = {},
): ModelContract {
  return {
    task: 'tensor',
    kind: 'tensors',
    gives: 'tensors',
    inputs: inputs.map((each) => ({ ...each, allowsMissing: true })),
    features: undefined,
    imageInput: undefined,
    answering: () => ({ form: 'objects', isStated: false }),
    maps: new Map(),
    flavour: undefined,
    ...rest,
  };
}
