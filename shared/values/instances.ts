import type { Limits } from '../config.ts';
import { InferenceError, invalid } from '../errors.ts';
import { describeJson, hasOnly, isJsonObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { appendPath } from '../tensor/nested.ts';
import { describeInputs, type ModelContract } from './contract.ts';
import { decodeImageValue, findImage, isBase64Object, isImageText, isOfImage } from './image-value.ts';
import type { InputKind } from './input.ts';
import type { BytesInput, NamedInputs } from './named-inputs.ts';
import { jsonTexts, type Locate, parseTensorValues } from './nested-values.ts';
import { decodeTextRows, isTextInstance, listTexts } from './text-inputs.ts';
import { areTextNames, isTextValue } from './text-value.ts';

/**
 * The tensors of a request that lists instances, one after the other ("row format"). An instance is the value of the
 * only input, or an object with a value for each input; if the config names the features it can be an object of them,
 * for an image model an image in base64, and for a text model a text or a pair. The first instance decides which. The
 * tensors get the number of instances as their first axis. Source: the row format of TensorFlow Serving, and how
 * KServe, Vertex AI, SageMaker and MLflow use it.
 *
 * @param field where the list stands in the request, for errors
 * @throws InferenceError naming the instance, what came and what is expected
 */
export function decodeRows(
  value: JsonValue | undefined,
  field: string,
  contract: ModelContract,
  limits: Limits,
): NamedInputs {
  if (!Array.isArray(value) || value.length === 0) {
    const given = Array.isArray(value) ? 'empty' : describeJson(value);
    throw invalid(`Field "${field}"`, `is ${given}; expected an array of at least one instance.`);
  }
  checkInstances(value.length, field, limits);
  if (takesJson(contract)) return new Map([[contract.inputs[0]?.name ?? '', jsonTexts(value)]]);
  const rows = value.map(unwrapFeatures);
  const [first] = rows;
  const { imageInput, textInput } = contract;
  if (textInput && (isTextInstance(first, textInput) || lacksInputs(first, contract))) {
    return decodeTextRows(rows, textInput, field);
  }
  if (imageInput !== undefined && findImage(first, imageInput) !== undefined) {
    const images = rows.map((row, index) => decodeImageValue(row, imageInput, `${field}[${index}]`));
    return new Map([[imageInput, imagesOf(images)]]);
  }
  return isJsonObject(first) && !isBase64Object(first)
    ? decodeObjects(rows, field, contract, limits)
    : decodeValues(rows, field, contract, limits);
}

/** Whether instances are JSON of any form, because own code reads them. */
export function takesJson({ inputs: [only, ...others] }: Pick<ModelContract, 'inputs'>): boolean {
  return only?.isJson === true && others.length === 0;
}

/**
 * Whether an instance for a text model has none of the inputs of the graph: then it was meant as a text, but is not a
 * valid one.
 */
function lacksInputs(value: JsonValue | undefined, { inputs, textInput }: ModelContract): boolean {
  if (!textInput?.isPrepared || Array.isArray(value)) return false;
  return !isJsonObject(value) || !inputs.some(({ name }) => Object.hasOwn(value, name));
}

/** Encoded images as one input: the core runs the model's preprocessing on them. */
export function imagesOf(images: readonly Uint8Array[]): BytesInput {
  return { datatype: 'BYTES', shape: [images.length], elements: images };
}

/** @throws InferenceError PAYLOAD_TOO_LARGE when a request has more instances than the limit */
export function checkInstances(count: number, field: string, limits: Limits): void {
  if (count <= limits.batchSize) return;
  throw new InferenceError('PAYLOAD_TOO_LARGE', [
    `Field "${field}"`,
    `has ${count} instances; the limit is ${limits.batchSize} (MAX_BATCH_SIZE).`,
  ]);
}

/** SageMaker's own algorithms take `{"features": [...]}` and `{"data": {"features": {"values": [...]}}}`. */
function unwrapFeatures(row: JsonValue): JsonValue {
  if (hasOnly(row, 'data') && isJsonObject(row.data)) return unwrapFeatures(row.data);
  if (!hasOnly(row, 'features') || row.features === undefined) return row;
  return hasOnly(row.features, 'values') ? (row.features.values ?? null) : row.features;
}

function decodeValues(
  rows: JsonValue[],
  field: string,
  contract: ModelContract,
  limits: Limits,
  locate?: Locate,
): NamedInputs {
  const [only, ...others] = contract.inputs;
  if (!only || others.length > 0) return decodeLists(rows, field, contract, limits);
  return new Map([[only.name, parseTensorValues(rows, only, field, limits, locate)]]);
}

/** Rows of a model with several inputs: a value for each, in the order of its features or else of its inputs. */
function decodeLists(
  rows: readonly JsonValue[],
  field: string,
  contract: ModelContract,
  limits: Limits,
): NamedInputs {
  const { inputs, features } = contract;
  const names = inputs.map(({ name }) => name);
  const order = features?.every((name) => names.includes(name)) ? features : names;
  const lists = rows.map((row, index) => {
    if (Array.isArray(row) && row.length === inputs.length) return row;
    throw invalid(
      `Field "${field}[${index}]"`,
      `is ${describeJson(row)}; this model has ${inputs.length} inputs, so expected a list of their values or an object with ${describeInputs(contract)}.`,
    );
  });
  return new Map(
    inputs.map((spec) => {
      const place = order.indexOf(spec.name);
      const locate: Locate = ([row, ...rest]) => appendPath(`${field}[${row}][${place}]`, rest);
      const cells = lists.map((list) => list[place] ?? null);
      return [spec.name, parseTensorValues(cells, spec, field, limits, locate)];
    }),
  );
}

function decodeObjects(
  rows: readonly JsonValue[],
  field: string,
  contract: ModelContract,
  limits: Limits,
): NamedInputs {
  const [first] = rows;
  const { inputs, features } = contract;
  const byInput = inputs.every(({ name }) => isJsonObject(first) && Object.hasOwn(first, name));
  const names = byInput || !features ? inputs.map(({ name }) => name) : features;
  const columns = collectMembers(rows, names, field);
  if (names === features) {
    const lists = rows.map((_, row) => columns.map((column) => unwrapSingle(column[row] ?? null)));
    const locate: Locate = ([row, column, ...rest]) =>
      appendPath(`${field}[${row}]${column === undefined ? '' : `.${names[column]}`}`, rest);
    return decodeValues(lists, field, contract, limits, locate);
  }
  return new Map(
    inputs.map((spec, index) => {
      const locate: Locate = ([row, ...rest]) => appendPath(`${field}[${row}].${spec.name}`, rest);
      return [spec.name, parseTensorValues(columns[index] ?? [], spec, field, limits, locate)];
    }),
  );
}

/** The members of all rows, by name: each row must have exactly these. */
function collectMembers(rows: readonly JsonValue[], names: readonly string[], field: string): JsonValue[][] {
  const known = new Set(names);
  for (const [index, row] of rows.entries()) {
    const where = `${field}[${index}]`;
    if (!isJsonObject(row)) {
      throw invalid(`Field "${where}"`, `is ${describeJson(row)}; expected an object, as the first one.`);
    }
    const missing = names.find((name) => !Object.hasOwn(row, name));
    const unknown = Object.keys(row).find((key) => !known.has(key));
    if (missing === undefined && unknown === undefined) continue;
    const problem =
      missing === undefined
        ? `has the unknown key ${JSON.stringify((unknown ?? '').slice(0, 100))}`
        : `lacks ${JSON.stringify(missing)}`;
    const expected = names.map((name) => JSON.stringify(name)).join(', ');
    throw invalid(
      `Field "${where}"`,
      `is ${describeJson(row)}: it ${problem}; expected the keys ${expected}.`,
    );
  }
  return names.map((name) => rows.map((row) => (isJsonObject(row) ? (row[name] ?? null) : null)));
}

/** A feature can come as a list of one, which is what TensorFlow's own clients send. */
export function unwrapSingle(value: JsonValue): JsonValue {
  return Array.isArray(value) && value.length === 1 ? (value[0] ?? null) : value;
}

/**
 * The tensors of a request that gives whole inputs ("column format"): the value of the only input, or an object with
 * one per input, whose shape is their nesting. Images are base64 texts, one or a list, and so are texts for a text model.
 * Source: the column format of TensorFlow Serving.
 *
 * @throws InferenceError
 */
export function decodeColumns(
  value: JsonValue | undefined,
  field: string,
  contract: ModelContract,
  limits: Limits,
): NamedInputs {
  const { inputs, imageInput, textInput } = contract;
  const texts = textInput && listTexts(value, field, textInput);
  if (textInput && texts) {
    checkInstances(texts.value.length, texts.field, limits);
    const isOne = texts.field === field && !Array.isArray(value);
    return decodeTextRows(texts.value, textInput, texts.field, isOne ? () => field : undefined);
  }
  if (imageInput !== undefined) {
    const own = isJsonObject(value) && Object.hasOwn(value, imageInput) ? value[imageInput] : value;
    const list = Array.isArray(own) ? own : [own ?? null];
    if (list.length > 0 && findImage(list[0], imageInput) !== undefined) {
      checkInstances(list.length, field, limits);
      const where = (index: number) => (Array.isArray(own) ? `${field}[${index}]` : field);
      return new Map([
        [imageInput, imagesOf(list.map((item, index) => decodeImageValue(item, imageInput, where(index))))],
      ]);
    }
  }
  if (takesJson(contract)) return decodeJsonColumns(value ?? null, field, contract, limits);
  if (isJsonObject(value) && !isBase64Object(value)) {
    return new Map(
      inputs.map((spec) => {
        const given = Object.hasOwn(value, spec.name) ? value[spec.name] : undefined;
        if (given === undefined) {
          throw invalid(
            `Field "${field}"`,
            `lacks the input "${spec.name}"; the inputs are ${describeInputs(contract)}.`,
          );
        }
        return [spec.name, parseTensorValues(given, spec, `${field}.${spec.name}`, limits)];
      }),
    );
  }
  const [only, ...others] = inputs;
  if (value === undefined || !only || others.length > 0) {
    throw invalid(
      `Field "${field}"`,
      `is ${describeJson(value)}; expected an object with the inputs ${describeInputs(contract)}.`,
    );
  }
  return new Map([[only.name, parseTensorValues(value, only, field, limits)]]);
}

/** A list has the instances themselves; an object has columns, or is the only instance. */
function decodeJsonColumns(
  value: JsonValue,
  field: string,
  contract: ModelContract,
  limits: Limits,
): NamedInputs {
  if (Array.isArray(value)) return decodeRows(value, field, contract, limits);
  if (!holdsColumns(value)) return decodeRows([value], field, contract, limits);
  const columns = Object.entries(value);
  const instances = (columns[0]?.[1] ?? []).map((_, row) =>
    Object.fromEntries(columns.map(([name, column]) => [name, column[row] ?? null])),
  );
  return decodeRows(instances, field, contract, limits);
}

/** Whether a value is a table for a model that takes JSON: an object of lists, all as long as each other, with rows. */
export function holdsColumns(value: JsonValue): value is { [key: string]: JsonValue[] } {
  const [first, ...others] = isJsonObject(value) ? Object.values(value) : [];
  if (!Array.isArray(first) || first.length === 0) return false;
  return others.every((column) => Array.isArray(column) && column.length === first.length);
}

/** What instances, or whole inputs, look like: images in base64, texts, or anything else. */
export function kindOfValues(value: JsonValue | undefined): InputKind {
  const [first] = Array.isArray(value) ? value : [value];
  if (isOfImage(first) || isImageColumn(first)) return 'image';
  return (isJsonObject(first) ? isNamedText(first) : isTextValue(first)) ? 'text' : 'features';
}

/** `{"pixels": ["<base64>", …]}`: a list of images under a name that only the model knows. */
function isImageColumn(value: JsonValue | undefined): boolean {
  const [only, ...others] = isJsonObject(value) ? Object.values(value) : [];
  const [item] = Array.isArray(only) ? only : [];
  return others.length === 0 && typeof item === 'string' && isImageText(item);
}

/** A text, a pair, or lists of them, under the usual names of texts: other names could be columns of a table. */
function isNamedText(value: JsonObject): boolean {
  if (!areTextNames(Object.keys(value))) return false;
  const firsts = Object.entries(value).map(([name, member]): [string, JsonValue] => [
    name,
    Array.isArray(member) ? (member[0] ?? null) : member,
  ]);
  return isTextValue(Object.fromEntries(firsts));
}
