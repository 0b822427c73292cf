import { expect, it } from 'vitest';
import { startNode } from '../support/run-command.ts';

const run = async (...args: readonly string[]) => await startNode(['infra/package.ts', ...args], {}).outcome;

it('tells its options when it is asked', async () => {
  const { code, stdout, stderr } = await run('gcp', '--help');
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^Usage: npm run package:<gcp\|azure> -- \[options\]\n.*--region/s);
});

it.each([
  [['gcp', '--nope'], "Unknown option '--nope'.\n"],
  [['gcp', '--name'], "Option '--name <value>' argument missing\n"],
  [['aws'], '"aws" is not known here.\n'],
  [['gcp', 'now'], '"now" is not known here.\n'],
  [[], 'It lacks the name of a cloud.\n'],
])('ends with one sentence and its usage for %j', async (args, sentence) => {
  const { code, stdout, stderr } = await run(...args);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^[^\n]*\n\nUsage: /);
  expect(stderr.startsWith(sentence)).toBe(true);
});
