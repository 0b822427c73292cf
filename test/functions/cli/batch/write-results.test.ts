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

  it('is recognised by its line', () => {
    const format = resultFormat(path, {
      labels,
      outputs: undefined,
      areProbabilities: true,
      isFolder: true,
      safeCells: false,
    });
    const areBad = (results: readonly Result[]) =>
      results.map((result) => format.isBad(format.write([result]).trimEnd()));
    expect(areBad(good)).toEqual([false, false, false]);
    expect(areBad(bad)).toEqual([true, true]);
  });
});

describe('a CSV of results', () => {
  it('has one line for each result, with any names of labels and files', () => {
    const format = resultFormat('out.csv', {
      labels: ['a\nb'],
      outputs: undefined,
      areProbabilities: true,
      isFolder: true,
      safeCells: false,
    });
    expect(format.header).toBe('file,prediction,confidence,probability_a b,error\n');
    const prediction = { prediction: 'a\nb', confidence: 1, probabilities: new Map([['a\nb', 1]]) };
    expect(format.write([{ row: image('x\r\ny.png'), prediction }])).toBe('x y.png,a b,1,1,\n');
  });
});

describe('scores that are not probabilities', () => {
  it('are in separate columns, without a confidence', () => {
    const format = resultFormat('out.csv', {
      labels: ['a', 'b'],
      outputs: undefined,
      areProbabilities: false,
      isFolder: true,
      safeCells: false,
    });
    expect(format.header).toBe('file,prediction,score_a,score_b,error\n');
    const prediction = {
      prediction: 'b',
      scores: new Map([
        ['a', -1.5],
        ['b', 1.5],
      ]),
    };
    expect(format.write([{ row: image('x.png'), prediction }])).toBe('x.png,b,-1.5,1.5,\n');
  });
});

describe('safe cells', () => {
  const open = (safeCells: boolean, path = 'out.csv') =>
    resultFormat(path, {
      labels: ['=a', '-1.5'],
      outputs: undefined,
      areProbabilities: true,
      isFolder: true,
      safeCells,
    });
  const write = (safeCells: boolean, prediction: string | number) =>
    open(safeCells)
      .write([{ row: image('x'), prediction: { prediction } }])
      .split(',')[1];

  it.each([
    '=1+1',
    '+1+1',
    '-1+1',
    '-',
    '@SUM(1)',
    '\tx',
    ' =1+1',
    '\u3000=1',
    '\uff1d1',
    '\0=1',
    '-1.5.2',
    '-0x10',
    '- 1',
    '-e5',
    '-inf',
  ])('put an apostrophe before the label %j', (label) => {
    expect(write(true, label)).toBe(`'${label}`);
    expect(write(false, label)).toBe(label);
  });

  it.each(['-1.5', '-1e-7', '+5', '-.5', '-5.', '1.5', 'a=1', "'=1", 'x-y', '', 'setosa'])(
    'leave the number or text %j as it is',
    (label) => expect(write(true, label)).toBe(label),
  );

  it('apply to names of files, to errors and to the header, and numbers stay numbers', () => {
    const format = open(true);
    expect(format.header).toBe('file,prediction,confidence,probability_=a,probability_-1.5,error\n');
    const probabilities = new Map([['=a', -0.5]]);
    expect(format.write([{ row: image('=x.png'), prediction: { prediction: -2.5, probabilities } }])).toBe(
      "'=x.png,-2.5,,-0.5,,\n",
    );
    expect(format.write([{ row: image('@x'), error: '=y' }])).toBe("'@x,,,,,'=y\n");
    expect(format.isBad("'@x,,,,,'=y")).toBe(true);
  });

  it('are another format, which does not resume an output without them', () => {
    expect(open(true).name).not.toBe(open(false).name);
  });

  it('are refused for JSON lines', () => {
    expect(() => open(true, 'out.jsonl')).toThrow(
      '--safe-cells works only for .csv outputs; "out.jsonl" has no cells.',
    );
  });
});
