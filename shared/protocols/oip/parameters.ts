import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonObject } from '../../json/json-value.ts';

/** Begins the names of parameters that Triton keeps for itself. */
const RESERVED = 'triton_';

/**
 * The `parameters` of a request, an input or an output. Names that mean nothing here are left alone: clients of other
 * servers send some.
 *
 * @throws InferenceError when they are no object, or hold a reserved name or one of shared memory
 */
export function readParameters(holder: JsonObject, field: string): JsonObject {
  const parameters = holder.parameters ?? {};
  if (!isJsonObject(parameters))
    throw invalid(`Field "${field}"`, `is ${describeJson(parameters)}; expected an object.`);
  for (const name of Object.keys(parameters)) {
    if (name.startsWith(RESERVED)) {
      throw invalid(
        `Field "${field}"`,
        `has ${JSON.stringify(name.slice(0, 60))}; names with "${RESERVED}" are reserved.`,
      );
    }
    if (name.startsWith('shared_memory_'))
      throw invalid(`Field "${field}"`, `has "${name.slice(0, 60)}": shared memory is not supported.`);
  }
  return parameters;
}

/** @throws InferenceError when it is neither absent nor true nor false */
export function readFlag(parameters: JsonObject, name: string, field: string): boolean | undefined {
  const value = parameters[name] ?? undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(`Field "${field}.${name}"`, `is ${describeJson(value)}; expected true or false.`);
}
