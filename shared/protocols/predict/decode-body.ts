import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { InferenceInput, Located } from '../../inference/input.ts';
import { ACCEPTED_IMAGE_TYPES, sniffImageType } from '../../processing/image/sniff.ts';
import { holdsJson, isUntyped, unsupportedBody } from '../codecs/json-body.ts';
import { FORM_TYPE, parseForm } from '../codecs/media.ts';
import { checkInstances } from '../codecs/rows.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';
import { decodeJson, FILE_FIELD } from './decode-json.ts';

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
export async function decodeBody(invocation: Invocation, limits: Limits): Promise<Reading<DecodedBody>> {
  const { request, mediaType, body } = invocation;
  if (mediaType === FORM_TYPE) {
    return readingOf(await decodeForm(await parseForm(request.headers, body, limits), limits));
  }
  if (holdsJson(invocation)) return invocation.read((json) => decodeJson(json, limits));
  if (mediaType.startsWith('image/') || (isUntyped(mediaType) && sniffImageType(body) !== undefined)) {
    const images = [{ value: body, field: 'body' }];
    return readingOf({ input: { kind: 'image', images }, isBatch: false });
  }
  const types = ['application/json', FORM_TYPE, ...ACCEPTED_IMAGE_TYPES];
  throw unsupportedBody(mediaType, types.join(', '));
}

async function decodeForm(form: FormData, limits: Limits): Promise<DecodedBody> {
  const parts = form.getAll(FILE_FIELD);
  if (parts.length === 0) {
    const names = [...new Set(form.keys())].slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
    throw invalid(
      `The form has no field "${FILE_FIELD}" (its fields: ${names.join(', ') || 'none'}); expected an image file.`,
    );
  }
  checkInstances(parts.length, FILE_FIELD, limits);
  const images: Located<Uint8Array>[] = [];
  for (const [index, part] of parts.entries()) {
    const field = parts.length === 1 ? FILE_FIELD : `${FILE_FIELD}[${index}]`;
    if (typeof part === 'string')
      throw invalid(`Field "${field}" is text; expected a file with a file name.`);
    images.push({ value: new Uint8Array(await part.arrayBuffer()), field });
  }
  return { input: { kind: 'image', images }, isBatch: images.length > 1 };
}
