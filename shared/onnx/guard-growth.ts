import { integerAttribute, type Name } from './encode-node.ts';
import type { GuardedNode } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import {
  type Count,
  doubles,
  elements,
  floats,
  growsLittle,
  larger,
  makesList,
  oneAtLeast,
  padding,
  product,
  productOf,
  type Ratio,
  staysSmall,
  stretch,
} from './guard-sizes.ts';
import { readFloats, readIntegers, readNumber, readString } from './node-attributes.ts';
import type { KnownShape } from './node-shapes.ts';

const scaling: Ratio = (node) => productOf([...readIntegers(node, 'scales'), ...readFloats(node, 'scales')]);

/** The elements of the first operand, scaled by a list in an attribute. */
export const makesScaled = growsLittle(
  (node) => node.add('Mul', [elements(node), node.double(scaling(node))]),
  scaling,
);

/**
 * A number of elements per row that attributes give.
 *
 * @param widthOf reads the number from the attributes
 */
export const makesWide = (widthOf: Ratio): Rule =>
  growsLittle((node) => node.add('Mul', [rows(node), node.double(widthOf(node))]), widthOf);

/** The number of an attribute. */
export const byNumber =
  (attribute: string): Ratio =>
  (node) =>
    Math.abs(readNumber(node, attribute, 1) ?? Number.NaN);

/** The sum of a list. */
export const bySum =
  (attribute: string): Ratio =>
  (node) =>
    readIntegers(node, attribute).reduce((total, each) => total + Math.abs(each), 0);

/** The largest index in a list, plus one. */
export const byLargest =
  (attribute: string): Ratio =>
  (node) =>
    readIntegers(node, attribute).reduce((largest, each) => Math.max(largest, Math.abs(each)), 0) + 1;

/** Each position grows by the stride of the filters, and the last one by their reach. */
export const makesFilteredBack: Rule = growsLittle((node) => {
  const asked = readIntegers(node, 'output_shape');
  const groups = node.double(readNumber(node, 'group', 1) ?? Number.MAX_VALUE);
  const channels = node.add('Mul', [doubles(node, node.sizeAt(1, 1)), groups]);
  const kernel = floats(node, node.part(node.shape(1), 2));
  const places = asked.length > 0 ? node.list(...asked) : placesBack(node, kernel);
  const pictures = node.add('Mul', [doubles(node, node.sizeAt(0, 0)), channels]);
  return node.add('Mul', [pictures, product(node, places)]);
}, spread);

/** The same for unpooling, unless a list of sizes is given. */
export const makesUnpooled: Rule = (node) => {
  if (node.has(2)) makesList(2)(node);
  else unpool(node);
};

const unpool = growsLittle((node) => {
  const kernel = floats(node, node.list(...readIntegers(node, 'kernel_shape')));
  const channels = product(node, node.part(node.shape(0), 0, 2));
  return node.add('Mul', [channels, product(node, placesBack(node, kernel))]);
}, spread);

/** How far attributes move positions apart: the largest value of each, over all axes. */
function spread(node: GuardedNode): number {
  const lists = ['strides', 'dilations', 'kernel_shape', 'output_padding', 'output_shape'].map((name) =>
    readIntegers(node, name),
  );
  const axes = Math.max(...lists.map(({ length }) => length));
  return productOf(
    Array.from({ length: axes }, (_, axis) =>
      Math.max(...lists.map((list) => Math.abs(list.at(axis - axes) ?? 1)), 1),
    ),
  );
}

/** The number of positions that the first operand's become, ignoring what padding removes. */
function placesBack(node: GuardedNode, kernel: Name): Name {
  const list = (attribute: string, fallback: number) => {
    const numbers = readIntegers(node, attribute);
    return floats(node, node.list(...(numbers.length > 0 ? numbers : [fallback])));
  };
  const lessOne = (sizes: Name) => node.add('Sub', [sizes, node.float(1)]);
  const sizes = floats(node, node.part(node.shape(0), 2));
  const steps = node.add('Mul', [lessOne(sizes), list('strides', 1)]);
  const reach = node.add('Mul', [lessOne(kernel), list('dilations', 1)]);
  const last = node.add('Add', [node.add('Add', [reach, node.float(1)]), list('output_padding', 0)]);
  return node.add('Add', [steps, last]);
}

