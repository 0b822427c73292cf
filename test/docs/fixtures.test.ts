import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linkTargetsOf } from '../../docs/site/markdown.ts';
import { splitTarget } from '../../docs/site/pages.ts';
import { PROJECT } from '../support/project.ts';

const PAGE = 'test/fixtures/README.md';
const text = readFileSync(join(PROJECT, PAGE), 'utf8');

/** Is made on the machine that needs it; Git ignores it. */
const NOT_COMMITTED = 'test/fixtures/resnet/resnet50';
const BY_HAND = ['test/fixtures/README.md', 'test/fixtures/flowers.csv'];

/** A row of the table, its paths from the root of the project. */
interface Row {
  readonly script: string;
  readonly made: readonly string[];
  readonly requirements: readonly string[];
  readonly pins: readonly { readonly name: string; readonly version: string }[];
}

const rows = [...text.matchAll(/^\| (\[.*?) \| (.*) \| (.*) \|$/gm)].map(
  ([, link = '', makes = '', installed = '']): Row => {
    const [target = ''] = linkTargetsOf(link);
    const script = splitTarget(PAGE, target).path;
    const paths = (cell: string) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, path = '']) => posix.join(posix.dirname(script), path));
    return {
      script,
      made: paths(makes.split(':')[0] ?? '').filter((path) => !path.endsWith(NOT_COMMITTED)),
      requirements: paths(installed),
      pins: [...installed.matchAll(/([\w-]+)==([\d.]+\d)/g)].map(([, name = '', version = '']) => ({
        name,
        version,
      })),
    };
  },
);

const find = (pattern: string) =>
  globSync(pattern, { cwd: PROJECT, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => posix.join(entry.parentPath.slice(PROJECT.length + 1).replaceAll('\\', '/'), entry.name));
const madeBy = ({ made }: Row) => made.flatMap((path) => [...find(path), ...find(`${path}/**`)]);

describe('the table of fixtures', () => {
  it('has each script once, or names it as a part of others', () => {
    const parts = linkTargetsOf(text.slice(text.indexOf('parts of scripts')));
    const named = [...rows.map(({ script }) => script), ...parts.map((part) => splitTarget(PAGE, part).path)];
    const scripts = [...find('test/fixtures/**/*.py'), ...find('models/**/*.py')].sort();
    expect(scripts.length).toBeGreaterThan(25);
    expect(named.filter((path) => path.endsWith('.py')).sort()).toEqual(scripts);
  });

  it.each(rows)('says of $script which files it makes', (row) => {
    expect(row.made).not.toEqual([]);
    expect(row.made.filter((path) => find(path).length + find(`${path}/**`).length === 0)).toEqual([]);
  });

  it('has a script for each file that nobody wrote by hand', () => {
    const made = new Set([...rows.flatMap(madeBy), ...BY_HAND]);
    const files = find('test/fixtures/**').filter(
      (path) =>
        !path.startsWith(NOT_COMMITTED) && !/\.py$|\.ts$|\/requirements[\w-]*\.txt$|__pycache__/.test(path),
    );
    expect(files.length).toBeGreaterThan(200);
    expect(files.filter((path) => !made.has(path))).toEqual([]);
  });

  it.each(rows)('has the versions that $script was run with', (row) => {
    const { script, requirements, pins } = row;
    const sources = [script, ...requirements, ...madeBy(row).filter((path) => path.endsWith('.json'))];
    const recorded = sources.map((path) => readFileSync(join(PROJECT, path), 'utf8')).join('\n');
    expect(requirements.length + pins.length).toBeGreaterThan(0);
    // "requests==2.34.2" in a script, "requests 2.34.2" or {"requests": "2.34.2"} in what it has made.
    const isRecorded = ({ name, version }: Row['pins'][number]) =>
      new RegExp(`${name.replace('-skinny', '')}"?(?:==|: "| )${version}(?!\\.?\\d)`, 'i').test(recorded);
    expect(pins.filter((pin) => !isRecorded(pin))).toEqual([]);
  });
});
