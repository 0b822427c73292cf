import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS_NAMES } from '../../shared/config.ts';
import { createCollector } from '../../shared/monitoring/metrics/collector.ts';
import { parsePrometheus } from '../support/metrics-text.ts';
import { PROJECT } from '../support/project.ts';
import { useDocumentedServer } from '../support/use-documented-server.ts';

interface Dashboard {
  readonly dashboard: string;
  readonly source: string;
  readonly panels: readonly { readonly missing?: readonly string[] }[];
}

const page = readFileSync(join(PROJECT, 'docs/observe.md'), 'utf8');
const dashboards: readonly Dashboard[] = JSON.parse(
  readFileSync(join(PROJECT, 'test/real/prometheus/panels.json'), 'utf8'),
);

/** Names between backticks. */
const namesIn = (cell: string) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);

/** The rows of the table of Ternion's own metrics, one for each metric. */
const documented = [
  ...page.matchAll(/^\| (`[^|]+`) \| (counter|gauge|histogram|summary) \|([^|]*)\| .* \|$/gm),
].flatMap(([, metrics = '', type = '', labels = '']) =>
  namesIn(metrics).map((name) => ({ name, type, labels: namesIn(labels).toSorted() })),
);

describe('docs/observe.md', () => {
  it('lists each metric under the own names, with its type', async () => {
    const collector = await createCollector(['ternion']);
    const sessions = { count: 0, bytes: 0 };
    const families = collector.names.flatMap((names) =>
      names.families({ collector, inProgress: 0, sessions, waiting: 0, version: '1.2.3' }),
    );
    const written = families.map(({ name, type }) => ({
      name: type === 'counter' ? `${name}_total` : name,
      type,
    }));
    const byName = (a: { readonly name: string }, b: typeof a) => a.name.localeCompare(b.name);
    expect(documented.map(({ name, type }) => ({ name, type })).toSorted(byName)).toEqual(
      written.toSorted(byName),
    );
  });

  it('has a row for the names of each other server, and all names in its command', () => {
    const [own, ...others] = METRICS_NAMES;
    expect(page).toContain(`METRICS=${[own, ...others].join(',')} npm start`);
    for (const name of others) expect(page).toMatch(new RegExp(`^\\| \`${name}\` \\| `, 'm'));
  });

  it('says how many queries of each public dashboard have an answer', () => {
    const rows = page.match(/^\| .* \| \[.*\]\(.*\) \| \d+ of \d+ \|$/gm) ?? [];
    const said = rows.map((row) => row.replace(/^\| [^|]* \| /, ''));
    const counted = dashboards.map(({ dashboard, source, panels }) => {
      const answered = panels.filter(({ missing }) => missing === undefined).length;
      return `[${dashboard}](${source}) | ${answered} of ${panels.length} |`;
    });
    expect(said.toSorted()).toEqual(counted.toSorted());
  });
});

describe('the table of the metrics', () => {
  const local = useDocumentedServer();

  it('has the labels that a server gives', async () => {
    const url = `http://localhost:${local.server.port}`;
    const ask = (features: unknown) =>
      fetch(`${url}/predict`, { method: 'POST', body: JSON.stringify({ features }) });
    expect((await ask([5.1, 3.5, 1.4, 0.2])).status).toBe(200);
    expect((await ask('none')).status).toBe(400);
    const found = parsePrometheus(await (await fetch(`${url}/metrics`)).text());
    expect(found.length).toBeGreaterThan(25);
    for (const { name, samples } of found) {
      const labels = new Set(samples.flatMap((sample) => Object.keys(sample.labels)));
      labels.delete('le');
      const row = documented.find((each) => each.name === name);
      expect({ name, labels: [...labels].toSorted() }).toEqual({ name, labels: row?.labels });
    }
  });
});