/**
 * Filters or windows whose padding adds more positions than they remove.
 *
 * @param filters the operand with the filters; undefined for windows
 */
export const makesFiltered = (filters?: number): Rule =>
  growsLittle(
    (node) => {
      const strides = readIntegers(node, 'strides');
      const added = node.list(...(padding(readIntegers(node, 'pads')) ?? []));
      const padded = node.add('Add', [floats(node, node.part(node.shape(0), 2)), floats(node, added)]);
      const steps = floats(node, node.list(...(strides.length > 0 ? strides : [1])));
      const channels = filters === undefined ? node.sizeAt(0, 1) : node.sizeAt(filters, 0);
      const pictures = node.add('Mul', [doubles(node, node.sizeAt(0, 0)), doubles(node, channels)]);
      return node.add('Mul', [pictures, product(node, node.add('Div', [padded, steps]))]);
    },
    (node) => productOf(padding(readIntegers(node, 'pads'))?.map((added) => 1 + added)),
  );

/** An output as large as the product of two operands. Weights count as small, as the file holds all of them. */
const makesPairs =
  (operands: readonly number[], count: Count): Rule =>
  (node) => {
    if (operands.every((operand) => node.has(operand) && !node.isConstant(operand))) staysSmall(count)(node);
  };

/**
 * The product of two matrices. Stacks of matrices are not guarded: transformers multiply them a dozen times per run,
 * and the product has at most their elements times their common width.
 */
export const makesProduct =
  (first: number, second: number, isTransposed = false): Rule =>
  (node) => {
    const shapes = [first, second].map((operand) => node.known(operand));
    if (!shapes.every(({ least, most }) => least === 2 && most === 2)) return;
    const isTurned = (attribute: string) => readNumber(node, attribute, 0) !== 0;
    const [row, column] = [isTurned('transA') ? 1 : 0, isTurned('transB') || isTransposed ? 0 : 1];
    makesPairs([first, second], () => {
      const sizes = [node.sizeAt(first, row), node.sizeAt(second, column)];
      return node.add(
        'Mul',
        sizes.map((size) => doubles(node, size)),
      );
    })(node);
  };

/** Operands that a client sends and that are broadcast to each other: a row and a column become a matrix. */
export const makesStretched: Rule = (node) => {
  const sent = node.inputs.flatMap((_, operand) => (node.sentShape(operand) === undefined ? [] : [operand]));
  const shapes = new Set(sent.map((operand) => node.sentShape(operand)));
  const known = sent.map((operand) => node.known(operand));
  if (shapes.size < 2 || !canGrow(known)) return;
  const isRankKnown = known.every(({ least, most }) => least === most);
  // Older operator sets have no Expand.
  if (!isRankKnown && node.opset < FIRST_EXPAND) return;
  const most = isRankKnown ? Math.max(...known.map(({ least }) => least)) : 0;
  const together = isRankKnown ? larger : stretch;
  staysSmall(() => {
    const sizes = sent.map((operand) => sizesOf(node, operand, most));
    return product(
      node,
      sizes.reduce((first, second) => together(node, first, second)),
    );
  })(node);
};

/** The sizes of an operand, padded with leading ones to a list of this length. */
function sizesOf(node: GuardedNode, operand: number, most: number): Name {
  const missing = most - node.known(operand).least;
  if (missing <= 0) return node.shape(operand);
  const ones = node.list(...new Array<number>(missing).fill(1));
  return node.add('Concat', [ones, node.shape(operand)], [integerAttribute('axis', 0)]);
}

/** Lists of any length can be made from this version on. */
const FIRST_EXPAND = 8;

