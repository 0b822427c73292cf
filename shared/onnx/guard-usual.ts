import { dividesByMinusOne, dividesByMinusOneForRest } from './guard-division.ts';
import { makesGathered, makesProduct, makesStretched } from './guard-growth.ts';
import type { Rule } from './guard-rules.ts';
import type { GuardTable } from './guard-search.ts';

/** The guards of operators that most networks have; guard-operators.ts has those of all. */
export const USUAL_GUARDS: GuardTable = new Map<string, readonly Rule[]>([
  // Whole numbers whose quotient exceeds their type.
  ['Div', [dividesByMinusOne, makesStretched]],
  ['Mod', [dividesByMinusOneForRest, makesStretched]],
  // Operators that turn few elements into many because of a small file, or because of two inputs from a client.
  ...['MatMul', 'Gemm', 'MatMulInteger', 'com.microsoft.TransposeMatMul', 'com.microsoft.FusedGemm'].map(
    (name) => [name, [makesProduct(0, 1)]] as const,
  ),
  ...['Add', 'Sub', 'Mul', 'Pow', 'And', 'Or', 'Xor', 'Where', 'Equal', 'Greater', 'Less', 'GreaterOrEqual']
    .concat(['LessOrEqual', 'PRelu', 'BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor'])
    .map((name) => [name, [makesStretched]] as const),
  ['Gather', [makesGathered]],
]);
