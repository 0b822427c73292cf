import { VECTORS_OUTPUT } from '../inference/text-tensors.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { DATATYPE_NAMES } from '../tensor/datatype.ts';
import type { TextInput } from '../values/contract.ts';
import type { ModelFacts } from './describe-models.ts';
import type { JsonSchema } from './openapi.ts';
import { datatypesFor, describeTensor, shapeSchema } from './tensor-schemas.ts';

/** The JSON schema of a V2 inference request to one model. */
export function describeInferRequest(facts: ModelFacts): JsonSchema {
  const isFrame = facts.kind === 'features';
  const inputs = tensorsSchema(facts);
  const tensors = { properties: { inputs } };
  return {
    type: 'object',
    required: facts.inputs.length > 0 ? ['inputs'] : [],
    ...(isFrame && { anyOf: [{ title: 'Tensors', ...tensors }, frameSchema()] }),
    properties: {
      id: { type: ['string', 'null'], description: 'Is repeated in the answer.' },
      inputs: isFrame
        ? { type: 'array' }
        : facts.textInput
          ? { anyOf: [inputs, textsSchema(facts.textInput)] }
          : inputs,
      outputs: {
        type: ['array', 'null'],
        description: 'The requested outputs; all by default.',
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: nameSchema(facts),
            parameters: {
              type: ['object', 'null'],
              properties: {
                classification: {
                  type: ['integer', 'null'],
                  minimum: 0,
                  description: 'Return this many of the best classes, as texts `value:index:label`.',
                },
                binary_data: { type: ['boolean', 'null'] },
                content_type: contentType('`np`, `str`, `base64` or `datetime`, as in MLServer.'),
              },
            },
          },
        },
      },
      parameters: {
        type: ['object', 'null'],
        properties: {
          binary_data_output: { type: ['boolean', 'null'] },
          content_type: contentType('`pd` for a data frame, with an input per column.'),
        },
      },
    },
  };
}

function contentType(description: string): JsonSchema {
  return { type: ['string', 'null'], description };
}

/** The inputs of a graph by name; the single matrix of a table may have any name. */
function tensorsSchema({ inputs, kind }: ModelFacts): JsonSchema {
  const isFree = kind === 'features' && inputs.length === 1;
  const tensors = inputs.flatMap((spec) =>
    kind === 'image' ? [inputSchema(spec), imagesSchema(spec)] : [inputSchema(spec, isFree)],
  );
  const [first, ...others] = tensors;
  return {
    type: 'array',
    minItems: inputs.length,
    maxItems: inputs.length,
    ...(first && { items: others.length > 0 ? { anyOf: tensors } : first }),
  };
}

/** A data frame as MLServer's codec writes it, with an input per column. */
function frameSchema(): JsonSchema {
  const column = tensorSchema({
    title: 'a column',
    datatypes: DATATYPE_NAMES,
    shape: {
      type: 'array',
      prefixItems: [{ type: 'integer', minimum: 1 }, { const: 1 }],
      items: false,
      minItems: 1,
    },
    data: { type: 'array', items: {} },
  });
  const content = {
    type: 'object',
    required: ['content_type'],
    properties: { content_type: { const: 'pd' } },
  };
  return {
    title: 'A data frame, by the names of its columns or in their order',
    required: ['parameters'],
    properties: { inputs: { type: 'array', items: column, minItems: 1 }, parameters: content },
  };
}

/** The JSON schema of one model's answer to it. */
export function describeInferAnswer(facts: ModelFacts): JsonSchema {
  const { reference, outputs } = facts;
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
            name: nameSchema(facts),
            datatype: {
              type: 'string',
              description: 'BYTES if classes are requested.',
              enum: [...datatypes.add('BYTES')],
            },
            shape: { type: 'array', items: { type: 'integer', minimum: 0 } },
            data: { type: 'array', items: {} },
            parameters: {
              type: 'object',
              properties: {
                content_type: { type: 'string', description: 'The requested one.' },
                binary_data_size: { type: 'integer', minimum: 0 },
              },
            },
          },
        },
      },
    },
  };
}

/** The names of the outputs, and of the vectors for texts. */
function nameSchema({ outputs, textInput, gives }: ModelFacts): JsonSchema {
  const names = new Set(outputs.map(({ name }) => name));
  if (textInput?.isPrepared && gives === 'embedding') names.add(VECTORS_OUTPUT);
  return { type: 'string', enum: [...names] };
}

function inputSchema(spec: TensorSpec, isFree = false): JsonSchema {
  const text = spec.datatype === 'BYTES' ? [{ type: 'string' }] : [];
  const list = { type: 'array', items: {} };
  return tensorSchema({
    title: `${spec.name}: ${describeTensor(spec)}`,
    name: isFree ? undefined : spec.name,
    datatypes: datatypesFor(spec.datatype),
    shape: shapeSchema(spec),
    data: {
      description: 'The elements in row-major order, flat or nested.',
      ...(text.length > 0 ? { anyOf: [list, ...text] } : list),
    },
  });
}

/** The input of an image model also takes encoded images, which go through its preprocessing. */
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

/** A text model takes texts under any name, instead of its inputs for tokens. */
function textsSchema({ takesPairs }: TextInput): JsonSchema {
  const count = { type: 'integer', minimum: 1 };
  const width = takesPairs ? { enum: [1, 2] } : { const: 1 };
  const texts = tensorSchema({
    title: takesPairs ? 'texts, or pairs of texts in the shape [N, 2]' : 'texts',
    name: undefined,
    datatypes: ['BYTES'],
    shape: { type: 'array', prefixItems: [count, width], items: false, minItems: 1, maxItems: 2 },
    data: { type: 'array', items: {} },
  });
  return { type: 'array', minItems: 1, maxItems: 1, items: texts };
}

interface TensorParts {
  readonly title: string;
  /** Undefined: any name is accepted. */
  readonly name?: string | undefined;
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
      name: { type: 'string', ...(name !== undefined && { const: name }) },
      datatype: { type: 'string', enum: datatypes },
      shape,
      data,
      parameters: {
        type: ['object', 'null'],
        properties: { content_type: contentType('One of the codecs of MLServer, such as `base64`.') },
      },
    },
  };
}
