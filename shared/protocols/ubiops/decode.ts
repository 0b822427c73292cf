import { encodeNamedColumns, encodeNamedRows } from '../../answers/predictions.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { measureNesting } from '../../json/nesting.ts';
import type { WritableJson } from '../../json/write-json.ts';
import type { NamedTensors } from '../../runtime/session.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import type { ModelContract } from '../../values/contract.ts';
import { decodeColumns, decodeRows } from '../../values/instances.ts';
import type { Layout, NamedInputs } from '../../values/named-inputs.ts';
import { listTexts } from '../../values/text-inputs.ts';
import { unsupportedBody } from '../body/json-body.ts';
import type { Invocation } from '../invocation.ts';

/** The run for a request, and how its result is written. */
export interface Fields {
  readonly inputs: NamedInputs;
  readonly layout: Layout;
  readonly encode: (outputs: NamedTensors, style: ElementStyle) => WritableJson;
}

/** Where the fields stand, for errors. */
const FIELD = 'data';

/**
 * The inputs of a deployment: an object of fields, a plain text, or a list of either. Fields have the names of the
 * model's inputs or of its features. Fields of one instance get the outputs of that instance; inputs that have an axis
 * of instances themselves get whole outputs.
 *
 * @throws InferenceError naming the field, what came and what is expected
 */
export function decodeFields(json: JsonValue, contract: ModelContract, limits: Limits): Fields {
  const data = mapFields(json, (fields) => nameImage(checkFiles(fields), contract));
  if (isJsonObject(data) && isWhole(data, contract)) {
    return {
      inputs: decodeColumns(data, FIELD, contract, limits),
      layout: 'whole',
      encode: encodeNamedColumns,
    };
  }
  if (Array.isArray(data)) {
    return {
      inputs: decodeRows(data, FIELD, contract, limits),
      layout: 'instances',
      encode: encodeNamedRows,
    };
  }
  return {
    inputs: decodeRows([data], FIELD, contract, limits),
    layout: 'instances',
    encode: (outputs, style) => encodeNamedRows(outputs, style)[0],
  };
}

function mapFields(json: JsonValue, map: (fields: JsonObject) => JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map((item) => mapFields(item, map));
  return isJsonObject(json) ? map(json) : json;
}

/** @throws InferenceError for a field that only points to a file */
function checkFiles(fields: JsonObject): JsonObject {
  const field = Object.keys(fields).find((name) => isFile(fields[name]));
  if (field === undefined) return fields;
  throw invalid(
    `Field "${field.slice(0, 100)}"`,
    'is a file in the storage of UbiOps, which is not fetched; expected its content, images in base64.',
  );
}

function isFile(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return isFile(value[0]);
  return typeof value === 'string' && value.startsWith('ubiops-file://');
}

/** The field of an image can have any name: it is the only one. */
function nameImage(fields: JsonObject, { imageInput }: ModelContract): JsonValue {
  const [only, ...others] = Object.values(fields);
  if (imageInput === undefined || only === undefined || others.length > 0) return fields;
  const isText = typeof only === 'string' || (Array.isArray(only) && typeof only[0] === 'string');
  return isText ? { [imageInput]: only } : fields;
}

/**
 * Whether every input is present with all its axes. The first axis counts instances; encoded images and texts have only
 * that one.
 */
function isWhole(fields: JsonObject, { inputs, imageInput, textInput }: ModelContract): boolean {
  const values = Object.values(fields);
  const areLists = values.length > 0 && values.every((value) => Array.isArray(value));
  if (textInput && areLists && listTexts(fields, FIELD, textInput)) return true;
  return inputs.every(({ name, shape, isRankDynamic = false }) => {
    const given = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const { shape: lists, leaf } = measureNesting(given);
    const isImages = name === imageInput && typeof leaf === 'string';
    return leaf !== undefined && (isRankDynamic || lists.length === (isImages ? 1 : shape.length));
  });
}

/** The request to a deployment with plain input is the text itself. */
export function readText({ mediaType, body }: Invocation): string {
  if (mediaType === '' || mediaType === 'text/plain') {
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  }
  throw unsupportedBody(mediaType, 'application/json and text/plain');
}
