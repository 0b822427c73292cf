import { describe, expect, it } from 'vitest';
import { joinTables } from '../../../shared/inference/table-form.ts';
import { writeNpy } from '../../../shared/tensor/npy.ts';
import { createTensor, type Tensor } from '../../../shared/tensor/tensor.ts';
import { readFormatFolder } from '../../support/format-folders.ts';
import { readNpy } from '../../support/read-npy.ts';
import { serveModels } from '../../support/serve-models.ts';
import { ask } from '../protocols/sagemaker/ask.ts';

/** More than are written at once, and no multiple of them. */
const ROWS = 10_000;
const WIDTH = 4;
const values = Array.from({ length: ROWS * WIDTH }, (_, index) => ((index * 7919) % 79) / 10);

describe('many rows', () => {
  it.each([
    ['sklearn-zipmap', 'labels'],
    ['sklearn-zipmap', 'probabilities'],
    ['lightgbm-missing', 'values'],
    ['xgboost', 'objects'],
  ] as const)('have the answers of %s that fewer of them have, in the form %s', async (folder, answers) => {
    const { 'model.onnx': graph } = readFormatFolder(`tabular/${folder}`);
    if (!(graph instanceof Uint8Array)) throw new Error(`${folder} has no graph`);
    const task = folder === 'lightgbm-missing' ? 'tabular-regression' : 'tabular-classification';
    const host = await serveModels({ model: graph }, {}, { model: { task, answers } });
    const send = async (start: number, end: number, accept: string) => {
      const rows = createTensor('FP32', [end - start, WIDTH], values.slice(start * WIDTH, end * WIDTH));
      const types = { 'content-type': 'application/x-npy', accept };
      const { status, body } = await ask(
        host,
        '/endpoints/model/invocations',
        Buffer.from(writeNpy(rows)),
        types,
      );
      expect(status, body.toString().slice(0, 300)).toBe(200);
      return body;
    };
    const each = async (accept: string) => {
      const answers: Buffer[] = [];
      for (let start = 0; start < ROWS; start += 1000) answers.push(await send(start, start + 1000, accept));
      return answers;
    };
    for (const type of ['text/csv', 'application/jsonlines', 'application/json']) {
      const pieces = (await each(type)).map((answer) => valuesOf(answer, type));
      expectAlike(valuesOf(await send(0, ROWS, type), type), pieces.flat());
    }
    if (answers === 'objects') return;
    const arrays = (await each('application/x-npy')).map((answer) => readNpy(answer, OPTIONS));
    const whole = readNpy(await send(0, ROWS, 'application/x-npy'), OPTIONS);
    expect(whole.shape).toEqual([ROWS, ...(arrays[0]?.shape.slice(1) ?? [])]);
    expectAlike(
      Array.from<unknown>(whole.data),
      arrays.flatMap(({ data }) => Array.from<unknown>(data)),
    );
  });
});

const OPTIONS = { field: 'body', elementLimit: 1_000_000 };

/** An answer as a list of rows. */
function valuesOf(answer: Buffer, type: string): readonly unknown[] {
  const text = answer.toString();
  if (type === 'application/json') {
    const json = JSON.parse(text);
    return json.predictions ?? json;
  }
  const lines = text.trimEnd().split('\n');
  return type === 'text/csv'
    ? lines.map((line) =>
        line.split(',').map((cell) => (cell === '' || Number.isNaN(Number(cell)) ? cell : Number(cell))),
      )
    : lines.map((line) => JSON.parse(line));
}

/** The runtime rounds the last bits of a float by where its row is among the others. */
function expectAlike(actual: readonly unknown[], expected: readonly unknown[]): void {
  const split = (value: unknown) => {
    const numbers: number[] = [];
    const rest = JSON.stringify(value, (_, item: unknown) => {
      if (typeof item === 'bigint') return String(item);
      return typeof item === 'number' ? `#${numbers.push(item)}` : item;
    });
    return { numbers, rest };
  };
  const [given, wanted] = [split(actual), split(expected)];
  expect(given.rest).toBe(wanted.rest);
  const wrong = given.numbers.findIndex(
    (number, index) => Math.abs(number - (wanted.numbers[index] ?? 0)) > 1e-5,
  );
  expect(wrong).toBe(-1);
}

describe('joinTables', () => {
  const labels = (...data: string[]): Tensor => ({ datatype: 'BYTES', shape: [data.length], data });

  it('makes texts of labels that are numbers in some rows', () => {
    const tables = [createTensor('INT64', [2], [1, 2]), labels('a'), createTensor('INT64', [1], [3])];
    expect(joinTables(tables.map((tensor) => new Map([['x', tensor]])))).toEqual(
      new Map([['x', labels('1', '2', 'a', '3')]]),
    );
  });

  it('joins each tensor of several', () => {
    const table = (x: number, y: number) =>
      new Map([
        ['x', createTensor('FP64', [1], [x])],
        ['y', createTensor('FP64', [1, 1], [y])],
      ]);
    expect(joinTables([table(1, 2), table(3, 4)])).toEqual(
      new Map([
        ['x', createTensor('FP64', [2], [1, 3])],
        ['y', createTensor('FP64', [2, 1], [2, 4])],
      ]),
    );
  });
});
