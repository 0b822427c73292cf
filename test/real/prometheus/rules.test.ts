import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { ALERTS, GROUPS, writeAlerts } from '../../../infra/build/monitoring/alerts.ts';
import { ALERTS_FILE } from '../../../infra/build/monitoring/monitoring-files.ts';
import { makeFolder } from '../../support/temporary-folder.ts';
import { folderOf } from '../installation.ts';
import { counterpart, programOf } from './counterpart.ts';

const TESTS_FILE = join(import.meta.dirname, 'alerts.test.yml');
const testsSchema = z.looseObject({
  tests: z.array(
    z.looseObject({
      name: z.string(),
      promql_expr_test: z.array(
        z.object({
          eval_time: z.string(),
          expr: z.string(),
          exp_samples: z.array(z.object({ labels: z.string(), value: z.number() })),
        }),
      ),
    }),
  ),
});
type Tests = z.infer<typeof testsSchema>;
const tests = testsSchema.parse(load(readFileSync(TESTS_FILE, 'utf8')));

function run(...args: readonly string[]): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(programOf(folderOf(counterpart), 'promtool'), args, {
    encoding: 'utf8',
  });
  return { code: status, output: stdout + stderr };
}

/** Runs some tests on other rules. */
async function runWith(rules: string, chosen: Tests['tests']): Promise<ReturnType<typeof run>> {
  const folder = await makeFolder({
    'rules.yml': rules,
    'test.yml': dump({ ...tests, rule_files: ['rules.yml'], tests: chosen }),
  });
  return run('test', 'rules', join(folder, 'test.yml'));
}

/** The rules, with another expression for one alert. */
function replaced(index: number, expr: string): string {
  const target = ALERTS[index];
  return writeAlerts(
    GROUPS.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule === target ? { ...target, expr } : rule)),
    })),
  );
}

const isFiring = ({ name, window }: { readonly name: string; readonly window: string }) => {
  const words = [`alertname="${name}"`, ...(window === '' ? [] : [`window="${window}"`])];
  return ({ promql_expr_test: all }: Tests['tests'][number]) =>
    all.some(({ exp_samples: samples }) =>
      samples.some(({ labels }) => words.every((word) => labels.includes(word))),
    );
};

const CASES = ALERTS.map(({ alert: name, labels: { window = '' } }, index) => ({ name, window, index }));

describe('the rules of Prometheus', () => {
  it('are valid for promtool', () => {
    const { code, output } = run('check', 'rules', ALERTS_FILE);
    expect(output).toContain(`SUCCESS: ${GROUPS.flatMap(({ rules }) => rules).length} rules found`);
    expect(code).toBe(0);
  });

  it('fire, end and stay silent as their tests say', () => {
    const { code, output } = run('test', 'rules', TESTS_FILE);
    expect(output).toMatch(/^\s*Unit Testing:.*\n\s*SUCCESS\s*$/);
    expect(code).toBe(0);
  });

  it.each(CASES)('fail a test if $name $window never fires', async ({ index, ...alert }) => {
    const [firing] = tests.tests.filter(isFiring(alert));
    if (!firing) throw new Error(`No test expects ${alert.name} to fire.`);
    const { code, output } = await runWith(replaced(index, 'vector(0) > 1'), [firing]);
    expect(output).toContain('FAILED');
    expect(code).toBe(1);
  });

  it.each(CASES)('fail a test if $name $window always fires', async ({ index }) => {
    const silent = tests.tests.filter(({ name }) => name === 'a server without requests is fine');
    expect(silent).toHaveLength(1);
    const { code, output } = await runWith(replaced(index, 'vector(1)'), silent);
    expect(output).toContain('FAILED');
    expect(code).toBe(1);
  });
});