/** Whether one operand can be broadcast on one axis, and another operand on another axis. */
function canGrow(shapes: readonly KnownShape[]): boolean {
  if (shapes.some(({ least, most }) => least !== most)) return true;
  const most = Math.max(...shapes.map(({ least }) => least));
  const sizeAt = ({ least, sizes }: KnownShape, fromLast: number) =>
    least < -fromLast ? 1 : sizes?.at(fromLast);
  const axes = Array.from({ length: most }, (_, axis) => shapes.map((shape) => sizeAt(shape, axis - most)));
  const stretched = axes.flatMap((sizes, axis) =>
    sizes.flatMap((size, own) => {
      const isStretched = (size ?? 1) === 1 && sizes.some((other, at) => at !== own && other !== 1);
      return isStretched ? [{ axis, own }] : [];
    }),
  );
  return stretched.some((one) => stretched.some(({ axis, own }) => axis !== one.axis && own !== one.own));
}

/**
 * A slice for each index. If the operand is a list, a slice is one element, so the output is as large as the indices.
 */
export const makesGathered: Rule = (node) => {
  const axis = readNumber(node, 'axis', 0);
  if (node.known(0).most < 2 || axis === undefined) return;
  makesPairs([0, 1], () => {
    const slices = doubles(node, oneAtLeast(node, node.sizeAt(0, axis)));
    const indices = doubles(node, node.count(node.input(1)));
    return node.add('Div', [node.add('Mul', [elements(node), indices]), slices]);
  })(node);
};

/** A part of the first operand for each list of indices. */
export const makesGatheredParts: Rule = makesPairs([0, 1], (node) => {
  const batches = node.list(readNumber(node, 'batch_dims', 0) ?? 0);
  const start = node.add('Add', [node.sizeAt(1, -1), batches]);
  const part = node.add('Slice', [node.shape(0), start, node.list(2 ** 31 - 1)]);
  return node.add('Mul', [rows(node, 1), product(node, withOne(node, part))]);
});

/** A column for each index. */
export const makesExtracted: Rule = makesPairs([0, 1], (node) =>
  node.add('Mul', [rows(node), doubles(node, node.count(node.input(1)))]),
);

/** A number for each channel at each point of a grid. */
export const makesSampled: Rule = makesPairs([0, 1], (node) =>
  node.add('Mul', [doubles(node, node.sizeAt(0, 1)), rows(node, 1)]),
);

/** An image of fixed size for each channel of each region. */
export const makesRegions: Rule = makesPairs([0, 1], (node) => {
  const pooled = readIntegers(node, 'pooled_shape');
  const sides =
    pooled.length > 0
      ? pooled
      : ['output_height', 'output_width'].map((name) => readNumber(node, name, 1) ?? 1);
  const sizes = [node.sizeAt(0, 1), node.sizeAt(1, 0), node.list(...sides)];
  return product(node, node.add('Concat', sizes, [integerAttribute('axis', 0)]));
});

/** The sizes of all letters after the arrow. */
export const makesLetters: Rule = (node) => {
  const equation = (readString(node, 'equation') ?? '').replace(/\s/g, '');
  const [left = '', made = ''] = equation.split('->');
  const terms = left.split(',');
  if (made === '' || equation.includes('.') || terms.length < 2) return;
  makesPairs([0, 1], () => {
    const sizes = [...made].flatMap((letter) => {
      const operand = terms.findIndex((term) => term.includes(letter));
      return operand < 0 ? [] : [node.sizeAt(operand, terms[operand]?.indexOf(letter) ?? 0)];
    });
    return product(node, withOne(node, ...sizes));
  })(node);
};

/** The product of all axes except the last. */
function rows(node: GuardedNode, operand = 0): Name {
  return product(node, withOne(node, node.part(node.shape(operand), 0, -1)));
}

/** Joins several lists after a 1, as all of them may be empty. */
function withOne(node: GuardedNode, ...lists: readonly Name[]): Name {
  return node.add('Concat', [node.list(1), ...lists], [integerAttribute('axis', 0)]);
}
