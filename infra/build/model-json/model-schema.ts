import * as z from 'zod/mini';
import { configSchemaOf, loadTasks, TASKS } from '../../../shared/inference/tasks.ts';

/** The parts of JSON Schema that the schema of `model.json` uses. */
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

/** If there is no other limit, zod writes that of exact integers, which is useless to readers. */
const LARGEST = Number.MAX_SAFE_INTEGER;

/** The JSON schema of `model.json`: one alternative per task. Draft 7 has the best support in editors. */
export async function makeModelSchema(examples: readonly object[] = []): Promise<JsonSchema> {
  const schema = z.toJSONSchema(configSchemaOf(await loadTasks(TASKS)), {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === LARGEST) delete jsonSchema.maximum;
      if (jsonSchema.minimum === -LARGEST) delete jsonSchema.minimum;
      delete jsonSchema.propertyNames;
    },
  });
  const { $schema, ...rest } = schema;
  const title = { $schema, title: 'Ternion model.json', description: TITLE };
  return JSON.parse(JSON.stringify({ ...title, examples, ...rest }));
}

const TITLE =
  'What the graph of a model does not say: its task, its names, and how images and texts become tensors.';
