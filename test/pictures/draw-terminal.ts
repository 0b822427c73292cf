import { makeSvg, textAt } from './svg.ts';

/** Columns of the terminal; a picture of more cannot be read on a phone. */
const COLUMNS = 60;
const LETTER = 7.85;
const LINE = 19;
const MARGIN = 16;
const HEAD = 34;

/** A terminal that shows a command and what it printed. Long lines continue below, as in a narrow terminal. */
export function drawTerminal(command: string, output: string): string {
  const lines = [`$ ${command}`, ...output.trimEnd().split('\n')].flatMap(wrap);
  return makeSvg({
    width: Math.round(COLUMNS * LETTER + 2 * MARGIN),
    height: HEAD + lines.length * LINE + 6,
    label: `A terminal with the output of ${command}`,
    content: [
      ...[0, 1, 2].map((index) => `<circle class="f8" cx="${MARGIN + 5 + index * 16}" cy="18" r="4.5"/>`),
      ...lines.map((line, index) =>
        textAt(MARGIN, HEAD + 14 + index * LINE, line, 'class="mono" xml:space="preserve"'),
      ),
    ],
  });
}

/** Breaks at spaces, so that no word is cut. */
function wrap(line: string): readonly string[] {
  if (line.length <= COLUMNS) return [line];
  const at = line.lastIndexOf(' ', COLUMNS);
  return at <= 0
    ? [line.slice(0, COLUMNS), ...wrap(line.slice(COLUMNS))]
    : [line.slice(0, at), ...wrap(line.slice(at + 1))];
}
