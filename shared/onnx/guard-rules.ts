import { graphAttribute, integerAttribute, type Name } from './encode-node.ts';
import { ELEMENT_TYPES } from './fields.ts';
import { encodeChoice, refuseEmpty, runForElements } from './guard-instead.ts';
import { type GuardedNode, OLD, type Substitute } from './guard-node.ts';
import { FIRST_CAST, FIRST_LESS, isGiven, NO_NAME, Steps } from './guard-steps.ts';
import {
  findAttribute,
  readFloat,
  readFloats,
  readIntegers,
  readNumber,
  readString,
} from './node-attributes.ts';
import type { KnownShape } from './node-shapes.ts';

/**
 * Makes a node safe against one thing that its kernel does not survive. Most rules do nothing if the file rules it out.
 */
export type Rule = (node: GuardedNode) => void;

/** The runtime has Or and Equal from this version on. */
const FIRST_OR = 7;

/** An operand has at least this number of axes. */
export function hasRank(operand: number, least: number): Rule {
  return (node) => {
    if (!node.has(operand) || node.known(operand).least >= least) return;
    node.requireComputed(operand, node.sizeAt(operand, least - 1));
  };
}

/** An operand has exactly this number of axes. */
export function hasExactRank(operand: number, axes: number): Rule {
  return (node) => {
    const { least, most } = node.known(operand);
    if (!node.has(operand) || (least === axes && most === axes)) return;
    node.require(operand, node.add('Equal', [node.rank(operand), node.list(axes)]));
  };
}

/** An operand has elements. */
export function hasElements(operand: number): Rule {
  return (node) => {
    if (!node.has(operand) || isNeverEmpty(node.known(operand))) return;
    node.require(operand, node.isTrue(node.count(node.input(operand))));
  };
}

/** All operands have elements. */
export const allHaveElements: Rule = (node) => {
  for (const operand of node.inputs.keys()) hasElements(operand)(node);
};

/** The same if there are several operands: their products divide by the sizes of their axes. */
export const allHaveElementsIfMany: Rule = (node) => {
  if (node.inputs.length > 1) allHaveElements(node);
};

/** An operand has one element, as the kernel reads the first one without checking that it exists. */
export function isScalar(operand: number): Rule {
  return (node) => {
    const { sizes } = node.known(operand);
    if (!node.has(operand) || sizes?.every((size) => size === 1)) return;
    node.replace(operand, node.add('Reshape', [node.input(operand), node.list()]));
  };
}

/** A number is not 0. */
export function isNotZero(operand: number): Rule {
  return (node) => {
    if (!node.has(operand)) return;
    const number = node.add('Reshape', [node.input(operand), node.list(1)]);
    node.requireOfNumber(operand, node.isTrue(number));
  };
}

/** At least one axis of an operand is not of size 0. */
function hasSize(operand: number, axis: number): Rule {
  return (node) => {
    if (!node.has(operand) || isPositive(node.known(operand).sizes?.at(axis))) return;
    node.require(operand, node.isTrue(node.sizeAt(operand, axis)));
  };
}

/** The axes of an operand from this one on are not of size 0, unless an earlier axis is. */
export function hasSpace(operand: number, first: number): Rule {
  return (node) => {
    const { sizes } = node.known(operand);
    if (sizes?.slice(first).every(isPositive)) return;
    if (node.opset < FIRST_CAST) node.replaceAll(runForElements(node, refuseEmpty(node)));
    else if (node.opset < FIRST_OR) hasElements(operand)(node);
    else {
      const shape = node.shape(operand);
      const hasPlaces = node.isTrue(node.product(node.part(shape, first)));
      const isNothing = node.not(node.isTrue(node.product(node.part(shape, 0, first))));
      node.require(operand, node.add('Or', [hasPlaces, isNothing]));
    }
  };
}

/** Like `hasSpace`, for transposed convolutions without two spatial axes: those of images give the right answer. */
export const hasSpaceUnlessPicture: Rule = (node) => {
  const isPicture = [0, 1].some((operand) => {
    const { least, most } = node.known(operand);
    return least === PICTURE_AXES && most === PICTURE_AXES;
  });
  if (!isPicture) hasSpace(0, 2)(node);
};

const PICTURE_AXES = 4;

/** Filters have channels and positions; filters in a file always do. */
export function hasKernel(operand: number): Rule {
  return (node) => {
    if (node.known(operand).sizes?.slice(1).every(isPositive)) return;
    node.require(operand, node.isTrue(node.product(node.part(node.shape(operand), 1))));
  };
}

