import { invalid } from '../errors.ts';
import { describeJson, type JsonValue } from '../json/json-value.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { DATATYPES } from '../tensor/datatype.ts';
import { isDecimal } from './decimal.ts';

/** Where a cell stands, for errors, and whether its number may be written as text, as in CSV. */
interface CellPlace {
  readonly field: string;
  readonly column: string;
  /** Undefined in a table of one row. */
  readonly row: number | undefined;
  readonly isText: boolean;
}

/**
 * A cell as the datatype of its input needs it: numbers out of text, text out of whatever it is. An empty cell is a
 * missing float.
 *
 * @throws InferenceError for text that is no number where one is needed
 */
export function readCell(cell: JsonValue, { datatype }: TensorSpec, place: CellPlace): JsonValue {
  const { kind } = DATATYPES[datatype];
  if (kind === 'string') return typeof cell === 'number' || typeof cell === 'boolean' ? String(cell) : cell;
  if (!place.isText || typeof cell !== 'string') return cell;
  const text = cell.trim();
  if (kind === 'bool' && /^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (kind === 'float' && (text === '' || /^nan$/i.test(text))) return null;
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (kind === 'float' && infinite) return infinite[1] === '-' ? -Infinity : Infinity;
  if (isDecimal(text)) return readNumber(text);
  const where = place.row === undefined ? '' : `, row ${place.row}`;
  throw invalid(
    `Field "${place.field}" (column ${place.column}${where}) is ${describeJson(cell)}; expected a number.`,
  );
}

/** Whole numbers of 64 bits keep their digits. */
function readNumber(text: string): number | bigint {
  const value = Number(text);
  const isLarge = Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLarge && /^[+-]?\d+$/.test(text) ? BigInt(text.replace('+', '')) : value;
}
