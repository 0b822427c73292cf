import { answerStyle, jsonAnswer } from '../../answers/answer.ts';
import { writeScore } from '../../answers/best-labels.ts';
import { encodePredictions } from '../../answers/predictions.ts';
import type { Limits } from '../../config.ts';
import { invalid } from '../../errors.ts';
import type { ModelUse } from '../../inference/model-use.ts';
import { nameScores } from '../../inference/name-scores.ts';
import type { InferenceOutput } from '../../inference/output.ts';
import { describeJson, isJsonObject, type JsonObject, type JsonValue } from '../../json/json-value.ts';
import { type WritableJson, writeJson } from '../../json/write-json.ts';
import type { ElementStyle } from '../../tensor/write-tensor.ts';
import type { ModelContract } from '../../values/contract.ts';
import { decodeImageValue, isImageText } from '../../values/image-value.ts';
import type { InferenceInput } from '../../values/input.ts';
import { checkInstances } from '../../values/instances.ts';
import { decodeTable, type Table, tableOfRecords, tableOfSplit } from '../../values/table.ts';
import { rowsOfTable } from '../../values/table-rows.ts';
import type { Dialect } from '../invocation.ts';

// Services that Azure ML makes for models of its own tools, each with its own form of requests. Sources: the scoring
// scripts that AutoML writes (scoring_file_v_1_0_0.py and scoring_file_v_2_0_0.py of each run); the "Consume" samples
// of designer endpoints; azureml-designer-classic-modules, base_learner.py (`_build_result_dataframe`).

/** The methods of AutoML's scripts. */
const METHODS = ['predict', 'predict_proba'] as const;

type Method = (typeof METHODS)[number];

/** A request to such a service. */
interface ServiceRequest {
  readonly table: Table;
  /** Writes the answer. */
  readonly encode: (output: InferenceOutput, style: ElementStyle, limitBytes: number) => WritableJson;
}

/** Whether JSON is a request to a service of AutoML or of the designer. */
export function isServiceRequest(json: JsonValue): json is JsonObject {
  if (!isJsonObject(json)) return false;
  const has = (name: string) => Object.hasOwn(json, name);
  return has('Inputs') || (has('data') && has('method') && !has('input_data'));
}

/** Answers a request in one of these forms with the model's prediction for each row. */
export const invokeService: Dialect = async (invocation, { inference, config }) => {
  const { limits } = config;
  const reading = invocation.read(readService);
  const { columns } = reading.value.table;
  const holdsImages = columns.some(([first]) => typeof first === 'string' && isImageText(first));
  const kind = holdsImages ? 'image' : 'features';
  const { value, usage } = await inference.use({ ...invocation.choice, kind }, invocation, (model) =>
    reading.bind(async ({ table, encode }) => ({ encode, output: await predict(table, model, limits) })),
  );
  const body = value.encode(value.output, answerStyle(config), limits.answerBytes);
  return { response: jsonAnswer(body, config), usage };
};

/** @throws InferenceError naming the field, what came and what is expected */
function readService(json: JsonValue): ServiceRequest {
  if (!isJsonObject(json)) throw invalid('The request', `is ${describeJson(json)}; expected an object.`);
  const { Inputs: inputs, GlobalParameters: parameters, method } = json;
  if (inputs === undefined) {
    const wanted = readMethod(method, 'method');
    const table = tableOfRows(json.data, 'data');
    // The script returns JSON as a text, which the server writes as JSON again.
    return {
      table,
      encode: (output, style, limit) =>
        writeJson({ result: encodeResults(output, wanted, 'method', style) }, limit),
    };
  }
  const others = ['data', 'input_data', 'method'].filter((name) => Object.hasOwn(json, name));
  if (others.length > 0)
    throw invalid('The request', `has "Inputs" and "${others[0]}"; expected only one of them.`);
  const [name, ...more] = isJsonObject(inputs) ? Object.keys(inputs) : [];
  if (!isJsonObject(inputs) || name === undefined || more.length > 0) {
    throw invalid(
      'Field "Inputs"',
      `is ${describeJson(inputs)}; expected an object with one table, "data" or as "WebServiceInput0".`,
    );
  }
  const field = `Inputs.${name.slice(0, 100)}`;
  const given = inputs[name];
  const place = 'GlobalParameters.method';
  if (name === 'data') {
    const wanted = readMethod(readParameters(parameters, ['method']).method, place);
    return {
      table: tableOfRows(given, field),
      encode: (output, style) => ({ Results: encodeResults(output, wanted, place, style) }),
    };
  }
  readParameters(parameters, []);
  const table = tableOfRows(given, field);
  const encode = isJsonObject(given) ? encodeDataTable : encodeScored;
  return {
    table,
    encode: (output, style) => ({ Results: { [nameOutput(name)]: encode(scoreRows(table, output, style)) } }),
  };
}

