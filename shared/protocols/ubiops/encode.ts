import type { Model } from '../../inference/load-model.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import type { ModelContract } from '../../values/contract.ts';
import { columnAt, type RowFormat } from '../../values/row.ts';

/** A field of a deployment. */
type Field = Readonly<Record<'name' | 'data_type', string>>;

const TYPES = { float: 'double', integer: 'int', bool: 'bool', string: 'string' } as const;
const LIST_TYPES = { ...TYPES, bool: 'int' } as const;

/** The fields of a request to a model, and those of its result. */
export function encodeFields({ session, contract, task }: Model): {
  readonly input_fields: readonly Field[];
  readonly output_fields: readonly Field[];
} {
  return {
    input_fields: encodeInputs(session.inputs, contract, task.preprocessor?.features),
    output_fields: session.outputs.map(encodeTensor),
  };
}

function encodeInputs(
  inputs: readonly TensorSpec[],
  { kind, imageInput }: ModelContract,
  row: RowFormat | undefined,
): readonly Field[] {
  if (kind === 'text') return [{ name: 'text', data_type: 'string' }];
  const features = row?.named?.map(({ name }, index): Field => {
    const { type } = columnAt(row.columns, index);
    return { name, data_type: type === 'number' ? 'double' : 'string' };
  });
  return features ?? inputs.map((spec) => encodeInput(spec, imageInput));
}

/** An image comes in base64. */
function encodeInput(spec: TensorSpec, imageInput: string | undefined): Field {
  return spec.name === imageInput ? { name: spec.name, data_type: 'string' } : encodeTensor(spec);
}

/**
 * The part of a tensor that belongs to one instance: its first axis counts instances. Source: data types of UbiOps'
 * deployments.
 */
function encodeTensor({ name, datatype, shape }: TensorSpec): Field {
  const { kind } = DATATYPES[datatype];
  return { name, data_type: shape.length > 1 ? `array_${LIST_TYPES[kind]}` : TYPES[kind] };
}
