import { ELEMENT_TYPES, integerAttribute, type Name } from './encode-node.ts';
import { FIRST_LESS, type GuardedNode, readIntegers, readNumber, readString } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';

/** How many elements a node makes at most, as a list of one float. */
type Count = (node: GuardedNode) => Name;

/** How a number, or a list, that says how many is given to a node. */
interface Kind {
  /** Makes it what the count can be made of. */
  prepare(node: GuardedNode): void;
  require(node: GuardedNode, condition: Name): void;
}

const ofList = (operand: number, type: number = ELEMENT_TYPES.int64): Kind => ({
  // With a list of lists the runtime does not survive what is done with it here.
  prepare: (node) => node.replace(operand, node.add('Reshape', [node.input(operand), node.list(-1)])),
  require: (node, condition) => node.requireOfList(operand, condition, type),
});

const ofNumber = (operand: number): Kind => ({
  prepare: () => undefined,
  require: (node, condition) => node.requireOfNumber(operand, condition),
});

/**
 * A node makes no more elements than the host has room for, where a client chooses the numbers that say how many. Those
 * of the file are a risk, which is tried at the load (risks.ts); sizes of what is there already are no such numbers.
 */
const makesFew =
  (chosen: readonly number[], kind: Kind, count: Count): Rule =>
  (node) => {
    if (!chosen.some((operand) => node.isChosen(operand))) return;
    if (node.opset < FIRST_LESS) {
      node.refuse('has a size that clients choose, in too old an operator set');
      return;
    }
    kind.prepare(node);
    const isSmall = node.add('Less', [count(node), node.double(node.mostElements)]);
    kind.require(node, node.add('Reshape', [isSmall, node.list(1)]));
  };

/** As many elements as a list of sizes says. */
export const makesList = (operand: number): Rule =>
  makesFew([operand], ofList(operand), (node) => product(node, node.input(operand)));

/** As many as a number says, for each element of another operand if there is one. */
export function makesNumber(operand: number, each?: number): Rule {
  return makesFew([operand], ofNumber(operand), (node) => {
    const number = numberOf(node, operand);
    return each === undefined
      ? number
      : node.add('Mul', [number, doubles(node, node.count(node.input(each)))]);
  });
}

/** The elements of the first operand, repeated or scaled. */
export const makesMultiple = (operand: number, type?: number): Rule =>
  makesFew([operand], ofList(operand, type), (node) =>
    node.add('Mul', [elements(node), product(node, node.input(operand))]),
  );

/** Both are stretched to each other, the axes counted from the last one. */
export const makesExpanded: Rule = makesFew([1], ofList(1), (node) => {
  const [own, asked] = [node.shape(0), node.input(1)];
  const lengths = [own, asked].map((sizes) => doubles(node, node.count(sizes)));
  const [axes, others] = lengths;
  if (!axes || !others) return elements(node);
  const filled = (sizes: Name, fewer: Name, more: Name) => {
    const missing = node.add('Max', [node.add('Sub', [more, fewer]), node.double(0)]);
    const ones = node.add('Reshape', [node.list(1), node.list(1)]);
    const filling = node.add('Expand', [ones, node.integers(missing)]);
    return node.add('Concat', [filling, sizes], [integerAttribute('axis', 0)]);
  };
  const sizes = [filled(own, axes, others), filled(asked, others, axes)];
  return product(
    node,
    node.add(
      'Max',
      sizes.map((each) => floats(node, each)),
    ),
  );
});

/** From a start to a limit by steps. */
export const makesRange: Rule = makesFew([0, 1, 2], ofNumber(1), (node) => {
  const [start, limit, step] = [0, 1, 2].map((operand) => numberOf(node, operand, false));
  if (!start || !limit || !step) return elements(node);
  return node.add('Abs', [node.add('Div', [node.add('Sub', [limit, start]), step])]);
});

/** Padding on both ends of some axes, or of all. */
export const makesPadded: Rule = makesFew([1], ofList(1), (node) => {
  const sizes = node.has(3) ? node.gather(node.shape(0), node.input(3)) : node.shape(0);
  const ends = node.add('Reshape', [node.input(1), node.list(2, -1)]);
  const [before, after] = [0, 1].map((end) => node.gather(ends, node.number(end)));
  if (!before || !after) return elements(node);
  return resized(node, sizes, node.add('Add', [sizes, node.add('Add', [before, after])]));
});

