import { type WritableJson, writeJson } from '../../../shared/json/write-json.ts';

/** Widest line, if its value can be split. */
const WIDTH = 80;
/** Most entries of a list that are shown. */
const SHOWN = 10;

/**
 * JSON for people: values that fit are on one line, and long lists show only their first entries and a count, which is
 * not valid JSON.
 *
 * @param indent in front of the lines after the first
 * @param used columns of the first line that are already used
 */
export function describeJson(value: WritableJson, indent: string, used = indent.length): string {
  const parts = partsOf(value, `${indent}  `);
  if (!parts) return writeJson(value);
  const [open, close] = isList(value) ? ['[', ']'] : ['{', '}'];
  const line = `${open}${parts.join(', ')}${close}`;
  if (!line.includes('\n') && used + line.length <= WIDTH) return line;
  return `${open}\n${indent}  ${parts.join(`,\n${indent}  `)}\n${indent}${close}`;
}

/** The entries of a list or object; undefined for other values. */
function partsOf(value: WritableJson, indent: string): readonly string[] | undefined {
  if (isList(value)) {
    const shown = value.slice(0, SHOWN).map((entry) => describeJson(entry, indent));
    return value.length > SHOWN ? [...shown, `… ${value.length - SHOWN} more`] : shown;
  }
  if (!isRecord(value)) return undefined;
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => {
      const title = `${JSON.stringify(key)}: `;
      return `${title}${describeJson(member, indent, indent.length + title.length)}`;
    });
}

function isList(value: WritableJson): value is readonly WritableJson[] {
  return Array.isArray(value);
}

function isRecord(value: WritableJson): value is { readonly [key: string]: WritableJson } {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
