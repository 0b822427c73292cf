import { randomUUID } from 'node:crypto';
import type { AnswerStyle } from '../../answers/answer.ts';
import { BytesResponse } from '../../http/bytes.ts';
import type { Model } from '../../inference/load-model.ts';
import { takesAnyBatch } from '../../inference/run-batch.ts';
import { mapInTurns } from '../../inference/share-time.ts';
import { checkAnswerSize } from '../../json/join-each.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import { tensorToBytes } from '../../tensor/bytes.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { writeElementsInSteps } from '../../tensor/write-tensor.ts';
import { classify } from './classification.ts';
import type { RequestedOutput } from './decode-outputs.ts';
import type { InferRequest } from './decode-request.ts';
import { writeFraming } from './header-length.ts';

/**
 * Writes the answer: JSON, with the bytes of the outputs that were asked for in binary after it. The JSON text is put
 * together by hand, as `JSON.stringify` takes neither 64-bit integers nor short float32 digits. Other requests have
 * their turn in between: the numbers of 32 MB take a second and more.
 *
 * @param goOn throws when nobody needs the answer any more
 */
export async function encodeInferResponse(
  request: InferRequest,
  { reference, task, session }: Model,
  tensors: NamedTensors,
  style: AnswerStyle,
  goOn: () => void,
): Promise<Response> {
  const { limitBytes } = style;
  const requested =
    request.outputs ?? [...tensors.keys()].map((name) => ({ name, isBinary: request.isBinary, classes: 0 }));
  const tails: Uint8Array[] = [];
  const encode = (output: RequestedOutput) => {
    const tensor = tensors.get(output.name);
    if (!tensor) throw new Error(`output "${output.name}" was not fetched`);
    const wanted =
      output.classes > 0 ? classify(tensor, output, task.labels, takesAnyBatch(session), limitBytes) : tensor;
    if (output.isBinary) tails.push(tensorToBytes(wanted));
    return encodeTensor(output, wanted, output.isBinary ? tails.at(-1)?.length : undefined, style);
  };
  const outputs = await mapInTurns(requested, encode, goOn);
  const tailBytes = tails.reduce((sum, { length }) => sum + length, 0);
  const json = Buffer.from(
    `{"id":${JSON.stringify(request.id ?? randomUUID())},"model_name":${JSON.stringify(reference.name)},` +
      `"model_version":${JSON.stringify(reference.version)},"outputs":[${outputs.join(',')}]}`,
  );
  checkAnswerSize(json.length + tailBytes, limitBytes);
  if (tails.length === 0) {
    return new BytesResponse(json, { status: 200, headers: { 'content-type': 'application/json' } });
  }
  return new BytesResponse(Buffer.concat([json, ...tails]), {
    status: 200,
    headers: writeFraming(json.length, request.mimeType),
  });
}

function* encodeTensor(
  { name }: RequestedOutput,
  tensor: Tensor,
  binaryBytes: number | undefined,
  style: AnswerStyle,
): Generator<undefined, string> {
  const head = `"name":${JSON.stringify(name)},"datatype":"${tensor.datatype}","shape":[${tensor.shape.join(',')}]`;
  return binaryBytes === undefined
    ? `{${head},"data":[${yield* writeElementsInSteps(tensor, style)}]}`
    : `{${head},"parameters":{"binary_data_size":${binaryBytes}}}`;
}
