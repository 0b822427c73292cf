import { draw, linesOf, type Moment } from '../../shared/playground/curves/geometry.ts';
import { formatValue, type Unit } from '../../shared/playground/curves/units.ts';
import { COLOUR_COUNT, makeSvg, textAt } from './svg.ts';

export interface PanelDrawing {
  readonly title: string;
  /** Unit of Grafana. */
  readonly unit: string;
  readonly isStacked: boolean;
  /** Where it is from. */
  readonly origin: string;
  readonly moments: readonly Moment[];
  readonly startMs: number;
  readonly endMs: number;
}

const WIDTH = 400;
const MARGIN = 16;
/** All panels have the same size, so that they stand beside each other. A long legend takes its lines from the plot. */
const HEIGHT = 290;
const PLOT = { x: 76, y: 54, width: WIDTH - 76 - MARGIN };
/** From the plot to the times below it, and from there to the first line of the legend. */
const TIMES = 22;
const LEGEND = 28;
const LEGEND_LINE = 21;

const UNITS: Readonly<Record<string, Unit>> = {
  s: 'seconds',
  bytes: 'bytes',
  reqps: 'number',
  short: 'number',
};

/** A panel of Grafana as an SVG that can be read on a phone: 400 wide, with its legend below. */
export function drawPanel({ title, unit, isStacked, origin, moments, startMs, endMs }: PanelDrawing): string {
  const kind = UNITS[unit];
  if (kind === undefined) throw new Error(`The panel ${JSON.stringify(title)} has the unit ${unit}.`);
  const { top, shapes } = draw(moments, isStacked, { startMs, endMs });
  if (shapes.length === 0) throw new Error(`The panel ${JSON.stringify(title)} has no values.`);
  const suffix = unit === 'reqps' ? ' /s' : '';
  const rows = layOut(linesOf(moments));
  const bottom = HEIGHT - MARGIN - (rows.length - 1) * LEGEND_LINE - LEGEND - TIMES;
  const ticks = [top, top / 2, 0].map((value, index) => {
    const y = PLOT.y + (index * (bottom - PLOT.y)) / 2 + 5;
    const text = `${formatValue(kind, value)}${value === 0 ? '' : suffix}`;
    return textAt(PLOT.x - 8, y, text, 'text-anchor="end"');
  });
  const minutes = Math.round((endMs - startMs) / 60_000);
  return makeSvg({
    width: WIDTH,
    height: HEIGHT,
    label: title,
    origin,
    content: [
      textAt(MARGIN, 31, title, 'class="title"'),
      ...ticks,
      `<g transform="translate(${PLOT.x} ${PLOT.y}) scale(${PLOT.width / 100} ${(bottom - PLOT.y) / 100})">`,
      '<path class="grid" d="M0 0H100M0 50H100M0 100H100"/>',
      ...shapes.map(({ path }, index) => {
        const colour = index % COLOUR_COUNT;
        return `<path class="${isStacked ? `f${colour}` : `line s${colour}`}" d="${path}"/>`;
      }),
      '</g>',
      textAt(PLOT.x, bottom + TIMES, `−${minutes} min`),
      textAt(WIDTH - MARGIN, bottom + TIMES, 'now', 'text-anchor="end"'),
      ...rows.flatMap((row, index) =>
        row.flatMap((entry) => drawEntry(entry, bottom + TIMES + LEGEND + index * LEGEND_LINE, isStacked)),
      ),
    ],
  });
}

/** A line in the legend. */
interface Entry {
  readonly text: string;
  readonly colour: number;
  readonly x: number;
}

/** The entries of the legend in rows, each at its place. */
function layOut(lines: readonly string[]): readonly (readonly Entry[])[] {
  const rows: Entry[][] = [];
  let x = Number.POSITIVE_INFINITY;
  lines.forEach((text, index) => {
    const width = 16 + widthOf(text);
    if (x + width > WIDTH - MARGIN) {
      rows.push([]);
      x = MARGIN;
    }
    rows.at(-1)?.push({ text, colour: index % COLOUR_COUNT, x });
    x = Math.round(x + width + 14);
  });
  return rows;
}

function drawEntry({ text, colour, x }: Entry, y: number, isStacked: boolean): readonly string[] {
  const mark = isStacked
    ? `<rect class="f${colour}" x="${x}" y="${y - 10}" width="11" height="11" rx="2"/>`
    : `<path class="line s${colour}" d="M${x + 1} ${y - 4}h9"/>`;
  return [mark, textAt(x + 16, y, text)];
}

/** About the width of a text of the legend, in the widest of its fonts. */
function widthOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + (/[A-Z_mw]/.test(letter) ? 10.2 : 8.2), 0);
}
