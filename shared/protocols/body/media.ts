import { MIMEType } from 'node:util';
import type { Limits } from '../../config.ts';
import { InferenceError, invalid, overLimit } from '../../errors.ts';
import { BytesResponse } from '../../http/bytes.ts';
import { isJsonType } from '../../http/media-type.ts';
import { sniffImageType } from '../../processing/image/decode/sniff.ts';
import { describeInputs } from '../../values/contract.ts';
import { CSV_TYPE } from '../../values/csv.ts';
import type { FieldValue } from '../../values/input.ts';
import { checkInstances, imagesOf } from '../../values/instances.ts';
import { isLinesType } from '../../values/lines.ts';
import type { Payload, RequestBody } from './payload.ts';

export const FORM_TYPE = 'multipart/form-data';

/** Whether a body is an image itself or a form with files, by its type or, where that says nothing, by its first bytes. */
export function holdsImages({ mediaType, body }: RequestBody): boolean {
  return mediaType.startsWith('image/') || mediaType === FORM_TYPE || isImage({ mediaType, body });
}

/** Types under which an encoded image comes; bytes that begin like one are taken whatever they are called but text. */
function isImage({ mediaType, body }: Pick<RequestBody, 'mediaType' | 'body'>): boolean {
  if (mediaType === 'application/x-image') return true;
  const isText = mediaType === CSV_TYPE || isLinesType(mediaType) || isJsonType(mediaType);
  return !isText && sniffImageType(body) !== undefined;
}

/**
 * The images of a body: itself, or the files of a form in their order, whatever their fields are called.
 *
 * @throws InferenceError when a form holds none, or too many
 */
export async function readImages(
  { request, mediaType, body }: RequestBody,
  limits: Limits,
): Promise<FieldValue<Uint8Array>[]> {
  if (mediaType !== FORM_TYPE) return [{ value: body, field: 'body' }];
  const form = await parseForm(request.headers, body, limits);
  const images: FieldValue<Uint8Array>[] = [];
  for (const [name, part] of form) {
    if (typeof part === 'string') continue;
    images.push({ value: new Uint8Array(await part.arrayBuffer()), field: `${name}[${images.length}]` });
  }
  if (images.length === 0) {
    const names = [...new Set(form.keys())].slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
    throw invalid(
      'The form',
      `has no file (its fields: ${names.join(', ') || 'none'}); expected an image file.`,
    );
  }
  checkInstances(images.length, 'body', limits);
  return images;
}

/**
 * A run on the images of a body.
 *
 * @throws InferenceError when a form holds none, or too many
 */
export async function readImagePayload(body: RequestBody, limits: Limits): Promise<Payload> {
  const images = await readImages(body, limits);
  return {
    kind: 'image',
    layout: 'instances',
    toInputs: (contract) => {
      const { imageInput } = contract;
      if (imageInput === undefined) {
        throw invalid('The request', `is an image; this model takes JSON with ${describeInputs(contract)}.`);
      }
      return new Map([[imageInput, imagesOf(images.map(({ value }) => value))]]);
    },
  };
}

/** @throws InferenceError when the body is not such a form, or has too many parts */
export async function parseForm(headers: Headers, body: Uint8Array, limits: Limits): Promise<FormData> {
  try {
    const type = headers.get('content-type') ?? '';
    // Read as the parser of the form reads it, quotes and escapes included.
    const boundary = new MIMEType(type).params.get('boundary');
    if (boundary) {
      checkParts(body, `--${boundary}`, limits);
      checkPartHeaders(body, `--${boundary}`);
    }
    // A plain Response would copy the bytes before it reads them.
    return await new BytesResponse(body, { headers: { 'content-type': type } }).formData();
  } catch (error) {
    if (error instanceof InferenceError) throw error;
    throw new InferenceError('BAD_REQUEST', ['The body', `is not valid ${FORM_TYPE}.`], { cause: error });
  }
}

/** Longest headers of a part, as of a request. */
const LONGEST_HEADERS = 16 * 1024;

/** The names of a file are taken apart character by character: one of 32 MB takes seconds. */
function checkPartHeaders(body: Uint8Array, delimiter: string): void {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (let at = bytes.indexOf(delimiter); at !== -1; at = bytes.indexOf(delimiter, at + delimiter.length)) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end - at > LONGEST_HEADERS && bytes.indexOf(delimiter, at + delimiter.length) !== -1) {
      throw overLimit(
        `A part of the form has more than ${LONGEST_HEADERS} bytes of headers, which is the limit.`,
      );
    }
  }
}

/**
 * Counts the parts of a form before any is made: each takes memory however short it is.
 *
 * @param separator what stands between two parts
 * @throws InferenceError PAYLOAD_TOO_LARGE beyond MAX_FORM_PARTS
 */
export function checkParts(body: Uint8Array, separator: string, { formParts }: Limits): void {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let parts = 0;
  for (let at = bytes.indexOf(separator); at !== -1; at = bytes.indexOf(separator, at + separator.length)) {
    // One more than there are parts: a form begins and ends with its boundary.
    if (++parts > formParts + 1) {
      throw overLimit('The form', `has more than ${formParts} parts, which is the limit (MAX_FORM_PARTS).`);
    }
  }
}
