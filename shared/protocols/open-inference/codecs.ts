import type { Budget } from '../../budget.ts';
import { invalid } from '../../errors.ts';
import { describeJson, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { parseRequestJson } from '../../json/request-json.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { float16ToNumber } from '../../tensor/float16.ts';
import { isOneEach, type Tensor } from '../../tensor/tensor.ts';
import type { ModelContract } from '../../values/contract.ts';
import { checkInstances, takesJson } from '../../values/instances.ts';
import {
  expectElement,
  isBytesInput,
  type Layout,
  type NamedInputs,
  type TensorInput,
} from '../../values/named-inputs.ts';
import { decodeTable } from '../../values/table.ts';

// The codecs of MLServer, which a client names in the parameter "content_type" of a request, an input or an output.
// Source: MLServer 1.7.1, mlserver/codecs/: base.py, numpy.py, string.py, base64.py, datetime.py, pandas.py, utils.py.

/** The content types in a request: of the whole, and of each input by its name. */
export interface ContentTypes {
  readonly whole: string | undefined;
  readonly inputs: ReadonlyMap<string, string | undefined>;
}

/** Codecs that read one tensor under any name. A data frame (`pd`) has a tensor per column. */
const SINGLE: readonly string[] = ['np', 'str', 'base64', 'datetime'];

/**
 * The content type among the parameters of a request, an input or an output. Unknown ones are ignored, as in MLServer.
 *
 * @throws InferenceError when it is not a text
 */
export function readContentType(parameters: JsonObject, field: string): string | undefined {
  const type = parameters.content_type ?? undefined;
  if (type === undefined || typeof type === 'string') return type;
  throw invalid(`Field "${field}.content_type"`, `is ${describeJson(type)}; expected a string.`);
}

/** Inputs as the graph takes them, and how instances stand in them. */
export interface Placed {
  readonly inputs: NamedInputs;
  readonly layout: Layout;
}

/**
 * The tensors of a request under the names of the graph. The first rule that fits counts, so a name never has two
 * meanings:
 *
 * 1. Names of the graph's inputs stand for these inputs.
 * 2. The columns of a data frame (`pd`, or names that are all features of a model with one matrix) become what the
 *    model takes, by name, or in their order if none of the names is known.
 * 3. A tensor that stands alone goes into the only input of a table model, or of any model if a content type of
 *    MLServer is given: its codecs for one tensor do not look at the name.
 *
 * Everything else is left unchanged, and is refused later by its name.
 *
 * @throws InferenceError naming the column, what came and what is expected
 */
export function placeInputs(
  inputs: NamedInputs,
  types: ContentTypes,
  contract: ModelContract,
  budget: Budget,
): Placed {
  const asTheyAre: Placed = { inputs, layout: 'whole' };
  const names = [...inputs.keys()];
  const areInputs = names.every((name) => contract.inputs.some((spec) => spec.name === name));
  const isNamed = takesJson(contract) && !areInputs;
  const isFrame = (types.whole === 'pd' || isNamed) && contract.imageInput === undefined && names.length > 0;
  if (areInputs && !(isFrame && [...inputs.values()].every(isColumn))) return asTheyAre;
  if (isFrame || areFeatures(names, contract)) return placeFrame(inputs, types, contract, budget);
  const [only, ...others] = contract.inputs;
  const [given, ...more] = inputs.values();
  if (!only || !given || others.length > 0 || more.length > 0) return asTheyAre;
  const said = [types.whole, ...types.inputs.values()];
  const isFree = contract.kind === 'features' || said.some((type) => SINGLE.includes(type ?? ''));
  return isFree ? { inputs: new Map([[only.name, given]]), layout: 'whole' } : asTheyAre;
}

function areFeatures(names: readonly string[], { features, imageInput }: ModelContract): boolean {
  return features !== undefined && imageInput === undefined && names.every((name) => features.includes(name));
}

/** A column has one element a row. */
function isColumn({ shape }: TensorInput): boolean {
  return shape.length === 1 || (shape.length === 2 && shape[1] === 1);
}

/** The name of a data frame in errors; `frame[2][0]` is the first column of its third row. */
const FRAME = 'frame';

function placeFrame(
  inputs: NamedInputs,
  types: ContentTypes,
  contract: ModelContract,
  budget: Budget,
): Placed {
  const { limits } = budget;
  const [first] = inputs.values();
  const rows = first?.shape[0] ?? 0;
  for (const [name, input] of inputs) {
    if (!isColumn(input)) {
      throw invalid(
        `Input "${name}"`,
        `has the shape [${input.shape}]; a column of a data frame has the shape [N] or [N,1].`,
      );
    }
    if (input.shape[0] !== rows) {
      throw invalid(`Input "${name}"`, `has ${input.shape[0]} rows; the first column has ${rows}.`);
    }
  }
  checkInstances(rows, FRAME, limits);
  const columns = [...inputs].map(([name, input]) => cellsOf(name, input, types.inputs.get(name), budget));
  const table = { names: nameColumns([...inputs.keys()], contract), columns, field: FRAME, isText: false };
  return { inputs: decodeTable(table, contract, limits), layout: 'instances' };
}

/** The names of the columns; if the model knows none of them, the columns are taken in the model's order. */
function nameColumns(
  names: readonly string[],
  { features, inputs }: ModelContract,
): readonly string[] | undefined {
  if (takesJson({ inputs })) return names;
  const inputNames = inputs.map(({ name }) => name);
  const known = new Set([...inputNames, ...(features ?? [])]);
  if (names.some((name) => known.has(name))) return names;
  const order = features ?? (inputs.length > 1 ? inputNames : undefined);
  return order === undefined || order.length === names.length ? order : names;
}

/** Values of a column. Objects of pandas come as texts of JSON (`pd_json`), truth values as 0 and 1. */
function cellsOf(
  name: string,
  input: TensorInput,
  type: string | undefined,
  budget: Budget,
): readonly JsonValue[] {
  if (isBytesInput(input)) {
    return input.elements.map((element, row) => {
      const field = `Element ${row} of input "${name}"`;
      if (element === null) return null;
      if (type === 'pd_json') {
        const bytes = typeof element === 'string' ? Buffer.from(element) : element;
        return parseRequestJson(bytes, budget, { what: field, isPart: true });
      }
      return typeof element === 'string' ? element : toText(element, field);
    });
  }
  const { datatype, data } = input;
  const values = [...data];
  if (datatype === 'FP16') return values.map((bits) => float16ToNumber(Number(bits)));
  return DATATYPES[datatype].kind === 'bool' ? values.map((value) => value === 1) : values;
}

function toText(bytes: Uint8Array, field: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid(`${field} is not valid UTF-8; texts must be UTF-8.`);
  }
}

