import { InferenceError, invalid } from '../../errors.ts';
import { CSV_TYPE, isJsonType } from '../../http/media-type.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { ModelContract } from '../../values/contract.ts';
import { readCsv, readCsvParameters, tableOfCells } from '../../values/csv.ts';
import { checkInstances, decodeColumns, decodeRows, kindOfValues } from '../../values/instances.ts';
import {
  decodeTable,
  distinctNames,
  type Table,
  tableOfColumns,
  tableOfRecords,
  tableOfSplit,
} from '../../values/table.ts';
import { listTexts } from '../../values/text-inputs.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { isUntyped } from '../body/json-body.ts';
import type { Payload } from '../body/payload.ts';
import { type Invocation, type Reading, readingOf } from '../invocation.ts';
import type { ProtocolOptions } from '../operation.ts';
import { DATA_KEYS, scoringRequest } from './schemas.ts';

/** One form of data, and whether its predictions are listed one row after the other. */
interface Data extends Payload {
  readonly isRows: boolean;
  /** Whether it is a data frame. */
  readonly isFrame: boolean;
}

/**
 * Reads a table or tensors, in JSON or as CSV.
 *
 * @throws InferenceError saying what came and what is accepted
 */
export function readData(invocation: Invocation, options: ProtocolOptions): Reading<Data> {
  const { mediaType } = invocation;
  if (mediaType === CSV_TYPE) return readingOf(readTable(invocation, options));
  if (isJsonType(mediaType) || isUntyped(mediaType)) {
    return invocation.read((json) => readJson(json, options));
  }
  throw new InferenceError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Content-Type ${JSON.stringify(mediaType.slice(0, 80))} is not accepted; accepted types are application/json and ${CSV_TYPE}.`,
  );
}

function readJson(json: JsonValue, options: ProtocolOptions): Data {
  const { limits } = options.config;
  const keys = isJsonObject(json) ? DATA_KEYS.filter((key) => Object.hasOwn(json, key)) : [];
  const [key] = keys;
  if (!isJsonObject(json) || key === undefined || keys.length > 1) throw notOneForm(json);
  const { [key]: value } = parseEnvelope(scoringRequest(), json);
  switch (key) {
    case 'dataframe_split':
      return dataOf(tableOfSplit(value, key), options);
    case 'dataframe_records':
      return dataOf(tableOfRecords(value, key), options);
    case 'instances':
      return {
        kind: kindOfValues(value),
        layout: 'instances',
        isRows: true,
        isFrame: false,
        toInputs: (contract) => decodeRows(value, key, contract, limits),
      };
    case 'inputs':
      return {
        kind: kindOfValues(value),
        layout: 'batch',
        isRows: false,
        isFrame: false,
        toInputs: (contract) => {
          if (isListOfRecords(value, contract))
            return decodeTable(tableOfRecords(value, key), contract, limits);
          return isTableOf(value, contract)
            ? decodeTable(tableOfColumns(value, key), contract, limits)
            : decodeColumns(value, key, contract, limits);
        },
      };
  }
}

/** Columns that are not named like the inputs, or that have the names of the features, are those of a table. */
function isTableOf(value: JsonValue | undefined, { inputs, features, textInput }: ModelContract): boolean {
  if (textInput && listTexts(value, 'inputs', textInput)) return false;
  if (!isJsonObject(value)) return false;
  const has = (name: string) => Object.hasOwn(value, name);
  const names = inputs.map(({ name }) => name);
  return !names.some(has) || (!names.every(has) && features?.every(has) === true);
}

/** pandas makes a frame from a list of objects as well. Texts and images of other tasks can be objects too. */
function isListOfRecords(value: JsonValue | undefined, { kind }: ModelContract): boolean {
  return kind === 'features' && Array.isArray(value) && isJsonObject(value[0]);
}

/** MLflow's tables always begin with the names of their columns, unless the Content-Type says otherwise. */
function readTable({ request, body }: Invocation, options: ProtocolOptions): Data {
  const { header, labels } = readCsvParameters(request.headers);
  const rows = readCsv(body, options.config.limits);
  const skipped = header === 'absent' ? 0 : 1;
  checkInstances(rows.count - skipped, 'body', options.config.limits);
  const [first = []] = rows.slice(0, 1);
  if (header === undefined && rows.count === 1) throw onlyNames(first);
  const names = skipped ? distinctNames(first, 'body').slice(labels) : undefined;
  const cells = rows.slice(skipped, rows.count).map((row) => row.slice(labels));
  return dataOf(tableOfCells(names, cells, 'body'), options);
}

/** Often this is a row with a mistake: text among numbers makes it look like names. */
function onlyNames(cells: readonly string[]): InferenceError {
  const shown = cells.slice(0, 8).map((cell) => JSON.stringify(cell.slice(0, 40)));
  return invalid(
    `The table has no rows below its first, which was read as the names of columns: ${shown.join(', ')}. If it has no names, send the Content-Type "text/csv; header=absent".`,
  );
}

function dataOf(table: Table, { config }: ProtocolOptions): Data {
  const [cells = [], ...others] = table.columns;
  const isTable = table.isText || others.length > 0;
  return {
    kind: isTable ? 'features' : kindOfValues([...cells.slice(0, 1)]),
    layout: 'batch',
    isRows: true,
    isFrame: true,
    toInputs: (contract) => decodeTable(table, contract, config.limits),
  };
}

function notOneForm(json: JsonValue): InferenceError {
  const names = DATA_KEYS.map((key) => `"${key}"`).join(', ');
  return new InferenceError('BAD_REQUEST', [
    'The request',
    `is ${describeJson(json)}; expected an object with exactly one of ${names}.`,
  ]);
}
