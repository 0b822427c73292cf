import type { AnswerStyle } from '../../answers/answer.ts';
import { BytesResponse } from '../../http/bytes.ts';
import type { Model } from '../../inference/load-model.ts';
import { takesAnyBatch } from '../../inference/run-batch.ts';
import { checkAnswerSize } from '../../json/join-each.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { ModelListing } from '../../models/model-reference.ts';
import type { Duration, ModelStatistics } from '../../monitoring/statistics.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { tensorToBytes } from '../../tensor/bytes.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { writeElementsInSteps } from '../../tensor/write-tensor.ts';
import { mapInTurns } from '../../turns.ts';
import { encodeSpec } from '../encode-model.ts';
import { encodeContent } from './codecs.ts';
import { type InferResult, takeOutput } from './data-plane.ts';
import type { HttpInferRequest, HttpOutput } from './decode.ts';
import { writeFraming } from './framing.ts';

/**
 * Writes the answer: JSON, with the bytes of the outputs that were asked for in binary after it. The JSON text is
 * written by hand, because `JSON.stringify` supports neither 64-bit integers nor the short digits of float32. It lets
 * other requests run in between: writing the numbers of 32 MB takes more than a second.
 *
 * @param goOn throws when the answer is no longer needed
 */
export async function encodeInferResponse(
  result: InferResult<HttpInferRequest>,
  style: AnswerStyle,
  goOn: () => void,
): Promise<Response> {
  const { limitBytes } = style;
  const { request, id, tensors } = result;
  const { reference } = result.model;
  const requested: readonly HttpOutput[] =
    request.outputs ?? [...tensors.keys()].map((name) => ({ name, isBinary: request.isBinary, classes: 0 }));
  const tails: Uint8Array[] = [];
  const encode = (asked: HttpOutput) => {
    // MLServer names the codec of what a method gave, by which its clients decode it.
    const contentType = asked.contentType ?? (result.ofMethods.has(asked.name) ? 'np' : undefined);
    const output = { ...asked, contentType };
    const taken = takeOutput(result, output, limitBytes);
    const wanted = contentType === undefined ? taken : encodeContent(output.name, taken, contentType);
    if (output.isBinary) tails.push(tensorToBytes(wanted));
    return encodeTensor(output, wanted, output.isBinary ? tails.at(-1)?.length : undefined, style);
  };
  const outputs = await mapInTurns(requested, encode, goOn);
  const tailBytes = tails.reduce((sum, { length }) => sum + length, 0);
  const text =
    `{"id":${JSON.stringify(id)},"model_name":${JSON.stringify(reference.name)},` +
    `"model_version":${JSON.stringify(reference.version)},"outputs":[${outputs.join(',')}]}`;
  checkAnswerSize(Buffer.byteLength(text) + tailBytes, limitBytes);
  if (tails.length === 0) return new BytesResponse(text, { headers: { 'content-type': 'application/json' } });
  const json = Buffer.from(text);
  return new BytesResponse([json, ...tails], {
    headers: writeFraming(json.length, request.mimeType),
  });
}

function* encodeTensor(
  { name, contentType }: HttpOutput,
  tensor: Tensor,
  binaryBytes: number | undefined,
  style: AnswerStyle,
): Generator<undefined, string> {
  const head = `"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}]`;
  const parameters = JSON.stringify({ content_type: contentType, binary_data_size: binaryBytes });
  const described = parameters === '{}' ? head : `${head},"parameters":${parameters}`;
  return binaryBytes === undefined
    ? `{${described},"data":[${yield* writeElementsInSteps(tensor, style)}]}`
    : `{${described}}`;
}

/** Metadata of a model, as the specification has it. */
export function encodeMetadata(
  { reference, session }: Model,
  listing: ModelListing | undefined,
): WritableJson {
  return {
    name: reference.name,
    versions: listing?.versions ?? [],
    platform: 'onnxruntime_onnx',
    inputs: session.inputs.map(encodeSpec),
    outputs: session.outputs.map(encodeSpec),
  };
}

/** As much of Triton's ModelConfig as its clients read. Source: model_config.proto of Triton. */
export function encodeConfig(
  { reference, session, config }: Model,
  listing: ModelListing | undefined,
): WritableJson {
  const batches = takesAnyBatch(session);
  const encode = ({ name, datatype, shape }: TensorSpec): WritableJson => ({
    name,
    data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`,
    dims: batches ? shape.slice(1) : shape,
  });
  return {
    name: reference.name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    // Without a policy all versions are served here; Triton would serve the newest.
    version_policy: listing?.policy?.policy ?? { all: {} },
    // Most models have no bound of their own, and clients only ask whether it is more than 0.
    max_batch_size: batches ? (config.maxBatchSize ?? 1024) : 0,
    input: session.inputs.map(encode),
    output: session.outputs.map(encode),
  };
}

/** One entry of `model_stats`. Source: Triton's statistics extension. There is no cache here. */
export function encodeStatistics(statistics: ModelStatistics): WritableJson {
  const { reference, batches } = statistics;
  const sum = (pick: (batch: (typeof batches)[number]) => Duration): Duration =>
    batches.map(pick).reduce((a, b) => ({ count: a.count + b.count, totalMs: a.totalMs + b.totalMs }), NONE);
  return {
    name: reference.name,
    version: reference.version,
    last_inference: statistics.lastInferenceMs,
    inference_count: statistics.inferences,
    execution_count: statistics.success.count,
    inference_stats: {
      success: encodeDuration(statistics.success),
      fail: encodeDuration(statistics.failure),
      queue: encodeDuration(statistics.queue),
      compute_input: encodeDuration(sum(({ input }) => input)),
      compute_infer: encodeDuration(sum(({ run }) => run)),
      compute_output: encodeDuration(sum(({ output }) => output)),
      cache_hit: encodeDuration(NONE),
      cache_miss: encodeDuration(NONE),
    },
    response_stats: {},
    batch_stats: batches.map(({ batchSize, input, run, output }) => ({
      batch_size: batchSize,
      compute_input: encodeDuration(input),
      compute_infer: encodeDuration(run),
      compute_output: encodeDuration(output),
    })),
    memory_usage: [],
  };
}

const NONE: Duration = { count: 0, totalMs: 0 };

function encodeDuration({ count, totalMs }: Duration): WritableJson {
  return { count, ns: Math.round(totalMs * 1e6) };
}