/** The image is large enough for all pools after it, up to the next node with its own positions. */
export const hasPlaces: Rule = (node) => {
  const least = node.leastPlaces();
  const places = node.known(0).sizes?.slice(2);
  if (!least || least.every((size, axis) => size <= (places?.[axis] ?? 0))) return;
  if (node.opset < FIRST_LESS) return node.refuse(`takes images of any size, which ${OLD}`);
  const [sizes, smallest] = [node.part(node.shape(0), 2), node.list(...least)].map((list) =>
    node.add('Cast', [list], [integerAttribute('to', ELEMENT_TYPES.float64)]),
  );
  if (!sizes || !smallest) return;
  const isSmall = node.integers(node.add('Less', [sizes, smallest]));
  node.require(0, node.not(node.isTrue(node.add('ReduceMax', [isSmall]))));
};

/** The sequences of an LSTM: X is [steps, sequences, width], or [sequences, steps, width] with layout 1. */
export const hasSequences: Rule = (node) => {
  const layout = readNumber(node, 'layout', 0);
  const rule = layout === undefined ? hasElements(0) : hasSize(0, layout === 1 ? 0 : 1);
  rule(node);
};

/** Applies a rule to operator sets from a version on. */
export function since(opset: number, ...rules: readonly Rule[]): Rule {
  return (node) => {
    if (node.opset >= opset) for (const rule of rules) rule(node);
  };
}

/** Applies a rule to operator sets before a version. */
export function before(opset: number, ...rules: readonly Rule[]): Rule {
  return (node) => {
    if (node.opset < opset) for (const rule of rules) rule(node);
  };
}

/** Applies a rule if an attribute is set and not 0. */
export function where(attribute: string, ...rules: readonly Rule[]): Rule {
  return (node) => {
    if (readNumber(node, attribute, 0) === 0) return;
    for (const rule of rules) rule(node);
  };
}

/** The axis that is sorted has elements, or the operand is empty anyway. */
export const hasSlices: Rule = (node) => {
  if (!findAttribute(node, 'axis') || isNeverEmpty(node.known(0))) return;
  const axis = readNumber(node, 'axis', 0);
  if (axis === undefined) return hasElements(0)(node);
  const isNothing = node.not(node.isTrue(node.sizeAt(0, axis)));
  node.require(0, node.add('Or', [node.isTrue(node.count(node.input(0))), isNothing]));
};

/**
 * The operand of a Transpose has elements if a MatMul follows: the runtime fuses both into one FusedMatMul, unless the
 * first axis stays first. The fused kernel divides by the size of the original first axis.
 */
export const hasElementsIfMultiplied: Rule = (node) => {
  const [first = 0] = readIntegers(node, 'perm');
  if (first === 0 && findAttribute(node, 'perm')) return;
  if (node.isMultiplied() && node.known(0).most > 2) hasElements(0)(node);
};

/**
 * The inputs and outputs of a Scan have elements if it scans another axis than the first: the kernel that transposes
 * them divides by sizes. Outputs may be empty for some requests only, so they are checked in the body.
 */
export const movesElements: Rule = (node) => {
  const count = readNumber(node, 'num_scan_inputs', 1);
  const states = count === undefined ? 0 : node.inputs.length - count;
  for (const operand of node.inputs.keys()) {
    if (operand >= states && isMoved(node, 'scan_input_axes', operand - states)) hasElements(operand)(node);
  }
  for (const index of node.outputs.keys()) {
    if (index < states || !isMoved(node, 'scan_output_axes', index - states)) continue;
    node.replaceOutput('body', index, (steps, { output }) => {
      const zero = steps.unless(steps.not(steps.isTrue(steps.count(output))));
      return steps.add('Reshape', [output, steps.add('Add', [steps.add('Shape', [output]), zero])]);
    });
  }
};

/** Whether an axis of a list is not the first. If the caller of a function sets the list, it is unknown. */
function isMoved(node: GuardedNode, name: string, index: number): boolean {
  if (!findAttribute(node, name)) return false;
  const axes = readIntegers(node, name);
  return axes.length === 0 || (axes[index] ?? 0) !== 0;
}

/**
 * No region is larger than an image can be: if the number of samples is not given, each pixel of a region takes memory.
 * NaN is refused too.
 * Source: RoiAlign in the ONNX operator list (regions are [x1, y1, x2, y2], sampling_ratio 0 takes one sample per
 * pixel).
 */