/** Some axes, or all, get the sizes of a list. */
export const makesResized = (operand: number): Rule =>
  makesFew([operand], ofList(operand), (node) => {
    const axes = readIntegers(node, 'axes');
    const sizes = axes.length > 0 ? node.gather(node.shape(0), node.list(...axes)) : node.shape(0);
    const policy = readString(node, 'keep_aspect_ratio_policy');
    return resized(node, sizes, node.input(operand), policy !== undefined && policy !== 'stretch');
  });

/** One picture for each channel, which come in blocks. */
export const makesPictures: Rule = makesFew([1], ofList(1), (node) => {
  const channels = product(node, node.part(node.shape(0), 0, 2));
  const blocks = node.add('Max', [product(node, node.input(2)), node.double(1)]);
  return node.add('Div', [node.add('Mul', [channels, product(node, node.input(1))]), blocks]);
});

/** Two or three coordinates for each place; channels have the same. */
export const makesGrid: Rule = makesFew([1], ofList(1), (node) => {
  const channels = doubles(node, node.gather(node.input(1), node.list(1)));
  const places = node.add('Div', [product(node, node.input(1)), node.add('Abs', [channels])]);
  return node.add('Mul', [places, node.double(3)]);
});

/** Filters for each frequency. */
export const makesFilters: Rule = makesFew([0, 1], ofNumber(0), (node) =>
  node.add('Mul', [numberOf(node, 0), numberOf(node, 1)]),
);

/** A complex number for each place of what is transformed, which gets another length. */
export const makesSpectrum: Rule = makesFew([1], ofNumber(1), (node) => {
  const axis = node.opset < 20 ? node.list(readNumber(node, 'axis', 1) ?? 1) : undefined;
  const given = axis ?? node.add('Reshape', [node.input(2), node.list(1)]);
  const size = doubles(node, node.gather(node.shape(0), given));
  const rest = node.add('Div', [elements(node), node.add('Max', [size, node.double(1)])]);
  return node.add('Mul', [node.add('Mul', [rest, numberOf(node, 1)]), node.double(2)]);
});

/** A frame at each step. */
export const makesFrames: Rule = makesFew([1, 3], ofNumber(1), (node) => {
  if (!node.has(3) && !node.has(2)) return elements(node);
  const length = node.has(3) ? numberOf(node, 3) : doubles(node, node.count(node.input(2)));
  const step = node.add('Max', [numberOf(node, 1), node.double(1)]);
  return node.add('Mul', [
    node.add('Div', [node.add('Mul', [elements(node), length]), step]),
    node.double(2),
  ]);
});

/** What the first operand becomes when some of its axes get other sizes. */
function resized(node: GuardedNode, sizes: Name, target: Name, keepsRatio = false): Name {
  const before = node.add('Max', [floats(node, sizes), node.float(1)]);
  const ratios = node.add('Div', [node.add('Abs', [floats(node, target)]), before]);
  const largest = keepsRatio ? node.add('Max', [ratios, node.add('ReduceMax', [ratios])]) : ratios;
  return node.add('Mul', [elements(node), doubles(node, node.product(largest))]);
}

/** How many elements the first operand has, but one at least. */
function elements(node: GuardedNode): Name {
  return node.add('Max', [doubles(node, node.count(node.input(0))), node.double(1)]);
}

function product(node: GuardedNode, list: Name): Name {
  return doubles(node, node.product(node.add('Abs', [floats(node, list)])));
}

/** An operand of one element, as a list of one. */
function numberOf(node: GuardedNode, operand: number, isSize = true): Name {
  const number = doubles(node, node.add('Reshape', [node.input(operand), node.list(1)]));
  return isSize ? node.add('Abs', [number]) : number;
}

function floats(node: GuardedNode, numbers: Name): Name {
  return node.add('Cast', [numbers], [integerAttribute('to', ELEMENT_TYPES.float32)]);
}

/** Float32 has too few digits for differences of large numbers. */
function doubles(node: GuardedNode, numbers: Name): Name {
  return node.add('Cast', [numbers], [integerAttribute('to', ELEMENT_TYPES.float64)]);
}
