import type { Context } from 'hono';
import type { AnswerStyle } from '../../answers/answer.ts';
import { writeScore } from '../../answers/best-labels.ts';
import { type ErrorCode, invalid } from '../../errors.ts';
import type { AppEnvironment, ErrorEncoder } from '../../http/context.ts';
import { errorHeaders, jsonResponse } from '../../http/respond.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { ModelReference } from '../../models/model-reference.ts';
import { topK } from '../../processing/classification.ts';
import type { LabelRequest } from './decode.ts';

/** The model that answered, as a resource. */
export function describeModel(c: Context<AppEnvironment>, { name, version }: ModelReference) {
  const { project, location } = c.req.param();
  return {
    deployedModelId: version,
    model: `projects/${project}/locations/${location}/models/${name}`,
    modelDisplayName: name,
    modelVersionId: version,
  };
}

/**
 * The best labels of each image, best first. Scores that are not probabilities are not called confidences.
 * Source: Vertex AI's schemas of instances, parameters and predictions for image classification.
 *
 * @throws InferenceError for a model that gives no labels
 */
export function encodeLabels(
  output: InferenceOutput,
  { confidenceThreshold, maxPredictions }: LabelRequest,
  style: AnswerStyle,
): readonly WritableJson[] {
  if (output.kind !== 'classification') throw invalid('This model gives no labels.');
  const { labels, areProbabilities } = output;
  if (!areProbabilities && confidenceThreshold !== undefined) {
    throw invalid(
      'Parameter "confidenceThreshold"',
      `is ${confidenceThreshold}; the scores of this model are not probabilities, so expected none.`,
    );
  }
  const isSure = (score = 0) => confidenceThreshold === undefined || score >= confidenceThreshold;
  return output.predictions.map(({ scores }) => {
    const best = topK(scores, maxPredictions).filter((id) => isSure(scores[id]));
    return {
      ids: best.map(String),
      displayNames: best.map((id) => String(labels[id] ?? id)),
      [areProbabilities ? 'confidences' : 'scores']: best.map((id) => writeScore(scores[id], style)),
    };
  });
}

/** Names of `google.rpc.Code`. Source: google/rpc/code.proto, whose comments give the HTTP status of each. */
const STATUSES: Record<ErrorCode, string> = {
  BAD_REQUEST: 'INVALID_ARGUMENT',
  INVALID_PARAMETER_VALUE: 'INVALID_ARGUMENT',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  RESOURCE_DOES_NOT_EXIST: 'NOT_FOUND',
  RESOURCE_ALREADY_EXISTS: 'ALREADY_EXISTS',
  RESOURCE_CONFLICT: 'ABORTED',
  ENDPOINT_NOT_FOUND: 'NOT_FOUND',
  METHOD_NOT_ALLOWED: 'UNIMPLEMENTED',
  HEADER_TOO_LARGE: 'INVALID_ARGUMENT',
  PAYLOAD_TOO_LARGE: 'INVALID_ARGUMENT',
  NOT_ACCEPTABLE: 'INVALID_ARGUMENT',
  UNSUPPORTED_MEDIA_TYPE: 'INVALID_ARGUMENT',
  NOT_IMPLEMENTED: 'UNIMPLEMENTED',
  PROCESSOR_FAILED: 'INTERNAL',
  INTERNAL_ERROR: 'INTERNAL',
  CLIENT_GONE: 'CANCELLED',
  DEADLINE_EXCEEDED: 'DEADLINE_EXCEEDED',
  MODEL_UNAVAILABLE: 'UNAVAILABLE',
  TEMPORARILY_UNAVAILABLE: 'UNAVAILABLE',
};

/**
 * An error as Google's clients read it. Here `error` is an object, while all other clients expect text, so it is only
 * for routes that only Google's clients use. Source: AIP-193; google-gax and google-api-core take the class of their
 * exception from it.
 */
export const encodeGoogleError: ErrorEncoder = (error, requestId) => {
  const body = {
    error: { code: error.status, message: error.message, status: STATUSES[error.code] },
    request_id: requestId,
  };
  return jsonResponse(body, error.status, errorHeaders(error));
};
