import { make, makeId, makeShape } from '../element.ts';
import type { Chart } from './charts.ts';
import { draw, linesOf, type Moment, spanOf } from './geometry.ts';
import { createTable } from './table-view.ts';
import { formatValue } from './units.ts';

/** One chart of the page. */
export interface ChartView {
  readonly element: HTMLElement;
  /** Draws all moments, the oldest first, over the time of the page. */
  show(moments: readonly Moment[], times: readonly Pick<Moment, 'atMs'>[]): void;
  /** Shows the values at a time, or the latest ones. */
  choose(atMs: number | undefined): void;
}

/** Steps of the Page Up and Page Down keys. */
const LONG_STEP = 10;

/** Colours of lines, one for each of them; with more, the first ones are used again. */
const COLOURS = 9;

/**
 * A chart with its values as text. The plot is a slider over time, so that arrow keys and a pointer read the same
 * values.
 *
 * @param choose is called with the time that somebody chose, or nothing when the latest values are wanted again
 */
export function createChartView(chart: Chart, choose: (atMs: number | undefined) => void): ChartView {
  const titleId = makeId();
  const time = make('span', { class: 'time' });
  const legend = make('dl', { class: 'legend' });
  const svg = makeShape('svg', {
    viewBox: '0 0 100 100',
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  const cursor = makeShape('path', { class: 'cursor' });
  const empty = make('p', { class: 'empty' }, 'No values yet');
  const plot = make(
    'div',
    { class: 'plot', role: 'slider', tabindex: '0', 'aria-label': `Time in ${chart.title}` },
    svg,
    empty,
  );
  const ticks = [make('span'), make('span'), make('span', {}, '0')] as const;
  const start = make('span');
  const table = createTable(chart);
  const element = make(
    'section',
    { class: 'card chart', 'aria-labelledby': titleId },
    make('div', { class: 'head' }, make('h2', { id: titleId }, chart.title), time),
    make('p', { class: 'hint' }, chart.note),
    make(
      'div',
      { class: 'frame' },
      make('div', { class: 'ticks', 'aria-hidden': 'true' }, ...ticks),
      plot,
      make('div', { class: 'span', 'aria-hidden': 'true' }, start, make('span', {}, 'now')),
    ),
    legend,
    table.element,
  );

  const colourOf = (index: number): string => `c${(index + (chart.colour ?? 0)) % COLOURS}`;
  let times: readonly Pick<Moment, 'atMs'>[] = [];
  let shown: readonly Moment[] = [];
  let chosenMs: number | undefined;
  let place = (_atMs: number): number => 0;

  function indexOf(atMs: number | undefined): number {
    if (atMs === undefined) return shown.length - 1;
    let best = 0;
    shown.forEach((each, index) => {
      if (Math.abs(each.atMs - atMs) < Math.abs((shown[best]?.atMs ?? 0) - atMs)) best = index;
    });
    return best;
  }

  function showValues(): void {
    const index = indexOf(chosenMs);
    const moment = shown[index];
    const clock = moment ? new Date(moment.atMs).toLocaleTimeString() : '';
    const values = linesOf(shown).map((line) => {
      const value = moment?.values.get(line);
      return [line, value === undefined ? 'none' : formatValue(chart.unit, value)] as const;
    });
    time.textContent = chosenMs === undefined ? '' : clock;
    legend.replaceChildren(
      ...values.map(([line, text], index) =>
        make('div', { class: colourOf(index) }, make('dt', {}, line), make('dd', {}, text)),
      ),
    );
    const x = moment && chosenMs !== undefined ? place(moment.atMs) : undefined;
    cursor.setAttribute('d', x === undefined ? '' : `M${x} 0V100`);
    plot.setAttribute('aria-valuemin', '0');
    plot.setAttribute('aria-valuemax', String(Math.max(0, shown.length - 1)));
    plot.setAttribute('aria-valuenow', String(Math.max(0, index)));
    const said = values.map(([line, text]) => `${line} ${text}`).join(', ');
    plot.setAttribute('aria-valuetext', moment ? `${clock}: ${said || 'no values'}` : 'no values yet');
  }

  const chooseAt = (index: number): void => {
    choose(shown[Math.min(shown.length - 1, Math.max(0, index))]?.atMs);
  };
  const follow = (event: PointerEvent): void => {
    const { left, width } = plot.getBoundingClientRect();
    const share = (event.clientX - left) / width;
    const span = spanOf(times);
    chooseAt(indexOf(span.startMs + share * (span.endMs - span.startMs)));
  };
  plot.addEventListener('pointerdown', follow);
  plot.addEventListener('pointermove', follow);
  plot.addEventListener('pointerleave', () => choose(undefined));
  // Values that change by themselves would be read out again and again.
  plot.addEventListener('focus', () => chooseAt(indexOf(chosenMs)));
  plot.addEventListener('blur', () => choose(undefined));
  plot.addEventListener('keydown', (event) => {
    const index = indexOf(chosenMs);
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - LONG_STEP,
      PageUp: index + LONG_STEP,
      Home: 0,
      End: shown.length - 1,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    chooseAt(target);
  });

  return {
    element,
    show: (moments, all) => {
      shown = moments;
      times = all;
      const span = spanOf(all);
      place = (atMs) => ((atMs - span.startMs) / (span.endMs - span.startMs)) * 100;
      const { top, shapes } = draw(moments, chart.isStacked, span);
      const isEmpty = shapes.length === 0;
      empty.hidden = !isEmpty;
      ticks[0].textContent = isEmpty ? '' : formatValue(chart.unit, top);
      ticks[1].textContent = isEmpty ? '' : formatValue(chart.unit, top / 2);
      start.textContent = `−${Math.round((span.endMs - span.startMs) / 60_000)} min`;
      svg.replaceChildren(
        makeShape('path', { class: 'grid', d: 'M0 0H100M0 50H100M0 100H100' }),
        ...shapes.map(({ path }, index) =>
          makeShape('path', { class: `${chart.isStacked ? 'area' : 'line'} ${colourOf(index)}`, d: path }),
        ),
        cursor,
      );
      table.offer(moments);
      showValues();
    },
    choose: (atMs) => {
      chosenMs = atMs;
      showValues();
    },
  };
}
