import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../shared/json/json-value.ts';
import type { Datatype } from '../../../shared/tensor/datatype.ts';
import type { ModelContract } from '../../../shared/values/contract.ts';
import { decodeColumns, decodeRows, kindOfValues } from '../../../shared/values/instances.ts';
import { isBytesInput } from '../../../shared/values/named-inputs.ts';
import { errorOf } from '../../support/error-of.ts';
import { LIMITS } from '../../support/make-inference.ts';
import { PROJECT } from '../../support/project.ts';

function contract(
  inputs: Readonly<Record<string, readonly number[]>>,
  rest: Partial<ModelContract> & { readonly datatype?: Datatype } = {},
): ModelContract {
  const { datatype = 'FP32', ...others } = rest;
  const specs = Object.entries(inputs).map(([name, shape]) => ({ name, datatype, shape }));
  return {
    task: 'tensor',
    kind: 'tensors',
    gives: 'tensors',
    inputs: specs,
    features: undefined,
    imageInput: undefined,
    answering: () => ({ form: 'objects', isStated: false }),
    maps: new Map(),
    flavour: undefined,
    ...others,
  };
}

const matrix = contract({ x: [-1, 2] });
const named = contract({ x: [-1, 2] }, { features: ['a', 'b'] });
const images = contract({ image: [-1, 3, 4, 4] }, { imageInput: 'image' });

/** Shapes and elements by input; encoded images as text. */
function show(inputs: ReturnType<typeof decodeRows>) {
  return Object.fromEntries(
    [...inputs].map(([name, input]) => [
      name,
      isBytesInput(input)
        ? {
            shape: input.shape,
            elements: input.elements.map((element) => Buffer.from(element ?? '').toString()),
          }
        : { shape: input.shape, elements: [...input.data] },
    ]),
  );
}

const rows = (value: JsonValue, model = matrix) => show(decodeRows(value, 'instances', model, LIMITS));
const columns = (value: JsonValue, model = matrix) => show(decodeColumns(value, 'inputs', model, LIMITS));

describe('rows of a model with several inputs', () => {
  const mixed: ModelContract = {
    ...contract({}),
    inputs: [
      { name: 'text', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'stars', datatype: 'FP32', shape: [-1] },
      { name: 'box', datatype: 'INT64', shape: [-1, 2] },
    ],
  };
  const same = {
    text: { shape: [2, 1], elements: ['a', 'b'] },
    stars: { shape: [2], elements: [5, 1] },
    box: { shape: [2, 2], elements: [1n, 2n, 3n, 4n] },
  };

  it('are lists in the order of the inputs, or of the features, or objects', () => {
    const objects = [
      { text: 'a', stars: 5, box: [1, 2] },
      { box: [3, 4], text: 'b', stars: 1 },
    ];
    expect(rows(objects, mixed)).toEqual(same);
    const lists = [
      ['a', 5, [1, 2]],
      ['b', 1, [3, 4]],
    ];
    expect(rows(lists, mixed)).toEqual(same);
    const other = { ...mixed, features: ['stars', 'box', 'text'] };
    expect(
      rows(
        lists.map(([text, stars, box]) => [stars ?? 0, box ?? 0, text ?? '']),
        other,
      ),
    ).toEqual(same);
  });

  it.each<[JsonValue, RegExp]>([
    [
      [
        ['a', 5, [1, 2]],
        ['b', 1],
      ],
      /^Field "instances\[1\]" is an array of 2; this model has 3 inputs, so expected a list of their values or an object with "text", "stars", "box"\.$/,
    ],
    [['a'], /^Field "instances\[0\]" is the string "a"; this model has 3 inputs/],
    [[['a', 'many', [1, 2]]], /^Field "instances\[0\]\[1\]" is the string "many"; expected/],
    [[['a', 5, [1, 'x']]], /^Field "instances\[0\]\[2\]\[1\]" is the string "x"; expected/],
  ])('are refused by their place: %j', (value, message) => {
    expect(errorOf(() => rows(value, mixed)).message).toMatch(message);
  });
});

