import type { Values } from './charts.ts';

/** A moment with the values of one chart. */
export interface Moment {
  readonly atMs: number;
  readonly values: Values;
}

/** A line, or an area of a stack, as the path of an SVG in a square of 100 by 100. */
export interface Shape {
  readonly line: string;
  readonly path: string;
}

export interface Drawing {
  /** The value at the top. */
  readonly top: number;
  readonly shapes: readonly Shape[];
}

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Moments that are farther apart are not joined. */
const LONGEST_STEP_MS = 6000;
const SIDE = 100;
const SPANS_MS = [1, 2, 3, 4, 5, 7, 10].map((minutes) => minutes * 60 * 1000);

/** The shortest of some round times that has all moments; it ends with the latest one. */
export function spanOf(moments: readonly Pick<Moment, 'atMs'>[]): Span {
  const endMs = moments.at(-1)?.atMs ?? 0;
  const neededMs = endMs - (moments[0]?.atMs ?? 0);
  const lengthMs = SPANS_MS.find((each) => each >= neededMs) ?? neededMs;
  return { startMs: endMs - lengthMs, endMs };
}

/** The lines of all moments, in the order in which they appeared. */
export function linesOf(moments: readonly Moment[]): readonly string[] {
  return [...new Set(moments.flatMap(({ values }) => [...values.keys()]))];
}

/** @returns a round number of at least the value, with a half that is round as well */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.2, 1.6, 2, 3, 4, 6, 8].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** Draws the lines beside each other, or on top of each other. */
export function draw(moments: readonly Moment[], isStacked: boolean, span: Span): Drawing {
  const lines = linesOf(moments);
  const heights = moments.map(({ values }) => {
    const all = [...values.values()];
    return isStacked ? all.reduce((sum, value) => sum + value, 0) : Math.max(0, ...all);
  });
  const top = roundUp(Math.max(0, ...heights));
  const place = (atMs: number, value: number): Place => [
    ((atMs - span.startMs) / (span.endMs - span.startMs)) * SIDE,
    (1 - value / top) * SIDE,
  ];
  const shapes = lines.map((line, index) => {
    const path = isStacked
      ? split(moments, ({ values }) => values.size > 0)
          .map((run) => drawArea(run, lines.slice(0, index), line, place))
          .join('')
      : split(moments, ({ values }) => values.has(line))
          .map((run) => drawLine(run.map(({ atMs, values }) => place(atMs, values.get(line) ?? 0))))
          .join('');
    return { line, path };
  });
  return { top, shapes };
}

type Place = readonly [x: number, y: number];

/** The moments that belong together: those without a value, or too far from the one before, begin another run. */
function split(
  moments: readonly Moment[],
  hasValue: (moment: Moment) => boolean,
): readonly (readonly Moment[])[] {
  const runs: Moment[][] = [];
  let last: Moment | undefined;
  for (const moment of moments) {
    if (!hasValue(moment)) {
      last = undefined;
      continue;
    }
    if (!last || moment.atMs - last.atMs > LONGEST_STEP_MS) runs.push([]);
    runs.at(-1)?.push(moment);
    last = moment;
  }
  return runs;
}

/** A single place is a line without a length, which has round ends. */
function drawLine(places: readonly Place[]): string {
  const [first = '', ...others] = places.map(([x, y]) => `${round(x)} ${round(y)}`);
  return `M${first}${others.length === 0 ? 'h0' : others.map((each) => `L${each}`).join('')}`;
}

function drawArea(
  run: readonly Moment[],
  below: readonly string[],
  line: string,
  place: (atMs: number, value: number) => Place,
): string {
  const bottoms = run.map(({ values }) => below.reduce((sum, each) => sum + (values.get(each) ?? 0), 0));
  const upper = run.map(({ atMs, values }, index) =>
    place(atMs, (bottoms[index] ?? 0) + (values.get(line) ?? 0)),
  );
  const lower = run.map(({ atMs }, index) => place(atMs, bottoms[index] ?? 0));
  return `${drawLine([...upper, ...lower.toReversed()])}Z`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
