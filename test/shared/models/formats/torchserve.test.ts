import { describe, expect, it } from 'vitest';
import { recogniseTorchServe } from '../../../../shared/models/formats/torchserve.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

const names = { '0': ['n01', 'cat'], '1': 'dog' };
const recognise = (content: object | string, shape: readonly number[], classes = 2) =>
  recogniseTorchServe(
    folderOf({ 'index_to_name.json': content }),
    viewOf([['x', 'FP32', shape]], [['y', 'FP32', [-1, classes]]]),
    KNOWN_TASKS,
  );

describe('a folder with index_to_name.json', () => {
  it.each([[[-1, 5]], [[-1, 3, 32, 32]], [[-1, 224, 224, 3]]])(
    'has labels, and takes tensors where its input is %j',
    async (shape) => {
      expect(await recognise(names, shape)).toEqual({ task: 'tensor', labels: ['cat', 'dog'] });
    },
  );

  it('has the names of older files, which are a list', async () => {
    expect(await recognise({ object_type_names: ['cat', 'dog'] }, [-1, 5])).toEqual({
      task: 'tensor',
      labels: ['cat', 'dog'],
    });
  });

  it('is not recognised without the file', async () => {
    expect(await recogniseTorchServe(folderOf({}), viewOf([], []), KNOWN_TASKS)).toBeUndefined();
  });

  it.each([
    ['[', 'its index_to_name.json is not valid JSON'],
    [{ cat: 'a' }, 'its index_to_name.json is not valid (cat: its name must be the index of a class)'],
    [{ '1': 'a' }, 'its index_to_name.json has 1 names, but none for class 0'],
    [{ '0': 'a' }, 'its index_to_name.json names 1 labels, output "y" has 2 scores'],
  ])('is refused: %j', async (content, reason) => {
    expect(await reasonOf(recognise(content, [-1, 5]))).toBe(reason);
  });
});
