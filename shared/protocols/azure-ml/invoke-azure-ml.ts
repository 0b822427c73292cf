import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { jsonResponse } from '../../http/respond.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/parse-json.ts';
import { parseEnvelope } from '../codecs/envelope.ts';
import { decodeFrame, frameOfSplit } from '../codecs/frame.ts';
import { holdsJson, unsupportedBody } from '../codecs/json-body.ts';
import { holdsImages, readImageCall } from '../codecs/media.ts';
import { encodeColumns, encodeRows } from '../codecs/predictions.ts';
import { decodeColumns, decodeRows, kindOfValues } from '../codecs/rows.ts';
import { type Dialect, type Invocation, runTensors, type TensorCall } from '../invocation.ts';
import type { ProtocolOptions } from '../protocol.ts';
import { scoreRequest } from './schemas.ts';

/**
 * Scoring of an Azure ML online endpoint. The answer is the bare list of predictions; whole inputs by name are
 * answered with whole outputs.
 * Source: how Azure ML serves MLflow models (`input_data`), and its scoring scripts (`data`).
 */
export const invokeAzureMl: Dialect = async (invocation, options) => {
  const { limits } = options.config;
  if (holdsImages(invocation)) {
    const call = await readImageCall(invocation, limits);
    return await score({ ...call, isBatch: true }, invocation, options);
  }
  if (!holdsJson(invocation)) {
    throw unsupportedBody(invocation.mediaType, 'application/json and images');
  }
  return await invocation.decode((json) => score(formOf(json, limits), invocation, options));
};

/** How a request holds its inputs. A batch is answered with one prediction per instance, all else with whole outputs. */
type ScoreForm = TensorCall & { readonly isBatch: boolean };

async function score(form: ScoreForm, invocation: Invocation, options: ProtocolOptions): Promise<Response> {
  // The header names a deployment of the endpoint: a version of the model, or an alias that stands for one.
  const deployment = invocation.request.headers.get('azureml-model-deployment') ?? invocation.version;
  const reference = await options.inference.choose(form.kind, invocation.model, deployment);
  const call = { ...invocation, model: reference.name, version: reference.version };
  const { outputs } = await runTensors(call, options, form);
  const style = { nonFinite: options.config.nonFiniteJson };
  return jsonResponse(form.isBatch ? encodeRows(outputs, style) : encodeColumns(outputs, style));
}

function formOf(json: JsonValue, limits: Limits): ScoreForm {
  const { input_data: input, data } = parseEnvelope(scoreRequest(), json);
  if (input === undefined && data === undefined) {
    throw invalid(`The request is ${describeJson(json)}; expected "input_data" or "data".`);
  }
  if (input !== undefined && data !== undefined) {
    throw invalid('The request has "input_data" and "data"; expected only one of them.');
  }
  if (input === undefined) return formOfValues(data ?? null, 'data', limits);
  return isSplit(input) ? formOfSplit(input, limits) : formOfValues(input, 'input_data', limits);
}

/** A table in the form `split` of pandas has these members alone. */
function isSplit(value: JsonValue): value is JsonObject {
  const parts = ['columns', 'index', 'data'];
  return (
    isJsonObject(value) &&
    Object.hasOwn(value, 'data') &&
    Object.keys(value).every((key) => parts.includes(key))
  );
}

function formOfSplit(value: JsonObject, limits: Limits): ScoreForm {
  const frame = frameOfSplit(value, 'input_data');
  const [only, ...others] = frame.columns;
  return {
    kind: others.length === 0 ? kindOfValues(only?.[0]) : 'features',
    decode: (contract) => decodeFrame(frame, contract, limits),
    isBatch: true,
  };
}

/** A list is of instances; anything else is whole inputs. */
function formOfValues(value: JsonValue, field: string, limits: Limits): ScoreForm {
  const isBatch = Array.isArray(value);
  const decode = isBatch ? decodeRows : decodeColumns;
  return {
    kind: kindOfValues(value),
    decode: (contract) => decode(value, field, contract, limits),
    isBatch,
  };
}
