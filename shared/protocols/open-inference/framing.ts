import { InferenceError } from '../../errors.ts';
import { JSON_LENGTH_HEADER } from '../../http/body-memory.ts';

/** The MIME types of hosts that strip custom headers: they carry the length of the JSON as a parameter. */
const FRAMED_TYPE =
  /^(application\/vnd\.(?:sagemaker-triton|vertex-ai-triton)\.binary\+json)\s*(?:;[^;]*)*?;\s*json-header-size=([^\s;]*)/i;

/** How much of a body is JSON, and how the answer says it for its own body. */
export interface Framing {
  /** Undefined: the whole body. 0: nothing, the body is one raw tensor. */
  readonly jsonBytes: number | undefined;
  /** The MIME type that carries the length; undefined if the header does. */
  readonly mimeType: string | undefined;
}

/**
 * Reads where the JSON of a request ends. Sources: Triton's binary tensor data extension; its SageMaker and Vertex
 * front ends.
 *
 * @throws InferenceError when it is not a length within the body
 */
export function readFraming(headers: Headers, bodyLength: number): Framing {
  const [, mimeType, parameter] = FRAMED_TYPE.exec(headers.get('content-type')?.trim() ?? '') ?? [];
  const given = headers.get(JSON_LENGTH_HEADER) ?? parameter;
  if (given === undefined) return { jsonBytes: undefined, mimeType: undefined };
  const length = Number(given);
  if (/^\d{1,15}$/.test(given) && length <= bodyLength)
    return { jsonBytes: length, mimeType: mimeType?.toLowerCase() };
  throw new InferenceError(
    'BAD_REQUEST',
    `The length of the JSON is ${JSON.stringify(given.slice(0, 40))}; expected a number of bytes, at most ${bodyLength}, the size of the body.`,
  );
}

/** Headers of an answer with bytes after its JSON. */
export function writeFraming(jsonBytes: number, mimeType: string | undefined): Record<string, string> {
  return mimeType === undefined
    ? { 'content-type': 'application/octet-stream', [JSON_LENGTH_HEADER]: String(jsonBytes) }
    : { 'content-type': `${mimeType};json-header-size=${jsonBytes}` };
}
