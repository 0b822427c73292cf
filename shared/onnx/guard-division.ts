import { integerAttribute, type Name } from './encode-node.ts';
import { ELEMENT_TYPES } from './fields.ts';
import { type GuardedNode, OLD } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import { FIRST_LESS } from './guard-steps.ts';
import { readNumber } from './node-attributes.ts';

/** Types whose smallest number ends the process when it is divided by -1: the quotient exceeds their range by one. */
const ENDING: ReadonlySet<number> = new Set([ELEMENT_TYPES.int32, ELEMENT_TYPES.int64]);
/**
 * A number with a smaller absolute value is neither the smallest number of such a type, nor does it wrap around to -1.
 */
const LARGE = 2 ** 31;
/** CastLike exists from this version on. */
const FIRST_CAST_LIKE = 15;

/** If the divisor is -1, both operands change their signs. The quotient stays the same, and wraps around. */
export const dividesByMinusOne: Rule = (node) => {
  const sign = signOf(node);
  if (!sign) return;
  for (const operand of [0, 1]) node.replace(operand, node.add('Mul', [node.input(operand), sign]));
};

/** If the divisor is -1, it becomes 1: the remainder is 0 in both cases. The remainder of a float division is safe. */
export const dividesByMinusOneForRest: Rule = (node) => {
  if (readNumber(node, 'fmod', 0) === 1) return;
  const sign = signOf(node);
  if (sign) node.replace(1, node.add('Mul', [node.input(1), sign]));
};

/** A number for each divisor: -1 if it is -1, and 1 otherwise. Undefined if the file rules out a fatal pair. */
function signOf(node: GuardedNode): Name | undefined {
  const type = node.elementType(0) ?? node.elementType(1) ?? node.elementTypeOfOutput();
  if ((type !== undefined && !ENDING.has(type)) || isSafe(node)) return undefined;
  const isOld = type === undefined ? node.opset < FIRST_CAST_LIKE : node.opset < FIRST_LESS;
  if (isOld) {
    node.refuse(OLD);
    return undefined;
  }
  const divisor = node.input(1);
  const like = (numbers: Name) =>
    type === undefined
      ? node.add('CastLike', [numbers, divisor])
      : node.add('Cast', [numbers], [integerAttribute('to', type)]);
  // As float64, no number of another type becomes -1.
  const isMinusOne =
    type === undefined
      ? node.add('Equal', [
          node.add('Cast', [divisor], [integerAttribute('to', ELEMENT_TYPES.float64)]),
          node.double(-1),
        ])
      : node.add('Equal', [divisor, like(node.number(-1))]);
  const twice = node.add('Mul', [node.integers(isMinusOne), node.number(2)]);
  return like(node.add('Sub', [node.number(1), twice]));
}

/** Whether the file holds the divisors and none is -1, or the dividends and none is the smallest number. */
function isSafe(node: GuardedNode): boolean {
  const [dividends, divisors] = [0, 1].map((operand) => node.allNumbers(operand));
  const isSmall = (numbers?: readonly number[]) =>
    numbers?.every((number) => Math.abs(number) < LARGE) ?? false;
  return isSmall(dividends) || (isSmall(divisors) && !divisors?.includes(-1));
}
