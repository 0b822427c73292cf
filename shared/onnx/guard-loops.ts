import { ELEMENT_TYPES, integerAttribute, type Name } from './encode-node.ts';
import type { GuardedNode } from './guard-node.ts';
import type { Rule } from './guard-rules.ts';
import { FIRST_LESS, type Steps } from './guard-steps.ts';

/** A turn takes a microsecond at least: more of them would keep the thread for seconds. */
export const MOST_TURNS = 2 ** 20;
/** Exporters write such a count, most often the largest int64, for a loop that a condition alone ends. */
const ENDLESS = 2 ** 31;
/** A file can say thousands. */
const MOST_AROUND = 8;
/** Name of the node that the runtime refuses to compute where loops take too many turns. Its errors quote it. */
export const TURNS_GUARD = 'ternion: too many turns';
/** What goes on after "its Loop". */
const OLD = 'takes turns that clients choose, in too old an operator set';

/** A loop takes few turns where a client chooses their number. */
export const takesFewTurns: Rule = (node) => {
  if (!node.isChosen(0)) return;
  if (node.opset < FIRST_LESS) return node.refuse(OLD);
  const isMany = node.add('Greater', [count(node), most(node)]);
  node.requireOfNumber(0, node.add('Reshape', [node.not(isMany), node.list(1)]), TURNS_GUARD);
};

/**
 * A loop ends: what its body says of whether to go on has one element, and there are few turns where that alone ends it.
 * Its body is the only place where turns can be counted that a condition ends.
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

/** Whether nothing but a condition ends a loop, as far as the file says. */
function isEndless(node: GuardedNode): boolean {
  if (!node.has(0)) return true;
  const counts = node.numbers(0);
  if (counts.length > 0) return counts.some(([turns = ENDLESS]) => turns >= ENDLESS);
  // Counts that clients choose have a limit of their own, and what is made of sizes is about as large as what is sent.
  return node.isConstant(0) && !node.isChosen(0);
}

/** The largest number of a turn that may be run, from 0. A count that is computed of constants may be small after all. */
function limitOf(node: GuardedNode): Name {
  const limit = node.add('Sub', [most(node), node.double(1)]);
  if (!node.has(0)) return limit;
  const isCounted = double(node, node.add('Less', [count(node), node.double(ENDLESS)]));
  return node.add('Max', [limit, node.add('Mul', [isCounted, node.double(ENDLESS)])]);
}

/** How many turns are left for a loop: the turns of loops in each other are multiplied. */
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

/** Float32 has too few digits to count turns. */
function double(steps: Steps, number: Name): Name {
  return steps.add('Cast', [number], [integerAttribute('to', ELEMENT_TYPES.float64)]);
}
