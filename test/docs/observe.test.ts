import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { METRICS_NAMES } from '../../shared/config.ts';
import { PROJECT } from '../support/project.ts';

interface Dashboard {
  readonly dashboard: string;
  readonly source: string;
  readonly panels: readonly { readonly missing?: readonly string[] }[];
}

const page = readFileSync(join(PROJECT, 'docs/observe.md'), 'utf8');
const dashboards: readonly Dashboard[] = JSON.parse(
  readFileSync(join(PROJECT, 'test/real/prometheus/panels.json'), 'utf8'),
);

describe('docs/observe.md', () => {
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