describe('decodeRows', () => {
  it.each<[string, JsonValue, ModelContract]>([
    [
      'values',
      [
        [1, 2],
        [3, 4],
      ],
      matrix,
    ],
    ['objects by input', [{ x: [1, 2] }, { x: [3, 4] }], matrix],
    [
      'objects by feature',
      [
        { b: 2, a: 1 },
        { a: [3], b: [4] },
      ],
      named,
    ],
    ['features', [{ features: [1, 2] }, { features: [3, 4] }], matrix],
    ['features of SageMaker', [{ data: { features: { values: [1, 2] } } }, [3, 4]], matrix],
  ])('takes %s', (_, value, model) => {
    expect(rows(value, model)).toEqual({ x: { shape: [2, 2], elements: [1, 2, 3, 4] } });
  });

  it('adds an axis where rows of a table lack their last one', () => {
    const model = contract({ a: [-1, 1], b: [-1] });
    expect(
      rows(
        [
          { a: 1, b: 2 },
          { a: 3, b: 4 },
        ],
        model,
      ),
    ).toEqual({
      a: { shape: [2, 1], elements: [1, 3] },
      b: { shape: [2], elements: [2, 4] },
    });
  });

  it('takes images in base64 under customary names', () => {
    const b64 = Buffer.from('png').toString('base64');
    const value = [b64, { b64 }, { data: b64 }, { image_bytes: { b64 }, key: 'k' }, { image: b64 }];
    expect(rows(value, images)).toEqual({ image: { shape: [5], elements: new Array(5).fill('png') } });
  });

  it('takes pixels for images', () => {
    const pixels = new Array(3).fill(new Array(4).fill(new Array(4).fill(0)));
    expect(rows([pixels], images).image?.shape).toEqual([1, 3, 4, 4]);
  });

  it.each<[JsonValue, ModelContract, string]>([
    [
      [[1, 2], [3]],
      matrix,
      'Field "instances[1]" is an array of 1; expected an array of 2, like "instances[0]".',
    ],
    [
      [
        [1, 2],
        [3, 'a'],
      ],
      matrix,
      'Field "instances[1][1]" is the string "a"; expected a number.',
    ],
    [
      [{ x: [1, 2] }, { x: [3, 'a'] }],
      matrix,
      'Field "instances[1].x[1]" is the string "a"; expected a number.',
    ],
    [
      [
        { a: 1, b: 2 },
        { a: 1, b: 'a' },
      ],
      named,
      'Field "instances[1].b" is the string "a"; expected a number.',
    ],
    [
      [
        { a: 1, b: 2 },
        { a: 1, b: [1, 2] },
      ],
      named,
      'Field "instances[1].b" is an array of 2; expected a single value, like "instances[0].a".',
    ],
    [
      [{ c: 1 }],
      named,
      'Field "instances[0]" is an object with the keys "c": it lacks "a"; expected the keys "a", "b".',
    ],
  ])('names the place of a mistake: %j', (value, model, message) => {
    expect(errorOf(() => rows(value, model)).message).toBe(message);
  });
});

describe('decodeColumns', () => {
  it('takes the value of the only input, or an object by input', () => {
    const expected = { x: { shape: [1, 2], elements: [1, 2] } };
    expect(columns([[1, 2]])).toEqual(expected);
    expect(columns({ x: [[1, 2]], other: 'ignored' })).toEqual(expected);
  });

  it('takes one image or a list of them', () => {
    const b64 = Buffer.from('png').toString('base64');
    expect(columns({ b64 }, images)).toEqual({ image: { shape: [1], elements: ['png'] } });
    expect(columns({ image: [b64, b64] }, images)).toEqual({
      image: { shape: [2], elements: ['png', 'png'] },
    });
    expect(errorOf(() => columns([b64, 1], images)).message).toMatch(/^Field "inputs\[1\]" is the number 1/);
  });

  it('takes base64 for texts at any depth', () => {
    const model = contract({ x: [-1, -1] }, { datatype: 'BYTES' });
    expect(columns([['a', { b64: 'w7w=' }]], model)).toEqual({ x: { shape: [1, 2], elements: ['a', 'ü'] } });
    expect(errorOf(() => columns([['a', { b64: '/w==' }]], model)).message).toBe(
      'Field "inputs[0][1]" holds base64 of bytes that are not UTF-8; this model takes UTF-8 strings.',
    );
  });
});

describe('kindOfValues', () => {
  const kindsOf = (values: readonly JsonValue[]) => [...new Set(values.map((value) => kindOfValues(value)))];

  it('recognises images by their bytes, their names, or as addresses', () => {
    const image = readFileSync(join(PROJECT, 'test/fixtures/digits/07-label-7.png')).toString('base64');
    expect(kindsOf([[image], image, { data: image }, [{ content: image }], { pixels: [image] }])).toEqual([
      'image',
    ]);
    expect(kindsOf([[{ b64: 'aGk=' }], { image: 'aGk=' }, 'https://example.org/a.png'])).toEqual(['image']);
  });

  it('recognises texts and pairs of them', () => {
    expect(kindsOf(['a text', ['a', 'b'], [['a', 'b']], { data: 'a text' }, [{ text: 'a' }]])).toEqual([
      'text',
    ]);
    const pair = { text: 'a', text_pair: 'b' };
    expect(kindsOf([pair, [pair], { text: ['a'], text_pair: ['b'] }, { text: ['a', 'b'] }])).toEqual([
      'text',
    ]);
    expect(kindsOf([[{ content: 'a', mimeType: 'text/plain' }]])).toEqual(['text']);
  });

  it('treats all else as features', () => {
    const rows = [
      [[1]],
      [{ a: 1 }],
      1,
      [],
      { colour: ['red'] },
      [{ city: 'Oslo', rooms: 3 }],
      [['a', 'b', 'c']],
    ];
    expect(kindsOf(rows)).toEqual(['features']);
    expect(kindOfValues(undefined)).toBe('features');
  });
});
