import { type Contender, METRICS, type ScenarioResult } from '../results.ts';
import { spreadOf } from '../statistics.ts';
import { formatNumber } from './format.ts';

const WIDTH = 760;
const LABELS_WIDTH = 230;
/** For the number at the end of the longest bar. */
const NUMBERS_WIDTH = 80;
const BAR = 16;
const GAP = 4;
const GROUP_GAP = 14;
const HEAD = 66;
const LEGEND_LINE = 20;
const MARGIN = 16;

type Colours = readonly (readonly [light: string, dark: string])[];

/** Fill of the bars. Limits are grey, so that the colours of ours stand out. */
const COLOURS: Readonly<Record<Contender['role'], Colours>> = {
  ours: [
    ['#0b6bcb', '#5aa9ff'],
    ['#0f8a7e', '#3cc9ba'],
  ],
  limit: [
    ['#a3a3ad', '#75757f'],
    ['#6b6b76', '#a9a9b5'],
    ['#c9c9d1', '#55555e'],
  ],
  peer: [
    ['#b45309', '#e59a3c'],
    ['#9333ea', '#c084fc'],
    ['#be123c', '#fb7185'],
    ['#4d7c0f', '#a3d65c'],
  ],
};

/**
 * A picture of one metric of a scenario: a group of bars for each condition, with a line from the least to the most of
 * the rounds. It has its own background, and follows the colours that the reader prefers.
 */
export function plotOf({ title, contenders, measurements, plot }: ScenarioResult): string {
  const shown = measurements.filter(({ metric }) => metric === plot);
  const present = contenders.filter(({ name }) => shown.some(({ values }) => values[name]));
  const most = Math.max(
    0,
    ...shown.flatMap(({ values }) => present.flatMap(({ name }) => values[name] ?? [])),
  );
  const scale = (WIDTH - MARGIN - LABELS_WIDTH - NUMBERS_WIDTH - MARGIN) / (most || 1);
  const { items, height: legendHeight } = legendOf(present.map(({ name }) => name));
  const bars: string[] = [];
  let y = HEAD + legendHeight;
  for (const { condition, values } of shown) {
    const each = present.flatMap(({ name }, index) =>
      values[name] ? [{ index, values: values[name] }] : [],
    );
    const middle = y + (each.length * (BAR + GAP) - GAP) / 2;
    bars.push(textAt(MARGIN + LABELS_WIDTH - 10, middle + 4, condition, 'class="label" text-anchor="end"'));
    for (const bar of each) {
      bars.push(...barOf(bar.index, bar.values, y, scale));
      y += BAR + GAP;
    }
    y += GROUP_GAP - GAP;
  }
  const height = y + MARGIN - GROUP_GAP + GAP;
  const { name, isMoreBetter } = METRICS[plot];
  const heading = title.replaceAll('`', '');
  const subject = `${name}, ${isMoreBetter ? 'more' : 'less'} is better`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(`${heading}: ${subject}`)}">`,
    styleOf(coloursOf(present)),
    `<rect class="page" width="${WIDTH}" height="${height}" rx="8"/>`,
    textAt(MARGIN, 27, heading, 'class="title"'),
    textAt(MARGIN, 47, subject, 'class="label"'),
    ...items,
    ...bars,
    '</svg>\n',
  ].join('\n');
}

function coloursOf(contenders: readonly Contender[]): Colours {
  return contenders.map(({ role, name }) => {
    const alike = contenders.filter((each) => each.role === role);
    const index = alike.findIndex((each) => each.name === name);
    return COLOURS[role][index % COLOURS[role].length] ?? ['#000', '#fff'];
  });
}

function barOf(index: number, values: readonly number[], y: number, scale: number): readonly string[] {
  const { median, least, most } = spreadOf(values);
  const x = MARGIN + LABELS_WIDTH;
  const at = (value: number) => round(x + value * scale);
  const middle = y + BAR / 2;
  return [
    `<rect class="c${index}" x="${x}" y="${y}" width="${round(Math.max(1, median * scale))}" height="${BAR}" rx="2"/>`,
    `<path class="range" d="M${at(least)} ${middle}H${at(most)}"/>`,
    textAt(at(Math.max(median, most)) + 6, middle + 4, formatNumber(median), 'class="value"'),
  ];
}

/** Names with their colours, on as many lines as they need. */
function legendOf(names: readonly string[]): { readonly items: readonly string[]; readonly height: number } {
  const items: string[] = [];
  let x = MARGIN;
  let y = HEAD;
  for (const [index, name] of names.entries()) {
    const width = 28 + name.length * 7;
    if (x + width > WIDTH - MARGIN && x > MARGIN) {
      x = MARGIN;
      y += LEGEND_LINE;
    }
    items.push(`<rect class="c${index}" x="${x}" y="${y - 2}" width="12" height="12" rx="2"/>`);
    items.push(textAt(x + 18, y + 8, name, 'class="label"'));
    x += width;
  }
  return { items, height: y - HEAD + LEGEND_LINE + 8 };
}

function styleOf(colours: Colours): string {
  const rules = (theme: 0 | 1) => colours.map((each, index) => `.c${index}{fill:${each[theme]}}`).join('');
  return [
    '<style>',
    'text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif}',
    '.title{font-size:15px;font-weight:600;fill:#1f2328}.label{fill:#3d434b}.value{fill:#1f2328}',
    '.page{fill:#fff;stroke:#d8dce1}.range{stroke:#1f2328;stroke-width:1.5;fill:none}',
    rules(0),
    '@media (prefers-color-scheme:dark){',
    '.title{fill:#e8eaed}.label{fill:#b9c0c8}.value{fill:#e8eaed}',
    '.page{fill:#15181d;stroke:#33383f}.range{stroke:#e8eaed}',
    `${rules(1)}}`,
    '</style>',
  ].join('\n');
}

function textAt(x: number, y: number, text: string, attributes: string): string {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escapeXml(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
