import { integerAttribute, type Name } from './encode-node.ts';
import { ELEMENT_TYPES } from './fields.ts';
import { GROWTH_GUARD } from './guard-names.ts';
import type { GuardedNode } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import { FIRST_LESS } from './guard-steps.ts';
import { readIntegers, readNumber, readString } from './node-attributes.ts';

/** The largest number of elements that a node makes, as a list of one float. */
export type Count = (node: GuardedNode) => Name;

/** How to pass a number or list that decides the number of elements to a node. */
interface Kind {
  /** Converts the operand into what the count is computed from. */
  prepare(node: GuardedNode): void;
  require(node: GuardedNode, condition: Name): void;
}

const ofList = (operand: number, type: number = ELEMENT_TYPES.int64): Kind => ({
  // The runtime does not survive these nodes with a list of lists.
  prepare: (node) => node.replace(operand, node.add('Reshape', [node.input(operand), node.list(-1)])),
  require: (node, condition) => node.requireOfList(operand, condition, type, GROWTH_GUARD),
});

const ofNumber = (operand: number): Kind => ({
  prepare: () => undefined,
  require: (node, condition) => node.requireOfNumber(operand, condition, GROWTH_GUARD),
});

/** How many elements a node makes per element of its first operand, according to the file; NaN if unknown. */
export type Ratio = (node: GuardedNode) => number;

/** Honest models make this many: images that become 64 times as wide and high. */
const MUCH = 4096;
/** A text takes four times the bytes of other elements: 32, and as many again for its letters. */
const ELEMENTS_PER_TEXT = 4;

/**
 * A node makes no more elements than the host has room for, if a client chooses their number, or if the file makes many
 * from each element. A number that the file alone sets is a risk, which is tried at load time (risks.ts). Sizes of
 * existing tensors do not count as chosen.
 */
const makesFew =
  (chosen: readonly number[], kind: Kind, count: Count, ratio?: Ratio): Rule =>
  (node) => {
    if (!chosen.some((operand) => node.isChosen(operand))) {
      if (ratio) growsLittle(count, ratio)(node);
      return;
    }
    if (node.opset < FIRST_LESS) {
      node.refuse('has a size that clients choose, which cannot be limited in an operator set this old');
      return;
    }
    kind.prepare(node);
    kind.require(node, isSmall(node, count));
  };

/** The same if the file says how many elements are made from each. */
export const growsLittle =
  (count: Count, ratio: Ratio): Rule =>
  (node) => {
    if (ratio(node) > MUCH) staysSmall(count)(node);
  };

/** A node that has a first operand makes no more elements than the host has room for. */
export const staysSmall =
  (count: Count): Rule =>
  (node) => {
    // Only later operator sets have comparisons, and small requests do no harm with such a node.
    if (node.opset >= FIRST_LESS) node.require(0, isSmall(node, count), GROWTH_GUARD);
  };

function isSmall(node: GuardedNode, count: Count): Name {
  const isOfTexts = node.elementTypeOfOutput() === ELEMENT_TYPES.string;
  const most = node.mostElements / (isOfTexts ? ELEMENTS_PER_TEXT : 1);
  const condition = node.add('Less', [count(node), node.double(most)]);
  return node.add('Reshape', [condition, node.list(1)]);
}

export const productOf = (numbers: readonly (number | undefined)[] = [Number.NaN]) =>
  numbers.reduce<number>((total, number = Number.NaN) => total * Math.abs(number), 1);

/** The numbers of an operand in the file. */
const ofNumbers =
  (operand: number): Ratio =>
  (node) =>
    productOf(node.allNumbers(operand));

/** The number of elements is the product of a list of sizes. */
export const makesList = (operand: number): Rule =>
  makesFew([operand], ofList(operand), (node) => product(node, node.input(operand)));

/** The number of elements is in an operand, for each element of another operand if there is one. */
export function makesNumber(operand: number, each?: number): Rule {
  const count: Count = (node) => {
    const number = numberOf(node, operand);
    return each === undefined
      ? number
      : node.add('Mul', [number, doubles(node, node.count(node.input(each)))]);
  };
  return makesFew([operand], ofNumber(operand), count, each === undefined ? undefined : ofNumbers(operand));
}

