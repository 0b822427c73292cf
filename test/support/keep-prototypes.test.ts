import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { PROJECT } from './project.ts';
import { startNode, temporaryFolder } from './run-command.ts';

const REPORT = z.object({
  testResults: z.array(
    z.object({
      message: z.string(),
      assertionResults: z.array(
        z.object({ title: z.string(), status: z.string(), failureMessages: z.array(z.string()) }),
      ),
    }),
  ),
});

it('fails the unit test that leaves a member on a prototype, and keeps it from those after it', async () => {
  const report = join(await temporaryFolder(), 'report.json');
  const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
  const config = join(PROJECT, 'test/support/prototypes/vitest.config.ts');
  const options = ['--config', config, '--reporter', 'json', '--outputFile', report];
  const { code } = await startNode([vitest, 'run', ...options], {}).outcome;
  expect(code).toBe(1);
  const { testResults } = REPORT.parse(JSON.parse(await readFile(report, 'utf8')));
  const results = testResults.map(({ message, assertionResults }) => [
    message,
    ...assertionResults.map(({ title, failureMessages: [text = 'passed'] }) => [title, text.split('\n')[0]]),
  ]);
  expect(results).toEqual([
    [
      '',
      [
        'leaves a member on all objects',
        'Error: Object.prototype had the enumerable member "params", which was removed.',
      ],
      [
        'leaves members on arrays and functions',
        'Error: Array.prototype had the enumerable member "last", which was removed; Function.prototype had the enumerable member "Symbol(late)", which was removed.',
      ],
      ['leaves nothing', 'passed'],
    ],
    [
      'Object.prototype had the enumerable member "late", which was removed.',
      ['runs in the same process', 'passed'],
    ],
    ['', ['finds nothing of the files before', 'passed']],
  ]);
});
