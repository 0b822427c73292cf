import { invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/parse-json.ts';

/**
 * Members under which clients put an image: TorchServe's `data` and `body`, TensorFlow's `image_bytes`, and the names
 * that people choose.
 */
const IMAGE_KEYS = ['b64', 'data', 'body', 'image', 'image_bytes', 'image_base64', 'bytes'] as const;

/** Members that may stand beside an image without a meaning here. */
const SIDE_KEYS = ['key', 'target', 'mime_type', 'mimeType'];

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

/** @throws InferenceError when the value holds no base64 text where an image is expected */
export function decodeImageValue(value: JsonValue | undefined, inputName: string, field: string): Uint8Array {
  const text = findImage(value, inputName);
  if (text !== undefined) return decodeBase64(text, field);
  throw invalid(`Field "${field}" is ${describeJson(value)}; expected an image in base64, as {"b64": "…"}.`);
}

/** Whether a value is bytes in base64 as TensorFlow Serving writes them: an object with `b64` alone. */
export function isBase64Object(value: JsonValue | undefined): value is JsonObject & { readonly b64: string } {
  return isJsonObject(value) && typeof value.b64 === 'string' && Object.keys(value).length === 1;
}