/** The elements of the first operand, repeated or scaled. */
export const makesMultiple = (operand: number, type?: number): Rule =>
  makesFew(
    [operand],
    ofList(operand, type),
    (node) => node.add('Mul', [elements(node), product(node, node.input(operand))]),
    ofNumbers(operand),
  );

/** Both shapes are broadcast to each other, with axes aligned at the last one. */
export const makesExpanded: Rule = makesFew([1], ofList(1), countExpanded, ofNumbers(1));

function countExpanded(node: GuardedNode): Name {
  return product(node, stretch(node, node.shape(0), node.input(1)));
}

/** The larger of two sizes on each axis; the shorter list lacks the first axes. */
export function stretch(node: GuardedNode, first: Name, second: Name): Name {
  const [axes, others] = [first, second].map((sizes) => doubles(node, node.count(sizes)));
  if (!axes || !others) return first;
  const filled = (sizes: Name, fewer: Name, more: Name) => {
    const missing = node.add('Max', [node.add('Sub', [more, fewer]), node.double(0)]);
    const ones = node.add('Reshape', [node.list(1), node.list(1)]);
    const filling = node.add('Expand', [ones, node.integers(missing)]);
    return node.add('Concat', [filling, sizes], [integerAttribute('axis', 0)]);
  };
  return larger(node, filled(first, axes, others), filled(second, others, axes));
}

/** The larger of two sizes on each axis, for lists of the same length. */
export function larger(node: GuardedNode, first: Name, second: Name): Name {
  return node.integers(node.add('Max', [floats(node, first), floats(node, second)]));
}

/** From a start to a limit by steps. */
export const makesRange: Rule = makesFew([0, 1, 2], ofNumber(1), (node) => {
  const [start, limit] = [numberOf(node, 0, false), numberOf(node, 1, false)];
  const step = node.has(2) ? numberOf(node, 2, false) : node.double(1);
  return node.add('Abs', [node.add('Div', [node.add('Sub', [limit, start]), step])]);
});

/** Padding at both ends of some or all axes; in older operator sets it is an attribute. */
export const makesPadded: Rule = (node) => {
  const pads = readIntegers(node, 'pads');
  const isInFile = pads.length > 0;
  const count = () => countPadded(node, isInFile ? node.list(...pads) : node.input(1));
  const ratio = () => productOf(padding(isInFile ? pads : node.allNumbers(1))?.map((added) => 1 + added));
  (isInFile ? growsLittle(count, ratio) : makesFew([1], ofList(1), count, ratio))(node);
};

/** The padding at both ends of each axis plus its size, which counts as at least one. */
export function padding(pads: readonly number[] | undefined): number[] | undefined {
  const axes = (pads?.length ?? 0) / 2;
  return pads?.slice(0, axes).map((before, axis) => Math.max(0, before + (pads[axis + axes] ?? 0)));
}

function countPadded(node: GuardedNode, pads: Name): Name {
  const sizes = node.has(3) ? node.gather(node.shape(0), node.input(3)) : node.shape(0);
  const ends = node.add('Reshape', [pads, node.list(2, -1)]);
  const [before, after] = [0, 1].map((end) => node.gather(ends, node.number(end)));
  if (!before || !after) return elements(node);
  return resized(node, sizes, node.add('Add', [sizes, node.add('Add', [before, after])]));
}

/** Some or all axes get the sizes in a list. If all do, each request has the same number of elements. */
export const makesResized = (operand: number): Rule =>
  makesFew(
    [operand],
    ofList(operand),
    (node) => {
      const axes = readIntegers(node, 'axes');
      const sizes = axes.length > 0 ? node.gather(node.shape(0), node.list(...axes)) : node.shape(0);
      const policy = readString(node, 'keep_aspect_ratio_policy');
      return resized(node, sizes, node.input(operand), policy !== undefined && policy !== 'stretch');
    },
    (node) => (readIntegers(node, 'axes').length > 0 ? ofNumbers(operand)(node) : Number.NaN),
  );

