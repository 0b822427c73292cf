import { describe, expect, it } from 'vitest';
import { describeJson } from '../../../../functions/cli/inspect/describe-json.ts';
import { formatBytes } from '../../../../functions/cli/words.ts';

describe('JSON for people', () => {
  it('is on one line if it fits', () => {
    expect(describeJson({ task: 'tensor', range: [0, 1.5], note: null, none: undefined }, '')).toBe(
      '{"task": "tensor", "range": [0, 1.5], "note": null}',
    );
    expect(describeJson([], '  ')).toBe('[]');
  });

  it('is split into lines of 80 columns if it does not fit', () => {
    const features = ['first', 'second'].map((name) => ({ name, unit: 'cm', range: [0, 20] }));
    expect(describeJson({ task: 'tabular-classification', features }, '  ')).toBe(
      [
        '{',
        '    "task": "tabular-classification",',
        '    "features": [',
        '      {"name": "first", "unit": "cm", "range": [0, 20]},',
        '      {"name": "second", "unit": "cm", "range": [0, 20]}',
        '    ]',
        '  }',
      ].join('\n'),
    );
  });

  it('shows the first entries of a long list, and their number', () => {
    const labels = Array.from({ length: 1000 }, (_, index) => `class_${index}`);
    const lines = describeJson({ labels }, '').split('\n');
    expect(lines).toHaveLength(15);
    expect(lines.slice(-5)).toEqual(['    "class_8",', '    "class_9",', '    … 990 more', '  ]', '}']);
  });
});

describe('a size', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1.00 kB'],
    [72_732, '72.7 kB'],
    [999_999, '1.00 MB'],
    [104_857_600, '105 MB'],
  ])('of %d bytes is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
