import { printableLine } from '../printable.ts';

/** Lines of a table whose columns stand below each other, two spaces apart. */
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

/** Columns that a text takes in a terminal. Source: Unicode Standard Annex 11, East Asian Width. */
function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  return [...GRAPHEMES.segment(text)].reduce((sum, { segment }) => sum + (WIDE.test(segment) ? 2 : 1), 0);
}
