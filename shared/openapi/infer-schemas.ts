import type { TensorSpec } from '../runtime/session.ts';
import type { ModelFacts } from './describe-models.ts';
import type { JsonSchema } from './openapi.ts';
import { datatypesFor, describeTensor, shapeSchema } from './tensor-schemas.ts';

/** What an inference request of V2 to one model holds, in JSON. */
export function describeInferRequest(facts: ModelFacts): JsonSchema {
  const tensors = facts.inputs.flatMap((spec) =>
    facts.kind === 'image' ? [inputSchema(spec), imagesSchema(spec)] : [inputSchema(spec)],
  );
  const [first, ...others] = tensors;
  return {
    type: 'object',
    required: facts.inputs.length > 0 ? ['inputs'] : [],
    properties: {
      id: { type: ['string', 'null'], description: 'Comes back in the answer.' },
      inputs: {
        type: 'array',
        minItems: facts.inputs.length,
        maxItems: facts.inputs.length,
        ...(first && { items: others.length > 0 ? { anyOf: tensors } : first }),
      },
      outputs: {
        type: ['array', 'null'],
        description: 'The outputs wanted; all by default.',
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: nameSchema(facts.outputs),
            parameters: {
              type: ['object', 'null'],
              properties: {
                classification: {
                  type: ['integer', 'null'],
                  minimum: 0,
                  description: 'So many of the best classes as texts `value:index:label`.',
                },
                binary_data: { type: ['boolean', 'null'] },
              },
            },
          },
        },
      },
      parameters: {
        type: ['object', 'null'],
        properties: { binary_data_output: { type: ['boolean', 'null'] } },
      },
    },
  };
}

/** What one model answers to it, in JSON. */
export function describeInferAnswer({ reference, outputs }: ModelFacts): JsonSchema {
  const datatypes = new Set(outputs.map(({ datatype }) => datatype));
  return {
    type: 'object',
    required: ['id', 'model_name', 'model_version', 'outputs'],
    properties: {
      id: { type: 'string' },
      model_name: { type: 'string', const: reference.name },
      model_version: { type: 'string' },
      outputs: {
        type: 'array',
        description: outputs.map((spec) => `${spec.name}: ${describeTensor(spec)}`).join('; '),
        items: {
          type: 'object',
          required: ['name', 'datatype', 'shape'],
          properties: {
            name: nameSchema(outputs),
            datatype: {
              type: 'string',
              description: 'BYTES where classes are asked for.',
              enum: [...datatypes.add('BYTES')],
            },
            shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
            data: { type: 'array', items: {} },
            parameters: {
              type: 'object',
              required: ['binary_data_size'],
              properties: { binary_data_size: { type: 'integer', minimum: 0 } },
            },
          },
        },
      },
    },
  };
}

function nameSchema(specs: readonly TensorSpec[]): JsonSchema {
  return { type: 'string', enum: specs.map(({ name }) => name) };
}

function inputSchema(spec: TensorSpec): JsonSchema {
  const text = spec.datatype === 'BYTES' ? [{ type: 'string' }] : [];
  const list = { type: 'array', items: {} };
  return tensorSchema({
    title: `${spec.name}: ${describeTensor(spec)}`,
    name: spec.name,
    datatypes: datatypesFor(spec.datatype),
    shape: shapeSchema(spec),
    data: {
      description: 'The elements in row-major order, flat or nested.',
      ...(text.length > 0 ? { anyOf: [list, ...text] } : list),
    },
  });
}

/** The input of an image model takes encoded images as well, which go through its preprocessing. */
function imagesSchema({ name }: TensorSpec): JsonSchema {
  const count = { type: 'integer', minimum: 1 };
  return tensorSchema({
    title: `${name}: encoded images`,
    name,
    datatypes: ['BYTES'],
    shape: { type: 'array', prefixItems: [count, { const: 1 }], items: false, minItems: 1, maxItems: 2 },
    data: {
      description: 'Images in base64.',
      anyOf: [{ type: 'array', items: { type: 'string', contentEncoding: 'base64' } }, { type: 'string' }],
    },
  });
}

interface TensorParts {
  readonly title: string;
  readonly name: string;
  readonly datatypes: readonly string[];
  readonly shape: JsonSchema;
  readonly data: JsonSchema;
}

function tensorSchema({ title, name, datatypes, shape, data }: TensorParts): JsonSchema {
  return {
    title,
    type: 'object',
    required: ['name', 'datatype', 'shape', 'data'],
    properties: {
      name: { type: 'string', const: name },
      datatype: { type: 'string', enum: datatypes },
      shape,
      data,
      parameters: { type: ['object', 'null'] },
    },
  };
}
