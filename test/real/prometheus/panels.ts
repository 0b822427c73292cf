import type { Books } from './load.ts';
import panels from './panels.json' with { type: 'json' };

/** A query of a panel of a public dashboard, as it is there. */
export interface Panel {
  readonly server: string;
  readonly dashboard: string;
  readonly title: string;
  readonly query: string;
  /** What its series count, by series: `nv_inference_count`, or `name{status!="OK"}`. */
  readonly counts: readonly (readonly [series: string, book: keyof Books])[];
  /** Series that it needs and nobody gives here. */
  readonly missing: readonly string[];
}

const BOOKS: readonly (keyof Books)[] = [
  'inferences',
  'succeeded',
  'failed',
  'instances',
  'inputs',
  'runs',
  'answered2xx',
  'answered4xx',
  'answered5xx',
  'routed',
];

export const PANELS: readonly Panel[] = panels.flatMap(({ server, dashboard, panels: own }) =>
  own.map((panel) => ({
    server,
    dashboard,
    title: panel.title,
    query: 'query' in panel && panel.query !== undefined ? panel.query : selectorOf(panel),
    counts: Object.entries('counts' in panel ? (panel.counts ?? {}) : {}).map(([series, name]) => {
      const book = BOOKS.find((each) => each === name);
      if (book === undefined) throw new Error(`There is no book ${String(name)}.`);
      return [series, book] as const;
    }),
    missing: 'missing' in panel ? (panel.missing ?? []) : [],
  })),
);

/** Panels of Google Cloud that name a metric instead of a query. */
function selectorOf(panel: { readonly title: string; readonly filter?: string | undefined }): string {
  const [, name, kind] = /prometheus\.googleapis\.com\/([^/]+)\/(\w+)/.exec(panel.filter ?? '') ?? [];
  if (name === undefined) throw new Error(`The panel ${panel.title} has no metric.`);
  return kind === 'histogram' ? `${name}_bucket` : name;
}

/** Seconds that `$__interval` stands for. */
export const INTERVAL = 20;

/** What a dashboard puts in for its variables if somebody looks at everything. */
const VARIABLES: readonly (readonly [pattern: RegExp, text: string])[] = [
  [/\$__rate_interval/g, `${INTERVAL}s`],
  [/\$\{__interval\}|\$__interval/g, `${INTERVAL}s`],
  [/\$\{rate_window\}/g, '1m'],
  [/\^\$namespace\$/g, '.*'],
  [/\$\{(namespace|model|inference_pods):regex\}/g, '.*'],
  [/\$\{(cluster|location|namespace|model_name)\}/g, '$1=~".*"'],
  [/=~"\$(job|cluster|instance|model_name)"/g, '=~".*"'],
  [/job="\$job"/g, 'job="ternion"'],
];

/** The query with its variables, and how many seconds after the load it must be asked. */
export function fill({ query }: Panel): { readonly text: string; readonly afterSeconds: number } {
  const text = VARIABLES.reduce((filled, [pattern, by]) => filled.replace(pattern, by), query);
  if (text.includes('$')) throw new Error(`A variable is left: ${text}`);
  if (text.includes('offset -')) return { text, afterSeconds: -INTERVAL };
  return { text, afterSeconds: text.includes('offset ') ? INTERVAL : 0 };
}
