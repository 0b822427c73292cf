import type { Limits } from '../../config.ts';
import { InferenceError, invalid } from '../../errors.ts';
import { isJsonType, mediaTypeOf } from '../../http/media-type.ts';
import { readBody } from '../../http/read-body.ts';
import type { InferenceInput, Located } from '../../inference/input.ts';
import { parseJson } from '../../json/parse-json.ts';
import { ACCEPTED_IMAGE_TYPES, sniffImageType } from '../../processing/image/sniff.ts';
import { checkBatch, decodeJson, describeBodies, FILE_FIELD } from './decode-json.ts';

const FORM_TYPE = 'multipart/form-data';

/** Types under which clients send JSON or files without saying what they are; `curl -d` sends the second. */
const UNTYPED = ['', 'application/x-www-form-urlencoded', 'application/octet-stream', 'text/plain'];

/** What a request was: one instance, or a batch to be answered as one. */
export interface DecodedBody {
  readonly input: InferenceInput;
  readonly isBatch: boolean;
}

/**
 * Reads the body of a predict request: JSON, a form with files, or an image itself.
 *
 * @throws InferenceError saying what came and what is accepted
 */
export async function decodeBody(request: Request, limits: Limits): Promise<DecodedBody> {
  const mediaType = mediaTypeOf(request.headers);
  const body = await readBody(request, limits.bodyBytes);
  if (body.length === 0) {
    throw new InferenceError('BAD_REQUEST', `The request body is empty; expected ${describeBodies()}.`);
  }
  const isUntyped = UNTYPED.includes(mediaType);
  if (mediaType === FORM_TYPE) return await decodeForm(await parseForm(request.headers, body), limits);
  if (isJsonType(mediaType) || (isUntyped && looksLikeJson(body))) {
    return decodeJson(parseJson(body, limits.jsonDepth), limits);
  }
  if (mediaType.startsWith('image/') || (isUntyped && sniffImageType(body) !== undefined)) {
    return { input: { kind: 'image', images: [{ value: body, field: 'body' }] }, isBatch: false };
  }
  const given = isUntyped
    ? 'A body that is neither JSON nor an image'
    : `Content-Type ${JSON.stringify(mediaType.slice(0, 80))}`;
  throw new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `${given} is not accepted; accepted are application/json, ${FORM_TYPE}, ${ACCEPTED_IMAGE_TYPES.join(', ')}.`,
  );
}

/** JSON begins with a bracket, perhaps after white space; no image format does. */
function looksLikeJson(body: Uint8Array): boolean {
  return /^(?:\xef\xbb\xbf)?\s*[[{]/.test(
    Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 64)).toString('latin1'),
  );
}

async function parseForm(headers: Headers, body: Uint8Array): Promise<FormData> {
  try {
    const type = headers.get('content-type') ?? '';
    return await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  } catch (error) {
    throw new InferenceError('BAD_REQUEST', `The body is not valid ${FORM_TYPE}.`, { cause: error });
  }
}

async function decodeForm(form: FormData, limits: Limits): Promise<DecodedBody> {
  const parts = form.getAll(FILE_FIELD);
  if (parts.length === 0) {
    const names = [...new Set(form.keys())].slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
    throw invalid(
      `The form has no field "${FILE_FIELD}" (its fields: ${names.join(', ') || 'none'}); expected an image file.`,
    );
  }
  checkBatch(parts.length, FILE_FIELD, limits);
  const images: Located<Uint8Array>[] = [];
  for (const [index, part] of parts.entries()) {
    const field = parts.length === 1 ? FILE_FIELD : `${FILE_FIELD}[${index}]`;
    if (typeof part === 'string')
      throw invalid(`Field "${field}" is text; expected a file with a file name.`);
    images.push({ value: new Uint8Array(await part.arrayBuffer()), field });
  }
  return { input: { kind: 'image', images }, isBatch: images.length > 1 };
}
