import type { Config } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { jsonResponse } from '../../http/respond.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/parse-json.ts';
import { type AnswerStyle, answerStyle, jsonAnswer } from '../codecs/answer.ts';
import { parseEnvelope } from '../codecs/envelope.ts';
import { holdsImages, readImages } from '../codecs/media.ts';
import { describeInputs } from '../codecs/model-contract.ts';
import { encodeColumns, encodeRows } from '../codecs/predictions.ts';
import { decodeColumns, decodeRows, imagesOf, kindOfValues } from '../codecs/rows.ts';
import { type Dialect, type Invocation, runTensors } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { predictRequest } from './schemas.ts';

/**
 * Predict of TensorFlow Serving: `instances` are answered with `predictions`, `inputs` with `outputs`. KServe answers
 * both as rows with `predictions` (setting `DIALECT=kserve`), and takes an image as the body itself.
 */
export const predict: Dialect = async (invocation, options) => {
  if (holdsImages(invocation)) return await predictImages(invocation, options);
  const { limits } = options.config;
  return await invocation.decode(async (json) => {
    const request = parseEnvelope(predictRequest(), json);
    if ((request.instances === undefined) === (request.inputs === undefined)) throw notOneFormat(json);
    const isRows = request.instances !== undefined || options.config.dialect === 'kserve';
    const [field, value] =
      request.instances === undefined ? ['inputs', request.inputs] : ['instances', request.instances];
    const result = await runTensors(invocation, options, {
      kind: kindOfValues(value),
      decode: (contract) =>
        isRows ? decodeRows(value, field, contract, limits) : decodeColumns(value, field, contract, limits),
      isBatch: isRows,
    });
    const style = tensorFlowStyle(options.config);
    return jsonResponse(
      isRows
        ? { predictions: encodeRows(result.outputs, style) }
        : { outputs: encodeColumns(result.outputs, style) },
    );
  });
};

/** Floats always show that they are. Source: WriteDecimal of TensorFlow Serving's json_tensor.cc. */
export function tensorFlowStyle(config: Config): AnswerStyle {
  return { ...answerStyle(config), isFloatMarked: true };
}

async function predictImages(invocation: Invocation, options: ProtocolOptions): Promise<Response> {
  const images = await readImages(invocation, options.config.limits);
  const result = await runTensors(invocation, options, {
    kind: 'image',
    decode: (contract) => {
      const { imageInput } = contract;
      if (imageInput === undefined) {
        throw invalid(
          `The request brings an image; this model takes JSON with the inputs ${describeInputs(contract)}.`,
        );
      }
      return new Map([[imageInput, imagesOf(images.map(({ value }) => value))]]);
    },
  });
  const style = tensorFlowStyle(options.config);
  return jsonAnswer({ predictions: encodeRows(result.outputs, style) }, options.config);
}

function notOneFormat(json: JsonValue) {
  const both = isJsonObject(json) && Object.hasOwn(json, 'instances') && Object.hasOwn(json, 'inputs');
  return invalid(
    both
      ? 'The request has "instances" and "inputs"; expected only one of them.'
      : `The request is ${describeJson(json)}; expected "instances" or "inputs".`,
  );
}
