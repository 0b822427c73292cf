import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../support/project.ts';

const read = (path: string) => readFileSync(join(PROJECT, path), 'utf8');

/** The settings of a section of .editorconfig. */
function settingsOf(section: string): Readonly<Record<string, string>> {
  const [, body = ''] = read('.editorconfig').split(`[${section}]\n`);
  const lines = (body.split(/^\[/m)[0] ?? '').split('\n').filter((line) => line.includes(' = '));
  return Object.fromEntries(lines.map((line) => line.split(' = ')));
}

describe('what a contributor works with', () => {
  it('is formatted by editors as by the linter', () => {
    const { formatter } = JSON.parse(read('.biome.json'));
    expect(settingsOf('*')).toMatchObject({
      indent_style: formatter.indentStyle,
      indent_size: String(formatter.indentWidth),
    });
    expect(settingsOf('*.{ts,mjs,js,json}')).toEqual({ max_line_length: String(formatter.lineWidth) });
  });

  it('is a workflow that runs the gate on push and pull request, with actions of one commit each', () => {
    const workflow = read('.github/workflows/ci.yml');
    const { on, jobs } = load(workflow) as {
      on: object;
      jobs: { gate: { steps: { run?: string; uses?: string }[] } };
    };
    expect(Object.keys(on)).toEqual(['push', 'pull_request']);
    const { steps } = jobs.gate;
    expect(steps.flatMap(({ run }) => run ?? [])).toEqual(['.ci/run']);
    const actions = steps.flatMap(({ uses }) => uses ?? []);
    expect(actions.filter((action) => !/@[\da-f]{40}$/.test(action))).toEqual([]);
  });

  it('is a page that names only paths that exist', () => {
    const named = [...read('CONTRIBUTING.md').matchAll(/`((?:test|shared|docs|\.ci)\/[^`\s]*)`/g)];
    const paths = named.map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(8);
    expect(paths.filter((path) => globSync(path, { cwd: PROJECT }).length === 0)).toEqual([]);
  });
});
