import type { TensorSpec } from '../runtime/session.ts';
import { DATATYPE_NAMES, DATATYPES, type Datatype, INTEGER_RANGES } from '../tensor/datatype.ts';
import type { JsonSchema } from './openapi.ts';

/** The JSON schema of one element of a datatype. */
function elementSchema(datatype: Datatype): JsonSchema {
  switch (DATATYPES[datatype].kind) {
    case 'string':
      return { type: 'string' };
    case 'bool':
      return { anyOf: [{ type: 'boolean' }, { type: 'integer', enum: [0, 1] }] };
    case 'float':
      return { type: ['number', 'null'] };
    case 'integer': {
      const [minimum = 0, maximum = 0] = INTEGER_RANGES[datatype] ?? [];
      return {
        type: 'integer',
        // Bounds of 64-bit integers cannot be written as JSON numbers.
        ...(minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
        ...(maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
      };
    }
  }
}

/** Lists nested according to the shape of an input or output. */
export function nestedSchema({ datatype, shape, isRankDynamic }: TensorSpec): JsonSchema {
  if (isRankDynamic) return {};
  return shape.reduceRight<JsonSchema>(
    (items, size) => ({ type: 'array', items, ...(size >= 0 && { minItems: size, maxItems: size }) }),
    elementSchema(datatype),
  );
}

/** The shape of an input or output as a list of sizes. */
export function shapeSchema({ shape, isRankDynamic }: TensorSpec): JsonSchema {
  const size = { type: 'integer', minimum: 0 };
  if (isRankDynamic) return { type: 'array', items: size };
  return {
    type: 'array',
    ...(shape.length > 0 && { prefixItems: shape.map((axis) => (axis === -1 ? size : { const: axis })) }),
    items: false,
    minItems: shape.length,
    maxItems: shape.length,
  };
}

/** `FP32 [-1, 4]`, for people. */
export function describeTensor({ datatype, shape, isRankDynamic }: TensorSpec): string {
  return isRankDynamic ? `${datatype} of any shape` : `${datatype} [${shape.join(', ')}]`;
}

/** Datatypes that are accepted for another: floats for floats and integers for integers, if they fit. */
export function datatypesFor(datatype: Datatype): readonly Datatype[] {
  const { kind } = DATATYPES[datatype];
  if (kind !== 'float' && kind !== 'integer') return [datatype];
  const others = DATATYPE_NAMES.filter((name) => name !== datatype && DATATYPES[name].kind === kind);
  return [datatype, ...others];
}
