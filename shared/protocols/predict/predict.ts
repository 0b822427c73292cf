import type { Context } from 'hono';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import { ACCEPTED_IMAGE_TYPES } from '../../processing/image/sniff.ts';
import {
  type Content,
  jsonContent,
  type Operation,
  type Protocol,
  type ProtocolOptions,
} from '../protocol.ts';
import { decodeBody } from './decode-body.ts';
import { encodeResult } from './encode-result.ts';
import * as schemas from './schemas.ts';

const REQUEST: Content = {
  'application/json': schemas.predictRequest,
  'multipart/form-data': schemas.predictForm,
  ...Object.fromEntries(ACCEPTED_IMAGE_TYPES.map((type) => [type, null])),
};

const RESPONSE = jsonContent(schemas.predictResponse);

/** Ternion's own protocol: features or an image in, a prediction with its probabilities out. */
export function createPredictProtocol({ inference, config: { limits } }: ProtocolOptions): Protocol {
  async function predict(c: Context<AppEnvironment>): Promise<Response> {
    const model = c.req.param('model');
    const version = c.req.param('version');
    const { record } = c.env;
    // An unknown model is told before the body is looked at.
    if (model !== undefined) record.model = await inference.repository.resolve(model, version);
    const body = await decodeBody(c.req.raw, limits);
    const result = await inference.infer({ model, version, input: body.input });
    record.model = result.reference;
    record.loadMs = result.loadMs;
    record.runMs = result.runMs;
    return jsonResponse(encodeResult(body, result));
  }

  const operation = (path: string, summary: string): Operation => ({
    method: 'POST',
    path,
    summary,
    request: REQUEST,
    response: RESPONSE,
    handle: predict,
  });
  return {
    name: 'ternion',
    description: "Ternion's own protocol.",
    operations: [
      operation('/predict', 'Predict with the default model'),
      operation('/models/{model}/predict', "Predict with a model's live version"),
      operation('/models/{model}/versions/{version}/predict', 'Predict with one version of a model'),
    ],
  };
}
