import * as z from 'zod';
import { invalid } from '../../errors.ts';
import type { JsonValue } from '../../json/json-value.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { lazily } from '../body/lazily.ts';
import { parameterSchemas } from './schemas.ts';
import type { TaskRequest } from './task-request.ts';

export type ParameterName = keyof typeof parameterSchemas;

const envelope = lazily(() =>
  z.object({
    parameters: z.object({
      top_k: parameterSchemas.top_k(),
      function_to_apply: parameterSchemas.function_to_apply(),
    }),
  }),
);

export type TaskParameters = z.infer<ReturnType<typeof envelope>>['parameters'];

/**
 * The parameters of a request: those of its body, or else those of its query string. Under `parameters` there must be
 * none that the task does not know; beside it, and in a query string, other names are none of its business.
 *
 * @throws InferenceError naming the parameter and what is expected
 */
export function readParameters(
  { parameters: given, body }: TaskRequest,
  query: URLSearchParams,
  task: string,
  known: readonly ParameterName[],
): TaskParameters {
  const isKnown = ([name]: readonly [string, unknown]) => known.some((other) => other === name);
  const unknown = Object.entries(given).find((entry) => entry[1] !== null && !isKnown(entry));
  if (unknown) {
    const shown = JSON.stringify(unknown[0].slice(0, 60));
    throw invalid(
      'Field "parameters"',
      `has ${shown}; the parameters of ${task} are: ${known.join(', ') || 'none'}.`,
    );
  }
  const ofBody = [...Object.entries(body), ...Object.entries(given)].filter(isKnown);
  const ofQuery = [...query].filter(isKnown).map(readQueryParameter);
  const parameters = Object.fromEntries(ofBody.length > 0 ? ofBody : ofQuery);
  return parseEnvelope(envelope(), { parameters }).parameters;
}

function readQueryParameter([name, text]: [string, string]): [string, JsonValue] {
  if (/^-?\d+$/.test(text)) return [name, Number(text)];
  return [name, text === 'true' || text === 'false' ? text === 'true' : text];
}
