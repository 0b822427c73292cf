import type { DialectName } from '../../config.ts';
import { BytesRequest } from '../../http/bytes.ts';
import { invokeAzureMl } from '../azure-ml/invoke-azure-ml.ts';
import { invokeHuggingFace } from '../hugging-face/invoke-hugging-face.ts';
import type { Dialect } from '../invocation.ts';
import { inferOpenInference } from '../oip/open-inference.ts';
import { predict } from '../tensorflow-serving/predict.ts';
import { invokeVertexAi } from '../vertex-ai/predict.ts';
import { discriminate } from './discriminate.ts';

/** Each format of the shared routes. */
const DIALECTS: Readonly<Partial<Record<DialectName, Dialect>>> = {
  'open-inference': async ({ request, body, record, model, version }, options) => {
    const reference = await options.inference.choose('tensors', model, version);
    const headers = new Headers(request.headers);
    // The body was decompressed when it was read.
    headers.delete('content-encoding');
    const read = new BytesRequest(request.url, { method: 'POST', headers }, body);
    return await inferOpenInference(read, reference, options, record);
  },
  'tensorflow-serving': predict,
  kserve: predict,
  'vertex-ai': invokeVertexAi,
  'azure-ml': invokeAzureMl,
  'hugging-face': invokeHuggingFace,
};

/**
 * Answers a request on a route that several servers have, such as `/invocations`: in the format `DIALECT` names, or
 * in the one its headers and body show.
 */
export const invoke: Dialect = async (invocation, options) => {
  const dialect = options.config.dialect ?? discriminate(invocation);
  return await (DIALECTS[dialect] ?? predict)(invocation, options);
};
