import type { Config } from '../config.ts';
import { BytesResponse } from '../http/bytes.ts';
import { checkAnswerSize } from '../json/join-each.ts';
import { type WritableJson, writeJson } from '../json/write-json.ts';
import type { ElementStyle } from '../tensor/write-tensor.ts';

/** How answers write the elements of tensors, and the maximum length of an answer. */
export type AnswerStyle = ElementStyle & { readonly limitBytes: number };

export function answerStyle({ nonFiniteJson, limits }: Config): AnswerStyle {
  return { nonFinite: nonFiniteJson, limitBytes: limits.answerBytes };
}

/**
 * A JSON answer with the outputs of a model, which can be long.
 *
 * @throws InferenceError PAYLOAD_TOO_LARGE when it is longer than MAX_ANSWER_BYTES
 */
export function jsonAnswer(body: WritableJson, { limits }: Config): Response {
  const text = writeJson(body, limits.answerBytes);
  checkAnswerSize(Buffer.byteLength(text), limits.answerBytes);
  return new BytesResponse(text, { headers: JSON_TYPE });
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** @throws InferenceError PAYLOAD_TOO_LARGE when an answer has more than MAX_ANSWER_BYTES */
export function answerBytes(bytes: Uint8Array, type: string, limitBytes: number): Response {
  checkAnswerSize(bytes.length, limitBytes);
  return new BytesResponse(bytes, { status: 200, headers: { 'content-type': type } });
}
