import { type Context, Hono } from 'hono';
import type { Limits } from '../../config.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { jsonResponse } from '../../http/respond.ts';
import type { Inference } from '../../inference/inference.ts';
import { decodeBody } from './decode-body.ts';
import { encodeResult } from './encode-result.ts';

/** Ternion's own protocol: features or an image in, a prediction with its probabilities out. */
export function createPredictProtocol(inference: Inference, limits: Limits): Hono<AppEnvironment> {
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

  return new Hono<AppEnvironment>({ strict: false })
    .post('/predict', predict)
    .post('/models/:model/predict', predict)
    .post('/models/:model/versions/:version/predict', predict);
}
