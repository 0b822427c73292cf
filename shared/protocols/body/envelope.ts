import * as z from 'zod/mini';
import { invalid } from '../../errors.ts';
import { expectationOf } from '../../json/describe-issues.ts';
import { memberOf } from '../../json/json-file.ts';
import { describeJson, type JsonValue } from '../../json/json-value.ts';

/** Any JSON value. The schema does not check values: the code that knows what the model takes does. */
export const jsonValue = z.custom<JsonValue>((value) => value !== undefined, 'expected a value');

/** Any JSON array. Its items are checked elsewhere: a schema would take more time than the model. */
export const jsonArray = z
  .custom<JsonValue[]>((value) => Array.isArray(value), 'expected an array')
  .register(z.globalRegistry, { type: 'array', items: {} });

/** Any JSON object. */
export const jsonObject = z
  .custom<{ [key: string]: JsonValue }>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'expected an object',
  )
  .register(z.globalRegistry, { type: 'object' });

/**
 * Checks the members of a request against a schema.
 *
 * @throws InferenceError naming the field, what came and what is expected
 */
export function parseEnvelope<T>(schema: z.ZodMiniType<T>, value: JsonValue): T {
  const parsed = schema.safeParse(value, { error: (found) => `expected ${expectationOf(found)}` });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const given = describeJson(path.reduce<unknown>(memberOf, value));
  const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  throw invalid(`${field ? `Field "${field.slice(1)}"` : 'The request'} is ${given}; ${issue?.message}.`);
}
