// Builders for the JSON of Grafana's dashboards: only what our panels use. Source: Grafana, dashboard JSON model.

/** What a panel asks Prometheus. */
export interface Query {
  readonly expr: string;
  /** With labels in double braces. */
  readonly legend: string;
  /** Whether points show the traces that they are from. */
  readonly exemplars?: boolean;
}

export interface PanelOptions {
  readonly title: string;
  /** What it shows, and what to make of it. */
  readonly description: string;
  /** Unit of Grafana: `s`, `bytes`, `reqps`, `percentunit`, `short`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** `stat` shows the latest value in large digits. */
  readonly type?: 'timeseries' | 'stat';
  readonly isStacked?: boolean;
  /** Columns of 24. */
  readonly width?: 4 | 6 | 8 | 12 | 24;
  /** Digits after the point. */
  readonly decimals?: number;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly PanelOptions[];
}

/** A choice at the top of a dashboard. */
export type Variable =
  | { readonly kind: 'datasource'; readonly name: string; readonly label: string }
  | { readonly kind: 'labels'; readonly name: string; readonly label: string; readonly query: string }
  | { readonly kind: 'text'; readonly name: string; readonly label: string; readonly value: string };

export interface DashboardOptions {
  /** Stable, because links contain it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

const DATASOURCE = { type: 'prometheus', uid: '$datasource' } as const;
const HEIGHT = 8;
const COLUMNS = 24;

/** The dashboard as Grafana 10 and later import it. */
export function makeDashboard({ uid, title, description, variables, rows }: DashboardOptions): object {
  return {
    uid,
    title,
    description,
    tags: ['ternion'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables.map(makeVariable) },
    panels: placeRows(rows),
  };
}

function makeVariable(variable: Variable): object {
  const { name, label } = variable;
  switch (variable.kind) {
    case 'datasource':
      return { type: 'datasource', name, label, query: 'prometheus' };
    case 'labels':
      return {
        type: 'query',
        name,
        label,
        datasource: DATASOURCE,
        query: { query: variable.query, refId: name },
        definition: variable.query,
        refresh: 2,
        sort: 1,
        multi: true,
        includeAll: true,
        // Also series whose label is empty, such as requests that no model answered.
        allValue: '.*',
        current: { text: ['All'], value: ['$__all'] },
      };
    case 'text':
      return {
        type: 'textbox',
        name,
        label,
        query: variable.value,
        current: { text: variable.value, value: variable.value },
      };
  }
}

/** Rows from top to bottom, and in each the panels from left to right. */
function placeRows(rows: readonly Row[]): readonly object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    for (const panel of panels) {
      const { width = 8 } = panel;
      if (x + width > COLUMNS) {
        x = 0;
        y += HEIGHT;
      }
      placed.push(makePanel(panel, placed.length + 1, { x, y, w: width, h: HEIGHT }));
      x += width;
    }
    y += HEIGHT;
  }
  return placed;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function makePanel(panel: PanelOptions, id: number, gridPos: Place): object {
  const { title, description, unit, queries, type = 'timeseries', isStacked = false, decimals } = panel;
  return {
    id,
    type,
    title,
    description,
    datasource: DATASOURCE,
    gridPos,
    targets: queries.map(({ expr, legend, exemplars = false }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      exemplar: exemplars,
      range: true,
    })),
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(decimals !== undefined && { decimals }),
        ...(type === 'timeseries' && { custom: lineOf(isStacked) }),
      },
      overrides: [],
    },
    options: type === 'stat' ? STAT_OPTIONS : LINE_OPTIONS,
  };
}

function lineOf(isStacked: boolean): object {
  return {
    drawStyle: 'line',
    lineWidth: 1,
    fillOpacity: isStacked ? 40 : 5,
    showPoints: 'never',
    stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
  };
}

const LINE_OPTIONS = {
  legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] },
  tooltip: { mode: 'multi', sort: 'desc' },
} as const;

const STAT_OPTIONS = {
  reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
  graphMode: 'area',
  colorMode: 'none',
} as const;
