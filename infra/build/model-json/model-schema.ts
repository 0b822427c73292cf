import * as z from 'zod';
import { configSchemaOf, TASKS } from '../../../shared/inference/tasks.ts';

/** The parts of JSON Schema in which the schema of `model.json` is written. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Where zod has no other limit it writes that of exact integers, which helps nobody. */
const LARGEST = Number.MAX_SAFE_INTEGER;

/** The JSON schema of `model.json`: one alternative per task. Editors know its draft, 7, best. */
export function makeModelSchema(examples: readonly object[] = []): JsonSchema {
  const schema = z.toJSONSchema(configSchemaOf(TASKS), {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === LARGEST) delete jsonSchema.maximum;
      if (jsonSchema.minimum === -LARGEST) delete jsonSchema.minimum;
      delete jsonSchema.propertyNames;
    },
  });
  const { $schema, ...rest } = schema;
  const title = { $schema, title: 'model.json of Ternion', description: TITLE };
  return JSON.parse(JSON.stringify({ ...title, examples, ...rest }));
}

const TITLE =
  'What the graph of a model cannot say: its task, its names, how images and texts become tensors.';