/** A date of ISO 8601, by month and day or by week, with or without a time and its distance to UTC. */
const DATE =
  /^\d{4}(?:-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|-?W(?:0[1-9]|[1-4]\d|5[0-3])(?:-?[1-7])?)(?:.(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?[0-5]\d(?:[.,]\d+)?)?)?(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d(?::?[0-5]\d(?:\.\d+)?)?)?)?)?$/su;

/**
 * Checks that an input of the content type `datetime` has dates of ISO 8601. The model gets their texts: graphs have no
 * dates.
 *
 * @throws InferenceError naming the element
 */
export function checkDates(name: string, input: TensorInput): void {
  if (!isBytesInput(input)) return;
  for (const [index, element] of input.elements.entries()) {
    const field = `Element ${index} of input "${name}"`;
    const given = expectElement(element, index, name);
    const text = typeof given === 'string' ? given : toText(given, field);
    if (!DATE.test(text))
      throw invalid(field, `is ${describeJson(text)}; expected a date of ISO 8601 (content_type datetime).`);
  }
}

/**
 * An output in the content type that was asked for. MLServer adds a second axis of size 1 if there is only one axis.
 *
 * @throws InferenceError if the output holds something else
 */
export function encodeContent(name: string, tensor: Tensor, type: string): Tensor {
  const { datatype, shape, data } = tensor;
  const wide = shape.length === 1 ? [...shape, 1] : shape;
  if (type === 'np') return { datatype, shape: wide, data };
  if (datatype !== 'BYTES' || !isOneEach(shape)) {
    throw invalid(
      `Output "${name}"`,
      `is ${datatype} of the shape [${shape}]; the content type ${type} takes one text a row.`,
    );
  }
  const texts = Array.from(data, String);
  return {
    datatype,
    shape: [texts.length, 1],
    data: type === 'base64' ? texts.map((text) => Buffer.from(text).toString('base64')) : texts,
  };
}

/** Whether outputs can have a content type; unknown types are ignored, as in MLServer. */
export function isSingle(type: string | undefined): type is string {
  return type !== undefined && SINGLE.includes(type);
}
