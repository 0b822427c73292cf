import { isAscii, isUtf8 } from 'node:buffer';
import type { Limits } from '../../config.ts';
import { InferenceError, invalid } from '../../errors.ts';
import { CSV_TYPE, FORM_TYPE, isJsonType, typeParameter } from '../../http/media-type.ts';
import type { FormField } from '../../http/multipart.ts';
import { sniffImageType } from '../../processing/image/decode/sniff.ts';
import { describeInputs } from '../../values/contract.ts';
import type { FieldValue } from '../../values/input.ts';
import { checkInstances, imagesOf } from '../../values/instances.ts';
import { isLinesType } from '../../values/lines.ts';
import type { Payload, RequestBody } from './payload.ts';

/** Whether a body is an image itself or a form with files, by its type or, if that says nothing, by its first bytes. */
export function holdsImages({ mediaType, body }: RequestBody): boolean {
  return mediaType.startsWith('image/') || mediaType === FORM_TYPE || isImage({ mediaType, body });
}

/** Types under which encoded images come. Bytes that begin like an image are taken under any type except text. */
function isImage({ mediaType, body }: Pick<RequestBody, 'mediaType' | 'body'>): boolean {
  if (mediaType === 'application/x-image') return true;
  const isText = mediaType === CSV_TYPE || isLinesType(mediaType) || isJsonType(mediaType);
  return !isText && sniffImageType(body) !== undefined;
}

/**
 * The images of a body: the body itself, or the files of a form in their order, under any field names.
 *
 * @throws InferenceError when a form holds none, or too many
 */
export async function readImages(
  { request, mediaType, body }: RequestBody,
  limits: Limits,
): Promise<FieldValue<Uint8Array>[]> {
  if (mediaType !== FORM_TYPE) return [{ value: body, field: 'body' }];
  const form = await parseForm(request, body, limits);
  const images: FieldValue<Uint8Array>[] = [];
  for (const { name, value } of form) {
    if (typeof value === 'string') continue;
    images.push({ value, field: `${name}[${images.length}]` });
  }
  if (images.length === 0) {
    throw invalid('The form', `has no file (its fields: ${nameFields(form)}); expected an image file.`);
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
export async function parseForm(
  { headers }: Request,
  body: Uint8Array,
  { formParts }: Limits,
): Promise<FormField[]> {
  const { readForm } = await import('../../http/multipart.ts');
  return readForm(headers.get('content-type') ?? '', body, formParts);
}

/** The type of a body that is a text itself; if it begins like JSON, it is JSON. */
export const TEXT_TYPE = 'text/plain';

/**
 * Checks that a text can be read as UTF-8. Clients in Java send ASCII under the name of a larger charset.
 *
 * @throws InferenceError UNSUPPORTED_MEDIA_TYPE for other charsets
 */
export function checkCharset({ request, mediaType, body }: RequestBody): void {
  const charset = typeParameter(request.headers, 'charset') || 'utf-8';
  if (!isText(mediaType) || UTF_8.includes(charset) || (ABOVE_ASCII.test(charset) && isAscii(body))) return;
  throw new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `The charset ${JSON.stringify(charset.slice(0, 40))} is not accepted; send UTF-8.`,
  );
}

function isText(mediaType: string): boolean {
  const isForm = mediaType === 'application/x-www-form-urlencoded';
  return mediaType.startsWith('text/') || isJsonType(mediaType) || isLinesType(mediaType) || isForm;
}

const UTF_8: readonly string[] = ['utf-8', 'utf8', 'us-ascii', 'ascii'];
/** Charsets that begin with the characters of ASCII. */
const ABOVE_ASCII = /^(?:iso-8859-\d{1,2}|latin1|windows-125\d)$/;

/** @throws InferenceError for bytes that are not UTF-8 */
export function readText({ body }: Pick<RequestBody, 'body'>): FieldValue<string> {
  if (!isUtf8(body)) throw invalid('The body', 'is bytes that are not UTF-8; expected a text.');
  return { value: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(), field: 'body' };
}

/** The names of the fields that a form has, for errors. */
export function nameFields(form: readonly FormField[]): string {
  const names = [...new Set(form.map(({ name }) => name))].slice(0, 8);
  return names.map((name) => JSON.stringify(name.slice(0, 40))).join(', ') || 'none';
}
