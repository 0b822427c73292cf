import type { JsonValue } from '../json/json-value.ts';
import { DATATYPES, type Datatype, FLOAT_BOUNDS, INTEGER_RANGES, WIDE_RANGES } from './datatype.ts';

/** What an element of a datatype has to be, for the error about a value that is not one. */
export function describeElement(value: JsonValue | undefined, datatype: Datatype): string {
  const { kind } = DATATYPES[datatype];
  if (kind === 'string') return 'a string';
  if (kind === 'bool') return 'true or false';
  if (kind === 'float') {
    const isNumber = typeof value === 'number' || typeof value === 'bigint';
    return isNumber ? `a number below ${FLOAT_BOUNDS[datatype]} (${datatype})` : 'a number';
  }
  const [low, high] = WIDE_RANGES[datatype] ?? INTEGER_RANGES[datatype] ?? [0, 0];
  return `a whole number from ${low} to ${high} (${datatype})`;
}

/** Whether parsing lost digits of a number that a 64-bit datatype would keep. */
export function isInexact(value: JsonValue | undefined, datatype: Datatype): value is number {
  const isLarge = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLarge && datatype.endsWith('INT64');
}
