import { describe, expect, it } from 'vitest';
import { parseLabels, withLabelsFile } from '../../../../shared/models/formats/labels.ts';
import { KNOWN_TASKS } from '../../../support/known-tasks.ts';
import { folderOf, reasonOf, viewOf } from './make-folder-view.ts';

describe('parseLabels', () => {
  it.each([
    ['one per line', 'cat\ndog\n', ['cat', 'dog']],
    ['Windows lines and a byte order mark', '\ufeffcat\r\ndog\r\n\r\n', ['cat', 'dog']],
    ['names with commas', 'tench, Tinca tinca\ngoldfish', ['tench, Tinca tinca', 'goldfish']],
    ['codes of synsets', 'n01440764 tench\nn01443537 goldfish', ['n01440764 tench', 'n01443537 goldfish']],
    ['lines numbered with commas', '0,tench, Tinca tinca\n1,goldfish', ['tench, Tinca tinca', 'goldfish']],
    ['lines numbered with colons', '0: tench\n1: goldfish', ['tench', 'goldfish']],
    ['numbers that are not indices', '1 a\n2 b', ['1 a', '2 b']],
    ['an empty line between', 'a\n\nb', ['a', '', 'b']],
    ['nothing', '', []],
  ])('reads %s', (_, text, labels) => {
    expect(parseLabels(text)).toEqual(labels);
  });
});

describe('withLabelsFile', () => {
  const folder = folderOf({ 'labels.txt': 'a\nb\nc' });
  const three = viewOf([['x', 'FP32', [-1, 4]]], [['y', 'FP32', [-1, 3]]]);

  it('adds as many labels as the only output has scores', async () => {
    expect(await withLabelsFile({ task: 'tensor' }, folder, three, KNOWN_TASKS)).toEqual({
      task: 'tensor',
      labels: ['a', 'b', 'c'],
    });
    const folded = viewOf([['x', 'FP32', [-1, 4]]], [['y', 'FP32', [-1, 3, 1, 1]]]);
    expect(await withLabelsFile({ task: 'tensor' }, folder, folded, KNOWN_TASKS)).toHaveProperty('labels');
  });

  it.each(['classes.txt', 'synset.txt'])('finds them in %s too', async (file) => {
    expect(
      await withLabelsFile({ task: 'tensor' }, folderOf({ [file]: 'a\nb\nc' }), three, KNOWN_TASKS),
    ).toHaveProperty('labels', ['a', 'b', 'c']);
    const both = folderOf({ [file]: 'a\nb\nc', 'labels.txt': 'd\ne\nf' });
    expect(await withLabelsFile({ task: 'tensor' }, both, three, KNOWN_TASKS)).toHaveProperty('labels', [
      'd',
      'e',
      'f',
    ]);
  });

  it.each([
    ['numbers of many places', viewOf([], [['y', 'FP32', [-1, 7, 80]]])],
    ['an open number of scores', viewOf([], [['y', 'FP32', [-1, -1]]])],
    [
      'several outputs',
      viewOf(
        [],
        [
          ['y', 'FP32', [-1, 3]],
          ['z', 'FP32', [-1, 3]],
        ],
      ),
    ],
    [
      'names in the graph',
      viewOf([], [['y', 'FP32', [-1, 3]]], {
        zipMaps: [{ input: 'p', output: 'y', labels: ['x', 'y', 'z'] }],
      }),
    ],
  ])('does not change a config where there are %s', async (_, view) => {
    expect(await withLabelsFile({ task: 'tensor' }, folder, view, KNOWN_TASKS)).toEqual({ task: 'tensor' });
  });

  it.each([
    ['labels.txt', 'a\nb', 'its labels.txt names 2 labels, output "y" has 3 scores'],
    ['synset.txt', '', 'its synset.txt names 0 labels, output "y" has 3 scores'],
  ])('refuses a %s of another length than the graph has classes', async (file, text, reason) => {
    expect(
      await reasonOf(withLabelsFile({ task: 'tensor' }, folderOf({ [file]: text }), three, KNOWN_TASKS)),
    ).toBe(reason);
  });

  it('names the scores of the output that the config names', async () => {
    const several = viewOf(
      [],
      [
        ['logits', 'FP32', [-1, 3]],
        ['features', 'FP32', [-1, 8]],
      ],
    );
    const config = { task: 'text-classification' as const, output: 'logits', postprocess: [] };
    expect(await withLabelsFile(config, folder, several, KNOWN_TASKS)).toEqual({
      ...config,
      labels: ['a', 'b', 'c'],
    });
  });

  it('does not change tasks without labels and configs with labels', async () => {
    const regression = { task: 'tabular-regression' } as const;
    expect(await withLabelsFile(regression, folder, three, KNOWN_TASKS)).toEqual(regression);
    const labelled = { task: 'tensor' as const, labels: [7, 8, 9] };
    expect(await withLabelsFile(labelled, folder, three, KNOWN_TASKS)).toEqual(labelled);
    expect(await withLabelsFile({ task: 'tensor' }, folderOf({}), three, KNOWN_TASKS)).toEqual({
      task: 'tensor',
    });
  });
});
