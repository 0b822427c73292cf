import type { Model } from '../../inference/load-model.ts';
import { JsonText, type WritableJson } from '../../json/write-json.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import type { Datatype } from '../../tensor/datatype.ts';
import { writeFloat } from '../../tensor/write-tensor.ts';
import type { ProtocolOptions } from '../operation.ts';
import { tensorFlowStyle } from '../v1/encode.ts';

/** Names of TensorFlow's `DataType`. Source: tensorflow/core/framework/types.proto. */
const DTYPES: Record<Datatype, string> = {
  BOOL: 'DT_BOOL',
  UINT8: 'DT_UINT8',
  UINT16: 'DT_UINT16',
  UINT32: 'DT_UINT32',
  UINT64: 'DT_UINT64',
  INT8: 'DT_INT8',
  INT16: 'DT_INT16',
  INT32: 'DT_INT32',
  INT64: 'DT_INT64',
  FP16: 'DT_HALF',
  FP32: 'DT_FLOAT',
  FP64: 'DT_DOUBLE',
  BYTES: 'DT_STRING',
};

/** Metadata of a model. As in TensorFlow Serving, the name `signature_def` occurs twice and sizes are texts. */
export function encodeMetadata({ reference, session }: Model): WritableJson {
  const signature = {
    inputs: new Map(session.inputs.map((spec) => [spec.name, encodeSpec(spec)])),
    outputs: new Map(session.outputs.map((spec) => [spec.name, encodeSpec(spec)])),
    method_name: 'tensorflow/serving/predict',
    defaults: {},
  };
  return {
    model_spec: { name: reference.name, signature_name: '', version: reference.version },
    metadata: { signature_def: { signature_def: { serving_default: signature } } },
  };
}

function encodeSpec({ name, datatype, shape, isRankDynamic = false }: TensorSpec): WritableJson {
  const dim = shape.map((size) => ({ size: String(size), name: '' }));
  return { dtype: DTYPES[datatype], tensor_shape: { dim, unknown_rank: isRankDynamic }, name };
}

/** Writes the numbers of results as TensorFlow Serving does. */
export function numberWriter({ config }: ProtocolOptions): (value: number) => WritableJson {
  const style = tensorFlowStyle(config);
  return (value) => new JsonText(writeFloat(value, style));
}
