import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALERTS, GROUPS, RECORDED_NAMES } from '../../../infra/build/monitoring/alerts.ts';
import { DASHBOARDS, makeMonitoringFiles } from '../../../infra/build/monitoring/monitoring-files.ts';
import { createCollector } from '../../../shared/monitoring/metrics/collector.ts';
import { TERNION } from '../../../shared/monitoring/metrics/ternion.ts';
import { FULL_RECORD } from '../../support/make-record.ts';
import { parseQuery } from './promql.ts';

/** Series of Prometheus itself, and those that servers do not give yet: delete a name here when they do. */
const OTHERS: Readonly<Record<string, readonly string[]>> = { up: [] };

/** All series that a server gives, with their labels. */
async function seriesOfServer(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const collector = await createCollector(['ternion']);
  collector.load({
    reference: { name: 'm', version: '1' },
    durationMs: 1,
    succeeded: true,
    objective: { availability: 0.9, latency: { ms: 1, percentile: 95 } },
    features: [{ name: 'a' }],
  });
  collector.request(FULL_RECORD);
  const families = TERNION.families({
    collector,
    inProgress: 0,
    waiting: 0,
    sessions: { count: 1, bytes: 1 },
    version: '1.0.0',
  });
  return new Map(
    families.flatMap(({ name, samples }) =>
      samples.map(({ suffix, labels }) => [name + suffix, new Set(Object.keys(labels))] as const),
    ),
  );
}

const SERIES = await seriesOfServer();
/** Labels that Prometheus adds to each series of a target. */
const ADDED = ['job', 'instance'];

function labelsOf(metric: string): ReadonlySet<string> | undefined {
  if (RECORDED_NAMES.has(metric)) return new Set(['model', 'version']);
  const own = SERIES.get(metric) ?? OTHERS[metric];
  return own && new Set([...own, ...ADDED]);
}

const QUERIES = [
  ...GROUPS.flatMap(({ rules }) =>
    rules.map((rule) => ({ from: 'record' in rule ? rule.record : rule.alert, expr: rule.expr })),
  ),
  ...DASHBOARDS.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.queries.map(({ expr }) => ({ from: `${title}: ${panel.title}`, expr })),
      ),
    ),
  ),
];

describe('the files for Prometheus and Grafana', () => {
  it('are what "npm run generate:monitoring" writes', () => {
    for (const [path, text] of makeMonitoringFiles()) expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.each(QUERIES)('ask for series and labels that servers give: $from', ({ expr }) => {
    const { selectors, groupings } = parseQuery(expr);
    expect(selectors).not.toEqual([]);
    const known = new Set<string>();
    for (const { metric, labels } of selectors) {
      const given = labelsOf(metric);
      if (!given) throw new Error(`No server gives ${metric}.`);
      expect([...given]).toEqual(expect.arrayContaining([...labels]));
      for (const label of given) known.add(label);
    }
    expect([...known]).toEqual(expect.arrayContaining([...groupings]));
  });

  it('have a panel for each metric of a server, and each recorded one in a rule or a panel', () => {
    const read = new Set(
      QUERIES.flatMap(({ expr }) => parseQuery(expr).selectors.map(({ metric }) => metric)),
    );
    const isRead = (name: string) =>
      ['', '_bucket', '_sum', '_count'].some((suffix) =>
        read.has(name.replace(/_(?:bucket|sum|count)$/, '') + suffix),
      );
    const NOT_SHOWN = ['nodejs_heap_size_total_bytes', 'nodejs_external_memory_bytes'];
    expect([...SERIES.keys()].filter((name) => !isRead(name) && !read.has(name))).toEqual(NOT_SHOWN);
    expect([...RECORDED_NAMES].filter((name) => !read.has(name))).toEqual([]);
  });

  it('do not name a later series that servers give by now', () => {
    expect(Object.keys(OTHERS).filter((name) => SERIES.has(name))).toEqual([]);
  });
});

describe('a dashboard', () => {
  it.each(DASHBOARDS)(
    'explains each panel, and uses each of its variables: $title',
    ({ rows, variables }) => {
      const panels = rows.flatMap((row) => row.panels);
      for (const { title, description } of panels)
        expect([title, description.length > 20]).toEqual([title, true]);
      expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
      const text = JSON.stringify([panels, variables]);
      for (const { name } of variables.filter(({ kind }) => kind !== 'datasource'))
        expect(text).toContain(`$${name}`);
    },
  );
});

describe('an alert', () => {
  it.each(ALERTS)(
    'uses no label in its text that its series do not have: $alert',
    ({ expr, annotations, labels }) => {
      const { selectors, groupings } = parseQuery(expr);
      const used = Object.values(annotations).flatMap((text) =>
        [...text.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label),
      );
      const known = [...groupings, ...selectors.flatMap(({ metric }) => [...(labelsOf(metric) ?? [])])];
      expect(known).toEqual(expect.arrayContaining(used));
      expect(['page', 'ticket']).toContain(labels.severity);
    },
  );
});

describe('the check of queries', () => {
  it.each(['sum(rate(a[5m])', 'a{b="c"', 'rate(a[5])) by', 'a{b}'])(
    'finds that %s is not PromQL',
    (query) => {
      expect(() => parseQuery(query)).toThrow('is not PromQL');
    },
  );

  it('finds metrics, matchers and groupings', () => {
    expect(parseQuery('sum by (c) (rate(a{b="1"}[5m])) / on (d) e')).toEqual({
      selectors: [
        { metric: 'a', labels: ['b'] },
        { metric: 'e', labels: [] },
      ],
      groupings: ['c', 'd'],
    });
  });
});
