import { invalid } from '../errors.ts';
import { decodeBase64 } from '../http/base64.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { sniffImageType } from '../processing/image/decode/sniff.ts';

/**
 * Members under which clients put an image: TorchServe's `data` and `body`, TensorFlow's `image_bytes`, Vertex AI's
 * `content`, and the names that people choose.
 */
const IMAGE_KEYS = [
  'b64',
  'data',
  'body',
  'content',
  'image',
  'image_bytes',
  'image_base64',
  'bytes',
] as const;

/** An address such as `https://…` or `gs://…`; no base64 has a colon. */
const ADDRESS = /^\s*([a-z][a-z0-9+.-]*):\/\//i;

/** Members that may stand next to an image and are ignored. */
export const SIDE_KEYS: readonly string[] = ['key', 'target', 'mime_type', 'mimeType'];

/**
 * The text in base64 that a value holds as an encoded image: the text itself, `{"b64": …}`, or either of them under
 * a customary name. Undefined when it is something else, such as pixels.
 *
 * @param inputName the model's own name for the image, which is taken as well
 */
export function findImage(value: JsonValue | undefined, inputName: string): string | undefined {
  if (typeof value === 'string') return value;
  if (!isJsonObject(value)) return undefined;
  const names: readonly string[] = [...IMAGE_KEYS, inputName];
  const given = Object.keys(value).filter((key) => !SIDE_KEYS.includes(key));
  const [key] = given;
  if (key === undefined || given.length > 1 || !names.includes(key)) return undefined;
  return findImage(value[key], inputName);
}

/** @throws InferenceError when an image is expected and the value is not base64 text */
export function decodeImageValue(value: JsonValue | undefined, inputName: string, field: string): Uint8Array {
  const text = findImage(value, inputName);
  if (text !== undefined) return decodeImageText(text, field);
  throw invalid(
    `Field "${field}"`,
    `is ${describeJson(value)}; expected an image in base64, as {"b64": "…"}.`,
  );
}

/**
 * An image in base64 or as a data URI. Addresses are never fetched: clients could reach through the server what they
 * cannot reach themselves.
 *
 * @throws InferenceError for an address, and for text that is not base64
 */
function decodeImageText(text: string, field: string): Uint8Array {
  const scheme = ADDRESS.exec(text)?.[1];
  if (scheme === undefined) return decodeBase64(text, field);
  throw invalid(
    `Field "${field}"`,
    `is an address (${scheme.slice(0, 20)}://), which is not fetched; expected the image itself in base64.`,
  );
}

/**
 * Whether a value looks like an encoded image: by its bytes, by its name, or as an address, which is refused later. Any
 * other string is a text.
 */
export function isOfImage(value: JsonValue | undefined): boolean {
  const text = findImage(value, 'image');
  if (text === undefined) return false;
  const isNamed = isJsonObject(value) && Object.keys(value).some((key) => NAMES_OF_IMAGES.includes(key));
  return isNamed || isImageText(text) || ADDRESS.test(text);
}

const NAMES_OF_IMAGES: readonly string[] = ['b64', 'image', 'image_bytes', 'image_base64'];

/** Whether a text begins as an encoded image does, in base64. */
export function isImageText(text: string): boolean {
  if (/^\s*data:image\//i.test(text)) return true;
  return sniffImageType(Buffer.from(text.slice(0, 64), 'base64')) !== undefined;
}

/** Whether a value is bytes in base64 as TensorFlow Serving writes them: an object with `b64` alone. */
export function isBase64Object(value: JsonValue | undefined): value is JsonObject & { readonly b64: string } {
  return isJsonObject(value) && typeof value.b64 === 'string' && Object.keys(value).length === 1;
}
