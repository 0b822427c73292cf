/** Newest version of the ONNX file format that ONNX Runtime 1.30 accepts. */
export const NEWEST_IR_VERSION = 13;

/** Whether a file has a version that the runtime does not accept. */
export function isNewer(irVersion = 0): boolean {
  return irVersion > NEWEST_IR_VERSION;
}

/** Something in a file that its format version allows but the runtime does not know. */
export type Novelty =
  | { readonly kind: 'datatype'; readonly number: number }
  | { readonly kind: 'field'; readonly message: string; readonly number: number };
