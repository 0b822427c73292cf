/**
 * What the names of operators show about a graph, so that the code for guards and bounds is loaded only for graphs that
 * need it. test/shared/onnx/operator-kinds.test.ts compares the lists with that code.
 */

/** Operators with guards that most networks have. */
const USUAL = new Set([
  ...['MatMul', 'Gemm', 'MatMulInteger', 'com.microsoft.TransposeMatMul', 'com.microsoft.FusedGemm'],
  ...['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Pow', 'And', 'Or', 'Xor', 'Where', 'PRelu', 'Gather'],
  ...['Equal', 'Greater', 'Less', 'GreaterOrEqual', 'LessOrEqual'],
  ...['BitShift', 'BitwiseAnd', 'BitwiseOr', 'BitwiseXor'],
]);

/** Operators that need no guard. Those that are in neither list may need one. */
const HARMLESS = new Set([
  ...['Identity', 'Constant', 'Cast', 'Shape', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Not'],
  ...['Relu', 'LeakyRelu', 'Elu', 'Selu', 'Gelu', 'Sigmoid', 'HardSigmoid', 'HardSwish', 'Tanh', 'Softplus'],
  ...['Softmax', 'LogSoftmax', 'Exp', 'Log', 'Sqrt', 'Neg', 'Abs', 'Erf', 'Clip', 'Reciprocal'],
  ...['ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin', 'ArgMax', 'GlobalAveragePool'],
]);

/** Operators that say nothing about the bounds of their outputs, for any inputs. */
const UNBOUNDED = new Set(['Gemm', 'MatMul', 'Conv', 'LayerNormalization']);

/** Whether a node of this operator can need a guard. */
export function canNeedGuard(operator: string): boolean {
  return !HARMLESS.has(operator);
}

/** Whether a graph with these operators can need other guards than the usual ones. */
export function canNeedRareGuards(operators: ReadonlySet<string>): boolean {
  return [...operators].some((operator) => !HARMLESS.has(operator) && !USUAL.has(operator));
}

/** Whether an operator of this type never bounds its outputs, in no domain. */
export function isUnbounded(type: string): boolean {
  return UNBOUNDED.has(type);
}
