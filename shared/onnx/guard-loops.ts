import { integerAttribute, type Name } from './encode-node.ts';
import { ELEMENT_TYPES } from './fields.ts';
import { MOST_TURNS, TURNS_GUARD } from './guard-names.ts';
import type { GuardedNode } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import { FIRST_LESS, type Steps } from './guard-steps.ts';

/** From this count on, only a condition ends a loop: exporters then write such a count, usually the largest int64. */
const ENDLESS = 2 ** 31;
/** Most enclosing loops; a file can nest thousands. */
const MOST_AROUND = 8;
/** Follows "its Loop" in a message. */
const OLD =
  'takes a number of iterations that clients choose, which cannot be limited in an operator set this old';

/** A loop takes few iterations if a client chooses their number. */
export const takesFewTurns: Rule = (node) => {
  if (!node.isChosen(0)) return;
  if (node.opset < FIRST_LESS) return node.refuse(OLD);
  const isMany = node.add('Greater', [count(node), most(node)]);
  node.requireOfNumber(0, node.add('Reshape', [node.not(isMany), node.list(1)]), TURNS_GUARD);
};

/**
 * A loop ends: the condition that its body computes has one element, and if only that condition ends the loop, there
 * are few iterations. Such iterations can be counted only in the body.
 */
export const goesOnForAWhile: Rule = (node) => {
  const mustCount = isEndless(node);
  if (mustCount && node.opset < FIRST_LESS) return node.refuse(OLD);
  const limit = mustCount ? limitOf(node) : undefined;
  node.replaceOutput('body', 0, (steps, { inputs: [turn], output, known, declaredAxes }) => {
    if (!limit && known.sizes?.every((size) => size === 1)) return undefined;
    const shape = declaredAxes === 1 ? steps.list(1) : steps.list();
    if (!limit || !turn) return steps.add('Reshape', [output, shape]);
    const isTooLate = steps.integers(steps.add('Greater', [double(steps, turn), limit]));
    const goesOn = steps.gather(steps.add('Reshape', [output, steps.list(1)]), isTooLate, TURNS_GUARD);
    return declaredAxes === 1 ? steps.add('Reshape', [goesOn, shape]) : goesOn;
  });
};

/** Whether only a condition ends a loop, as far as the file shows. */
function isEndless(node: GuardedNode): boolean {
  if (!node.has(0)) return true;
  const counts = node.numbers(0);
  if (counts.length > 0) return counts.some(([turns = ENDLESS]) => turns >= ENDLESS);
  // Counts that clients choose have their own limit, and counts that come from sizes are about as large as the request.
  return node.isConstant(0) && !node.isChosen(0);
}

/**
 * The largest index of an iteration that may run, from 0. A count that is computed from constants may turn out small.
 */
function limitOf(node: GuardedNode): Name {
  const limit = node.add('Sub', [most(node), node.double(1)]);
  if (!node.has(0)) return limit;
  const isCounted = double(node, node.add('Less', [count(node), node.double(ENDLESS)]));
  return node.add('Max', [limit, node.add('Mul', [isCounted, node.double(ENDLESS)])]);
}

/** How many iterations are left for a loop; those of nested loops are multiplied. */
function most(node: GuardedNode): Name {
  const around = node.turnsAround();
  if (around.length > MOST_AROUND) node.refuse(`is in more than ${MOST_AROUND} other loops`);
  return around.slice(0, MOST_AROUND).reduce((limit, turn) => {
    const turns = node.add('Add', [double(node, scalar(node, turn)), node.double(1)]);
    return node.add('Div', [limit, turns]);
  }, node.double(MOST_TURNS));
}

function count(node: GuardedNode): Name {
  return double(node, scalar(node, node.input(0)));
}

function scalar(steps: Steps, number: Name): Name {
  return steps.add('Reshape', [number, steps.list()]);
}

/** Float32 has too few digits to count iterations. */
function double(steps: Steps, number: Name): Name {
  return steps.add('Cast', [number], [integerAttribute('to', ELEMENT_TYPES.float64)]);
}
