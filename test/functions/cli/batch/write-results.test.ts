import { describe, expect, it } from 'vitest';
import { type Result, resultFormat } from '../../../../functions/cli/batch/write-results.ts';

const image = (file: string) => ({ row: 1, file, value: null });

describe.each(['out.csv', 'out.jsonl'])('a bad row of %s', (path) => {
  const labels = ['cat', 'dog, "wet"'];
  const good: readonly Result[] = [
    { row: { row: 1, value: null }, prediction: { prediction: 'error', confidence: 1 } },
    {
      row: image('a,"error":"b".png'),
      prediction: { prediction: '","error":"x', probabilities: new Map([['cat', 0.5]]) },
    },
    { row: image('a'), prediction: { outputs: { error: ['x'] } } },
  ];
  const bad: readonly Result[] = [
    { row: { row: 1, value: null }, error: 'row 1 has 2 cells,' },
    { row: image('a,"\\.png'), error: 'It is "n/a",\nor none.' },
  ];

  it('is told apart from any other by its line', () => {
    const format = resultFormat(path, labels, true);
    const areBad = (results: readonly Result[]) =>
      results.map((result) => format.isBad(format.write([result]).trimEnd()));
    expect(areBad(good)).toEqual([false, false, false]);
    expect(areBad(bad)).toEqual([true, true]);
  });
});

describe('a CSV of results', () => {
  it('has one line for each result, whatever is in the names of labels and files', () => {
    const format = resultFormat('out.csv', ['a\nb'], true);
    expect(format.header).toBe('file,prediction,confidence,probability_a b,error\n');
    const prediction = { prediction: 'a\nb', confidence: 1, probabilities: new Map([['a\nb', 1]]) };
    expect(format.write([{ row: image('x\r\ny.png'), prediction }])).toBe('x y.png,a b,1,1,\n');
  });
});
