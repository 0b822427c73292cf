/** Tells where the JSON of a body ends and the bytes of tensors begin. Source: Triton's binary tensor data extension. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length';

/** The largest number takes as many bytes, and must begin at a multiple of them. */
const ALIGNMENT = 8;

/**
 * Memory for a body that a host puts together, not cleared. Tensors behind JSON begin in it where numbers of any size
 * may, so that they are used in place: their copy would take most of the time a request is decoded in.
 */
export function allocateBody(length: number, headers: Headers): Buffer {
  const jsonLength = Number(headers.get(JSON_LENGTH_HEADER) ?? 0);
  const past = Number.isSafeInteger(jsonLength) && jsonLength > 0 ? jsonLength % ALIGNMENT : 0;
  const start = (ALIGNMENT - past) % ALIGNMENT;
  return Buffer.allocUnsafeSlow(start + length).subarray(start);
}
