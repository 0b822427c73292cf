import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { readFlag, readParameters } from './parameters.ts';

/** One output a request asks for, and how it wants it. */
export interface RequestedOutput {
  readonly name: string;
  readonly isBinary: boolean;
  /** Number of classes, for the classification extension; 0 for the tensor itself. */
  readonly classes: number;
}

/**
 * The outputs a request asks for, in its order; undefined for all.
 *
 * @param isBinary whether an output that does not say so comes as bytes
 * @throws InferenceError naming the field
 */
export function decodeOutputs(
  outputs: JsonValue | undefined,
  isBinary: boolean,
): RequestedOutput[] | undefined {
  if (outputs === undefined || outputs === null) return undefined;
  if (!Array.isArray(outputs))
    throw invalid('Field "outputs"', `is ${describeJson(outputs)}; expected an array.`);
  if (outputs.length === 0) return undefined;
  const requested = outputs.map((output, index) => decodeOutput(output, `outputs[${index}]`, isBinary));
  const names = new Set<string>();
  for (const { name } of requested) {
    if (names.has(name)) throw invalid(`Output "${name}"`, 'is asked for twice.');
    names.add(name);
  }
  return requested;
}

function decodeOutput(output: JsonValue, field: string, isBinary: boolean): RequestedOutput {
  if (!isJsonObject(output) || typeof output.name !== 'string') {
    throw invalid(
      `Field "${field}"`,
      `is ${describeJson(output)}; expected an object with the "name" of an output.`,
    );
  }
  const parameters = readParameters(output, `${field}.parameters`);
  const classes = parameters.classification ?? 0;
  if (typeof classes !== 'number' || !Number.isSafeInteger(classes) || classes < 0) {
    throw invalid(
      `Field "${field}.parameters.classification"`,
      `is ${describeJson(classes)}; expected a number of classes.`,
    );
  }
  return {
    name: output.name,
    classes,
    isBinary: readFlag(parameters, 'binary_data', `${field}.parameters`) ?? isBinary,
  };
}
