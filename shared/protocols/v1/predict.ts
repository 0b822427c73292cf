import { type AnswerStyle, answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { encodeColumns, encodeRows } from '../../answers/predictions.ts';
import type { Config } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { decodeColumns, decodeRows, kindOfValues } from '../../values/instances.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { holdsImages, readImagePayload } from '../body/media.ts';
import type { Payload } from '../body/payload.ts';
import { type Dialect, readingOf, runPayload } from '../invocation.ts';
import { predictRequest } from './schemas.ts';

/**
 * Predict of TensorFlow Serving: `instances` are answered with `predictions`, `inputs` with `outputs`. KServe answers
 * both as rows with `predictions` (setting `DIALECT=kserve`), and takes an image as the body itself.
 */
export const predict: Dialect = async (invocation, options) => {
  const payload = holdsImages(invocation)
    ? readingOf(await readImagePayload(invocation, options.config.limits))
    : invocation.read((json) => readJson(json, options.config));
  const { value: outputs, usage } = await runPayload(invocation, options, payload);
  const style = tensorFlowStyle(options.config);
  const body = payload.value.isBatch
    ? { predictions: encodeRows(outputs, style) }
    : { outputs: encodeColumns(outputs, style) };
  return { response: jsonAnswer(body, options.config), usage };
};

function readJson(json: JsonValue, { limits, dialect }: Config): Payload {
  const request = parseEnvelope(predictRequest(), json);
  if ((request.instances === undefined) === (request.inputs === undefined)) throw notOneFormat(json);
  const isBatch = request.instances !== undefined || dialect === 'kserve';
  const [field, value] =
    request.instances === undefined ? ['inputs', request.inputs] : ['instances', request.instances];
  return {
    kind: kindOfValues(value),
    toInputs: (contract) =>
      isBatch ? decodeRows(value, field, contract, limits) : decodeColumns(value, field, contract, limits),
    isBatch,
  };
}

/** Floats always show that they are. Source: WriteDecimal of TensorFlow Serving's json_tensor.cc. */
export function tensorFlowStyle(config: Config): AnswerStyle {
  return { ...answerStyle(config), isFloatMarked: true };
}

function notOneFormat(json: JsonValue) {
  const both = isJsonObject(json) && Object.hasOwn(json, 'instances') && Object.hasOwn(json, 'inputs');
  return invalid(
    both
      ? 'The request has "instances" and "inputs"; expected only one of them.'
      : `The request is ${describeJson(json)}; expected "instances" or "inputs".`,
  );
}