/**
 * `GlobalParameters` of a request: an object, or a number that is ignored, as in AutoML's samples.
 *
 * @throws InferenceError for a parameter that would change the answer on Azure ML
 */
function readParameters(value: JsonValue | undefined, known: readonly string[]): JsonObject {
  if (value === undefined || value === null || typeof value === 'number') return {};
  if (!isJsonObject(value))
    throw invalid('Field "GlobalParameters"', `is ${describeJson(value)}; expected an object or a number.`);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return value;
  const expected = known.length === 0 ? 'none' : `"${known.join('", "')}" alone`;
  throw invalid(
    'Field "GlobalParameters"',
    `has ${JSON.stringify(unknown.slice(0, 100))}, which is not a parameter here; expected ${expected}.`,
  );
}

function readMethod(value: JsonValue | undefined, field: string): Method {
  const method = METHODS.find((each) => each === (value ?? 'predict'));
  if (method !== undefined) return method;
  throw invalid(`Field "${field}"`, `is ${describeJson(value)}; expected "predict" or "predict_proba".`);
}

/**
 * Objects by column, lists in the order of the columns, or names and lists separately. Numbers may be texts, as in CSV.
 */
function tableOfRows(value: JsonValue | undefined, field: string): Table {
  const isListed = Array.isArray(value) && Array.isArray(value[0]);
  if (isJsonObject(value) || isListed) {
    const { ColumnNames: columns, Values: data } = isJsonObject(value) ? value : { Values: value };
    if (!Array.isArray(data)) {
      throw invalid(
        `Field "${field}"`,
        `is ${describeJson(value)}; expected a list of rows, or {"ColumnNames": […], "Values": [[…], …]}.`,
      );
    }
    return { ...tableOfSplit(columns === undefined ? { data } : { columns, data }, field), isText: true };
  }
  return { ...tableOfRecords(value, field), isText: true };
}

/** The predictions of the task for a table, one for each row. */
async function predict(
  table: Table,
  { contract, ...use }: ModelUse,
  limits: Limits,
): Promise<InferenceOutput> {
  const input = inputOf(table, contract, limits);
  if (input) return await use.predict(input);
  return {
    kind: 'tensors',
    tensors: await use.run(decodeTable(table, contract, limits), { layout: 'instances' }),
  };
}

function inputOf(table: Table, contract: ModelContract, limits: Limits): InferenceInput | undefined {
  const { kind } = contract;
  if (kind === 'features') return { kind, rows: rowsOfTable(table, contract, limits) };
  if (kind === 'tensors') return undefined;
  const cells = pickColumn(table, kind);
  if (cells.length === 0) throw invalid(`Field "${table.field}"`, 'has no rows; expected at least one.');
  checkInstances(cells.length, table.field, limits);
  const fieldOf = (row: number) => `${table.field}[${row}]`;
  if (kind === 'image') {
    const name = contract.imageInput ?? kind;
    return {
      kind,
      images: cells.map((cell, row) => ({
        value: decodeImageValue(cell, name, fieldOf(row)),
        field: fieldOf(row),
      })),
    };
  }
  return {
    kind,
    texts: cells.map((value, row) => {
      if (typeof value === 'string') return { value, field: fieldOf(row) };
      throw invalid(`Field "${fieldOf(row)}"`, `is ${describeJson(value)}; expected a text.`);
    }),
  };
}