/** One image per channel; channels come in blocks. */
export const makesPictures: Rule = makesFew([1], ofList(1), (node) => {
  const channels = product(node, node.part(node.shape(0), 0, 2));
  const blocks = node.add('Max', [product(node, node.input(2)), node.double(1)]);
  return node.add('Div', [node.add('Mul', [channels, product(node, node.input(1))]), blocks]);
});

/** Two or three coordinates for each position; channels share them. */
export const makesGrid: Rule = makesFew([1], ofList(1), (node) => {
  const channels = doubles(node, node.gather(node.input(1), node.list(1)));
  const places = node.add('Div', [product(node, node.input(1)), node.add('Abs', [channels])]);
  return node.add('Mul', [places, node.double(3)]);
});

/** One filter for each frequency. */
export const makesFilters: Rule = makesFew([0, 1], ofNumber(0), (node) =>
  node.add('Mul', [numberOf(node, 0), numberOf(node, 1)]),
);

/** A complex number for each position; the transformed axis gets a new length. */
export const makesSpectrum: Rule = makesFew([1], ofNumber(1), countSpectrum, ofNumbers(1));

function countSpectrum(node: GuardedNode): Name {
  const axis = node.opset < 20 ? node.list(readNumber(node, 'axis', 1) ?? 1) : undefined;
  const given = axis ?? node.add('Reshape', [node.input(2), node.list(1)]);
  const size = doubles(node, node.gather(node.shape(0), given));
  const rest = node.add('Div', [elements(node), node.add('Max', [size, node.double(1)])]);
  return node.add('Mul', [node.add('Mul', [rest, numberOf(node, 1)]), node.double(2)]);
}

/** A frame at each step. */
export const makesFrames: Rule = makesFew(
  [1, 3],
  ofNumber(1),
  countFrames,
  (node) => productOf(node.allNumbers(3) ?? node.known(2).sizes) / productOf(node.allNumbers(1)),
);

function countFrames(node: GuardedNode): Name {
  if (!node.has(3) && !node.has(2)) return elements(node);
  const length = node.has(3) ? numberOf(node, 3) : doubles(node, node.count(node.input(2)));
  const step = node.add('Max', [numberOf(node, 1), node.double(1)]);
  return node.add('Mul', [
    node.add('Div', [node.add('Mul', [elements(node), length]), step]),
    node.double(2),
  ]);
}

/** The number of elements of the first operand after some of its axes get other sizes. */
function resized(node: GuardedNode, sizes: Name, target: Name, keepsRatio = false): Name {
  const before = oneAtLeast(node, sizes);
  const ratios = node.add('Div', [node.add('Abs', [floats(node, target)]), before]);
  const largest = keepsRatio ? node.add('Max', [ratios, node.add('ReduceMax', [ratios])]) : ratios;
  return node.add('Mul', [elements(node), doubles(node, node.product(largest))]);
}

/** How many elements the first operand has, but at least one. */
export function elements(node: GuardedNode): Name {
  return doubles(node, oneAtLeast(node, node.count(node.input(0))));
}

/** Sizes, with 1 instead of 0. In old operator sets, Max cannot take a list and a number. */
export function oneAtLeast(node: GuardedNode, sizes: Name): Name {
  return node.add('Add', [floats(node, sizes), floats(node, node.not(node.isTrue(sizes)))]);
}

export function product(node: GuardedNode, list: Name): Name {
  return doubles(node, node.product(node.add('Abs', [floats(node, list)])));
}

/** An operand of one element, as a list of one. */
function numberOf(node: GuardedNode, operand: number, isSize = true): Name {
  const number = doubles(node, node.add('Reshape', [node.input(operand), node.list(1)]));
  return isSize ? node.add('Abs', [number]) : number;
}

export function floats(node: GuardedNode, numbers: Name): Name {
  return node.add('Cast', [numbers], [integerAttribute('to', ELEMENT_TYPES.float32)]);
}

/** Float32 has too few digits for differences of large numbers. */
export function doubles(node: GuardedNode, numbers: Name): Name {
  return node.add('Cast', [numbers], [integerAttribute('to', ELEMENT_TYPES.float64)]);
}
