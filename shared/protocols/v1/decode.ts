import type { Config } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { decodeColumns, decodeRows, kindOfValues } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import type { Payload } from '../body/payload.ts';
import { predictRequest } from './schemas.ts';

/**
 * Reads `instances`, whose answer is by row, or `inputs`, whose answer has whole outputs.
 *
 * @throws InferenceError naming the field, what came and what is expected
 */
export function readJson(json: JsonValue, { limits, dialect }: Config): Payload {
  const request = parseEnvelope(predictRequest(), json);
  if ((request.instances === undefined) === (request.inputs === undefined)) throw notOneFormat(json);
  const areListed = request.instances !== undefined || dialect === 'kserve';
  const [field, value] =
    request.instances === undefined ? ['inputs', request.inputs] : ['instances', request.instances];
  return {
    kind: kindOfValues(value),
    toInputs: (contract) =>
      areListed ? decodeRows(value, field, contract, limits) : decodeColumns(value, field, contract, limits),
    layout: areListed ? 'instances' : 'whole',
  };
}

function notOneFormat(json: JsonValue) {
  const both = isJsonObject(json) && Object.hasOwn(json, 'instances') && Object.hasOwn(json, 'inputs');
  return invalid(
    both
      ? 'The request has "instances" and "inputs"; expected only one of them.'
      : `The request is ${describeJson(json)}; expected "instances" or "inputs".`,
  );
}
