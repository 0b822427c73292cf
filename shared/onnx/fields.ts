/** Field numbers of the messages in onnx.proto (ONNX 1.18, IR version 11) that Ternion reads or writes. */
export const MODEL = {
  irVersion: 1,
  producer: 2,
  graph: 7,
  opsetImport: 8,
  metadata: 14,
  function: 25,
} as const;
export const STRING_ENTRY = { key: 1, value: 2 } as const;
export const OPSET = { domain: 1, version: 2 } as const;
export const FUNCTION = { name: 1, node: 7, opsetImport: 9, domain: 10, attribute: 11 } as const;
export const GRAPH = {
  node: 1,
  name: 2,
  initializer: 5,
  input: 11,
  output: 12,
  valueInfo: 13,
} as const;
export const NODE = { input: 1, output: 2, name: 3, opType: 4, attribute: 5, domain: 7 } as const;
export const ATTRIBUTE = {
  name: 1,
  float: 2,
  integer: 3,
  string: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  ints: 8,
  strings: 9,
  type: 20,
  reference: 21,
} as const;
export const ATTRIBUTE_TYPES = { integer: 2, string: 3, tensor: 4, graph: 5, integers: 7 } as const;
export const TENSOR = {
  dims: 1,
  type: 2,
  floats: 4,
  int32s: 5,
  strings: 6,
  int64s: 7,
  name: 8,
  raw: 9,
  doubles: 10,
} as const;
export const VALUE_INFO = { name: 1, type: 2 } as const;
export const TYPE = { tensor: 1, sequence: 4, map: 5, sparseTensor: 8, optional: 9 } as const;
export const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;
export const SHAPE = { dimension: 1 } as const;
export const DIMENSION = { value: 1, parameter: 2 } as const;

/** `TensorProto.DataType` */
export const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7, string: 8, boolean: 9, float64: 11 } as const;
