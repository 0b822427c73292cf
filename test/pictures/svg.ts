/** Colours of lines and areas on light and on dark grounds, as on the page with the curves. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ['#0b6a60', '#5fcbbb'],
  ['#c2570c', '#ffb454'],
  ['#2f5fc4', '#86b4ff'],
  ['#a3221b', '#ff9f95'],
  ['#6f6a00', '#d3d05a'],
  ['#7b3fc4', '#c6a4ff'],
  ['#3d7a1f', '#8fd46a'],
  ['#b4327f', '#ff9ad5'],
  ['#6b665f', '#a6a49c'],
];

export const COLOUR_COUNT: number = COLOURS.length;

const STYLE = `text{font:14px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;fill:#3d434b}
.title{font-size:17px;font-weight:600;fill:#1f2328}.mono{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#1f2328}
.page{fill:#fff;stroke:#d8dce1}.grid{stroke:#d8dce1;fill:none}
.line,.grid{vector-effect:non-scaling-stroke}.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
${COLOURS.map(([light], index) => describeColour(index, light)).join('')}
@media (prefers-color-scheme:dark){text{fill:#b9c0c8}.title,.mono{fill:#e8eaed}.page{fill:#15181d;stroke:#33383f}.grid{stroke:#33383f}
${COLOURS.map(([, dark], index) => describeColour(index, dark)).join('')}}`;

function describeColour(index: number, colour: string): string {
  return `.f${index}{fill:${colour}}.s${index}{stroke:${colour}}`;
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** What it shows, for readers who do not see it. */
  readonly label: string;
  /** Where it is from, for the test that compares it with the project. */
  readonly origin?: string;
  readonly content: readonly string[];
}

/** A picture with its own background that follows the colours which the reader prefers. */
export function makeSvg({ width, height, label, origin, content }: Picture): string {
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeXml(label)}">`,
    ...(origin === undefined ? [] : [`<metadata>${escapeXml(origin)}</metadata>`]),
    `<style>${STYLE}</style>`,
    `<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...content,
    '</svg>',
  ].join('\n')}\n`;
}

export function textAt(x: number, y: number, text: string, attributes = ''): string {
  return `<text x="${x}" y="${y}"${attributes === '' ? '' : ` ${attributes}`}>${escapeXml(text)}</text>`;
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function unescapeXml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&');
}