export const hasSmallRegions: Rule = (node) => {
  const ratio = readNumber(node, 'sampling_ratio', 0);
  if (ratio !== undefined && ratio > 0) return;
  const along = integerAttribute('axis', 1);
  const float32 = integerAttribute('to', ELEMENT_TYPES.float32);
  const regions = node.add('Cast', [node.input(1)], [float32]);
  const starts = node.add('Gather', [regions, node.list(0, 1)], [along]);
  const ends = node.add('Gather', [regions, node.list(2, 3)], [along]);
  const sizes = node.add('Abs', [node.add('Sub', [ends, starts])]);
  const scaled = node.add('Mul', [sizes, node.float(readFloat(node, 'spatial_scale', 1))]);
  const sides = node.add('Max', [scaled, node.float(1)]);
  const [width, height] = [0, 1].map((side) => node.add('Gather', [sides, node.list(side)], [along]));
  if (!width || !height) return;
  const isSmall = node.add('Less', [node.add('Mul', [width, height]), node.float(LARGEST_REGION)]);
  const isLarge = node.add('Reshape', [node.integers(node.not(isSmall)), node.list(-1)]);
  const some = node.add('Concat', [node.list(0), isLarge], [integerAttribute('axis', 0)]);
  node.require(1, node.not(node.isTrue(node.add('ReduceMax', [some]))));
};

/** Pixels: 2048 by 2048. The runtime takes 32 bytes for each. */
const LARGEST_REGION = 2 ** 22;

/** If the attributes do not give the number of heads, each operand has an axis of heads. */
export const hasHeads: Rule = (node) => {
  const counts = ['q_num_heads', 'kv_num_heads'].map((name) => readNumber(node, name, 0));
  for (const operand of [0, 1, 2]) {
    if (counts.some((count) => !count)) hasRank(operand, 4)(node);
    hasSize(operand, 1)(node);
  }
};

/** The last two axes have the same size. */
export const isSquare: Rule = (node) => {
  node.require(0, node.add('Equal', [node.sizeAt(0, -1), node.sizeAt(0, -2)]));
};

/** A vector has elements; tensors with more axes may be empty. */
export const isNoEmptyVector: Rule = (node) => {
  if (node.known(0).least > 1 || isNeverEmpty(node.known(0))) return;
  const isVector = node.add('Equal', [node.rank(0), node.list(1)]);
  node.require(0, node.add('Or', [node.isTrue(node.count(node.input(0))), node.not(isVector)]));
};

/** A list is not longer than the number of axes of the first operand. */
export function isOnePerAxis(operand: number): Rule {
  return (node) => {
    const length = node.known(operand).sizes?.[0];
    if (!node.has(operand) || (length !== undefined && length <= MOST_AXES)) return;
    // A list of a thousand numbers, or of a thousand lists without any.
    const isLonger = node.add('Greater', [node.sizeAt(operand, 0), node.rank(0)]);
    node.require(operand, node.not(isLonger));
  };
}

/**
 * There is a scale for each axis. Kernels of older operators do not check the number of scales in the file, neither in
 * an operand nor in an attribute, and read past their end.
 */
export const hasScaleOfEachAxis: Rule = (node) => {
  const { least, most } = node.known(0);
  const isOperand = node.has(1);
  const length = isOperand ? node.known(1).sizes?.[0] : readFloats(node, 'scales').length;
  if (least === most && least === length) return;
  if (length === 0) return node.refuse('has no usable scales');
  const scales = isOperand || length === undefined ? node.sizeAt(1, 0) : node.list(length);
  node.require(0, node.add('Equal', [node.rank(0), scales]));
};

/** Lists of this length are harmless to all kernels. */
const MOST_AXES = 8;

/**
 * The transformed axis is not of size 0. It has at least two elements if its length is computed from half a spectrum.
 * Source: DFT 17 and 20 in the ONNX operator list.
 */
export const hasSignal: Rule = (node) => {
  const attribute = node.opset < FIRST_INPUT_AXIS ? readNumber(node, 'axis', 1) : undefined;
  if (node.opset < FIRST_INPUT_AXIS && attribute === undefined) return hasElements(0)(node);
  // The kernel reads the axis even if it is omitted.
  if (attribute === undefined && !node.has(2)) node.replace(2, node.number(-2));
  const axis =
    attribute === undefined ? node.add('Reshape', [node.input(2), node.list(1)]) : node.list(attribute);
  const size = node.gather(node.shape(0), axis);
  node.require(0, node.isTrue(size));
  const isHalf = readNumber(node, 'onesided', 0) !== 0 && readNumber(node, 'inverse', 0) !== 0;
  if (isHalf && !node.has(1)) node.require(0, node.not(node.add('Equal', [size, node.list(1)])));
};