/** The column of images or texts: the only one, or the one with a usual name. */
function pickColumn({ names, columns, field }: Table, kind: string): readonly JsonValue[] {
  const [only = [], ...others] = columns;
  const named = columns[names?.indexOf(kind) ?? -1];
  if (named ?? others.length === 0) return named ?? only;
  throw invalid(`Field "${field}"`, `has ${columns.length} columns; expected one called "${kind}".`);
}

/** Labels, numbers, or probabilities in the order of the classes. */
function encodeResults(
  output: InferenceOutput,
  method: Method,
  field: string,
  style: ElementStyle,
): readonly WritableJson[] {
  if (method === 'predict') return encodePredictions(output, style);
  if (output.kind === 'classification' && output.areProbabilities) {
    return output.predictions.map(({ scores }) => Array.from(scores, (score) => writeScore(score, style)));
  }
  throw invalid(`Field "${field}"`, 'is predict_proba; this model gives no probabilities.');
}

type ScoredRow = ReadonlyMap<string, WritableJson>;

/** Each row as it came, with the columns that the designer's Score Model adds. */
function scoreRows(
  { names, columns }: Table,
  output: InferenceOutput,
  style: ElementStyle,
): readonly ScoredRow[] {
  return encodePredictions(output, style).map(
    (prediction, row) =>
      new Map([
        ...columns.map((column, index): [string, WritableJson] => [
          names?.[index] ?? `Col${index + 1}`,
          column[row] ?? null,
        ]),
        ...encodeProbabilities(output, row, style, prediction),
      ]),
  );
}

/** For two classes the probability of the second, for more those of all, before the label; nothing for numbers. */
function encodeProbabilities(
  output: InferenceOutput,
  row: number,
  style: ElementStyle,
  prediction: WritableJson,
): readonly (readonly [string, WritableJson])[] {
  const label = [SCORED_LABELS, prediction] as const;
  const scores = output.kind === 'classification' ? output.predictions[row]?.scores : undefined;
  if (output.kind !== 'classification' || !output.areProbabilities || !scores) return [label];
  if (scores.length === 2) return [label, [SCORED_PROBABILITIES, writeScore(scores[1], style)]];
  const named = nameScores(scores.keys(), output.labels, scores, (score) => writeScore(score, style));
  return [...[...named].map(([name, score]) => [`${SCORED_PROBABILITIES}_${name}`, score] as const), label];
}

const SCORED_LABELS = 'Scored Labels';
const SCORED_PROBABILITIES = 'Scored Probabilities';

function encodeScored(rows: readonly ScoredRow[]): WritableJson {
  return rows;
}

/** A table with separate column names and all values as texts, as Studio (classic) writes it. */
function encodeDataTable(rows: readonly ScoredRow[]): WritableJson {
  const write = (value: WritableJson) => (typeof value === 'string' ? value : writeJson(value));
  return {
    type: 'table',
    value: {
      ColumnNames: [...(rows[0]?.keys() ?? [])],
      Values: rows.map((row) => Array.from(row.values(), write)),
    },
  };
}

/**
 * `WebServiceInput0` is answered with `WebServiceOutput0`, `input1` with `output1`; other names are chosen by the
 * author.
 */
function nameOutput(input: string): string {
  const [, start, letter, number] = /^(WebService)?([Ii])nput(\d*)$/.exec(input) ?? [];
  return letter === undefined
    ? 'WebServiceOutput0'
    : `${start ?? ''}${letter === 'I' ? 'O' : 'o'}utput${number}`;
}
