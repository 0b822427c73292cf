import { describe, expect, it } from 'vitest';
import { createProgress, formatSeconds } from '../../../../functions/cli/batch/progress.ts';
import type { Console } from '../../../../functions/cli/console.ts';

function collect(isTerminal: boolean, isJson: boolean): { notes: string[]; console: Console } {
  const notes: string[] = [];
  const result = () => undefined;
  const [note, failure] = [(text: string) => notes.push(text), result];
  return { notes, console: { isJson, isTerminal, result, note, failure } };
}

describe('the progress of a batch', () => {
  it('is printed in lines without a terminal', () => {
    const { notes, console } = collect(false, false);
    const progress = createProgress(200, console, 0);
    progress.update(50, 1000, 3);
    progress.update(200, 4000, 3);
    progress.stop();
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(/^25 %, 1000 rows, \d+ rows\/s, 3 bad, \d+s left$/);
    expect(notes[1]).toMatch(/^100 %, 4000 rows, \d+ rows\/s, 3 bad, 0s left$/);
  });

  it('is printed only now and then, and not at all with --json', () => {
    const seldom = collect(false, false);
    createProgress(200, seldom.console).update(50, 1000, 3);
    const json = collect(false, true);
    createProgress(200, json.console, 0).update(50, 1000, 3);
    expect([seldom.notes, json.notes]).toEqual([[], []]);
  });

  it.each([
    [0, '0s'],
    [59.4, '59s'],
    [61, '1m 01s'],
    [3599.6, '1h 00m'],
    [7500, '2h 05m'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });
});
