import { InferenceError } from '../../errors.ts';
import { isJsonType } from '../../http/media-type.ts';
import { isJsonObject, type JsonObject } from '../../json/json-value.ts';
import type { RequestBody } from './payload.ts';

/** Types that say nothing about the content; clients send JSON and files under them. `curl -d` sends the second one. */
const UNTYPED: readonly string[] = [
  '',
  'application/x-www-form-urlencoded',
  'application/octet-stream',
  'text/plain',
];

/** Whether a Content-Type leaves open what the body is. */
export function isUntyped(mediaType: string): boolean {
  return UNTYPED.includes(mediaType);
}

/** Whether a body is JSON, by its type or, if that says nothing, by its first character. */
export function holdsJson({ mediaType, body }: Pick<RequestBody, 'mediaType' | 'body'>): boolean {
  return isJsonType(mediaType) || (isUntyped(mediaType) && looksLikeJson(body));
}

/** JSON objects and arrays begin with a bracket, perhaps after white space; no image format does. */
export function looksLikeJson(body: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*[[{]/.test(Buffer.from(body.subarray(0, 64)).toString('latin1'));
}

/** Options of the pipelines of Hugging Face, which stand next to `inputs` or in `parameters`. */
export const TASK_OPTIONS = [
  'top_k',
  'function_to_apply',
  'prompt_name',
  'normalize',
  'truncate',
  'truncation_direction',
  'dimensions',
  'encoding_format',
] as const;

/**
 * Whether JSON is for a pipeline of Hugging Face: those take a text, such as an image in base64, or anything that comes
 * with `parameters` or one of their options.
 */
export function isTaskRequest(json: JsonObject): boolean {
  if (typeof json.inputs === 'string' || TASK_OPTIONS.some((name) => Object.hasOwn(json, name))) return true;
  const isForeign = Object.hasOwn(json, 'signature_name') || Object.hasOwn(json, 'params');
  return isJsonObject(json.parameters) && !isForeign;
}

/**
 * The error for a body whose type a protocol does not take.
 *
 * @param accepted the types it takes, in words
 */
export function unsupportedBody(mediaType: string, accepted: string): InferenceError {
  const given = isUntyped(mediaType)
    ? 'A body that is neither JSON nor an image'
    : `Content-Type ${JSON.stringify(mediaType.slice(0, 80))}`;
  return new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${given} is not accepted; accepted types are ${accepted}.`,
  );
}