/** The axis of a DFT is an input from this version on. */
const FIRST_INPUT_AXIS = 20;

/** The number of axes of each operand is that of its letters in the equation. */
export const hasLetters: Rule = (node) => {
  const equation = readString(node, 'equation') ?? '';
  const terms = equation.replace(/\s/g, '').split('->')[0]?.split(',') ?? [];
  for (const [operand, term] of terms.entries()) {
    const letters = term.replace('...', '').length;
    if (letters > 0) hasRank(operand, letters)(node);
  }
};

/**
 * All joined tensors have the same number of axes. The runtime itself checks only tensors with elements.
 *
 * @param first index of the first joined operand
 * @param step distance to the next one
 */
export const hasOneRank =
  (first = 0, step = 1): Rule =>
  (node) => {
    const { least, most } = node.known(first);
    for (let operand = first + step; operand < node.inputs.length; operand += step) {
      const other = node.known(operand);
      const isSame = least === most && other.least === least && other.most === least;
      if (isSame || !node.has(first) || !node.has(operand)) continue;
      if (node.opset < FIRST_OR) node.refuse(`joins tensors of any number of axes, which ${OLD}`);
      else node.require(operand, node.add('Equal', [node.rank(operand), node.rank(first)]));
    }
  };

/** Like `hasOneRank`, for the tensors of a sequence. They are checked one by one. */
export const allHaveOneRank: Rule = (node) => {
  const [sequence = NO_NAME] = node.inputs;
  const body = new Steps(node.newName);
  const [turn, goesOn, before] = [node.newName(), node.newName(), node.newName()];
  const rank = (at: Name) => body.add('Size', [body.add('Shape', [body.add('SequenceAt', [sequence, at])])]);
  const isSame = body.add('Equal', [rank(turn), rank(body.number(0))]);
  const after = body.gather(body.list(0), body.integers(body.not(isSame)));
  const on = body.add('Identity', [goesOn]);
  const loop = graphAttribute('body', {
    inputs: [
      [turn, ELEMENT_TYPES.int64],
      [goesOn, ELEMENT_TYPES.boolean],
      [before, ELEMENT_TYPES.int64],
    ],
    nodes: body.nodes,
    outputs: [on, after],
  });
  const length = node.add('SequenceLength', [sequence]);
  const looked = node.isTrue(node.add('Loop', [length, NO_NAME, node.number(0)], [loop]));
  // Both branches are the node: the If only exists because computing its condition can refuse the request.
  node.replaceAll([...node.nodes, encodeChoice(looked, node.repeat(), node.repeat(), node.outputs)]);
};

/** Omitted inputs at the end are not listed: the runtime reads one of them while it loads the model. */
export const endsWithInput: Rule = (node) => {
  if (node.inputs.length > 0 && !node.has(node.inputs.length - 1)) node.dropLastInputs();
};

/** A required input is present. */
export function isThere(operand: number): Rule {
  return (node) => {
    if (!node.has(operand)) node.refuse(`omits its input ${operand}, which ends the process`);
  };
}

/** No input is omitted. */
export const allAreThere: Rule = (node) => {
  for (const operand of node.inputs.keys()) isThere(operand)(node);
};

/** An operand may be omitted only together with another one. */
export function isTherePair(operand: number, needed: number): Rule {
  return (node) => {
    if (node.has(operand)) isThere(needed)(node);
  };
}

/** After the first two, inputs come in threes: a tensor with its scale and zero point. */
export const allParametersAreScalars: Rule = (node) => {
  for (const operand of node.inputs.keys()) {
    if (operand < 2 || (operand - 2) % 3 !== 0) isScalar(operand)(node);
  }
};

/** There is no known way to make the operator safe. */
export const isRefused: Rule = (node) => node.refuse('ends the process on some inputs, and has no guard');

/** A first operand without elements gives another result; nodes that no runtime loads are left alone. */
export function answersEmpty(answer: (node: GuardedNode) => Substitute | undefined): Rule {
  return (node) => {
    if (!node.has(0) || !node.outputs.some(isGiven)) return;
    const instead = answer(node);
    if (instead) node.replaceAll(runForElements(node, instead));
  };
}

function isNeverEmpty({ sizes }: KnownShape): boolean {
  return sizes?.every(isPositive) ?? false;
}

function isPositive(size: number | undefined): boolean {
  return size !== undefined && size > 0;
}
