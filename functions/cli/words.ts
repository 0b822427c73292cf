import { printableLine } from '../printable.ts';
import { CommandError } from './console.ts';

/** Lines of a table with aligned columns, two spaces apart. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  sides: readonly ('left' | 'right')[],
): readonly string[] {
  const shown = rows.map((cells) => cells.map(printableLine));
  const widths = sides.map((_, column) =>
    Math.max(...shown.map((cells) => displayWidth(cells[column] ?? ''))),
  );
  return shown.map((cells) =>
    sides
      .map((side, column) => {
        const [cell = '', width = 0] = [cells[column], widths[column]];
        const space = ' '.repeat(width - displayWidth(cell));
        return side === 'left' ? `${cell}${space}` : `${space}${cell}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

const ASCII = /^[ -~]*$/;
/** Halfwidth forms of Katakana and Hangul are as narrow as letters. */
const WIDE =
  /(?![\uff61-\uffdc])[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const GRAPHEMES = new Intl.Segmenter();

/** How many columns a text takes in a terminal. Source: Unicode Standard Annex 11, East Asian Width. */
function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  return [...GRAPHEMES.segment(text)].reduce((sum, { segment }) => sum + (WIDE.test(segment) ? 2 : 1), 0);
}

const UNITS = ['kB', 'MB', 'GB', 'TB'];

/** A size in the largest unit in which it is at least 1, with three digits: `812 bytes`, `72.7 kB`, `1.20 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  // Rounded before the unit is chosen: 999,999 bytes are 1.00 MB.
  const rounded = Number(bytes.toPrecision(3));
  const power = Math.min(UNITS.length, Math.floor(Math.log10(rounded) / 3));
  return `${(rounded / 1000 ** power).toPrecision(3)} ${UNITS[power - 1]}`;
}

/**
 * Reads a whole number that an option was given.
 *
 * @throws CommandError naming the option and what it takes
 */
export function readWhole(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d{1,15}$/.test(text) && value >= least && value <= most) return value;
  throw new CommandError(
    `${option} ${JSON.stringify(text.slice(0, 100))} must be a whole number from ${least} to ${most}.`,
    2,
  );
}

/** Deepest nesting of the JSON that the command reads, from its user or from an answer. */
export const JSON_DEPTH = 64;

/** `1 row`, `2 rows`, with separated thousands. */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
