import { ELEMENT_TYPES } from './fields.ts';
import {
  areNotNegative,
  hasIndexOfEach,
  hasPositiveScale,
  hasRandomRange,
  hasSmallWindow,
  isWithin,
} from './guard-attributes.ts';
import { isInlinedOnce } from './guard-choices.ts';
import {
  byLargest,
  byNumber,
  bySum,
  makesExtracted,
  makesFiltered,
  makesFilteredBack,
  makesGatheredParts,
  makesLetters,
  makesProduct,
  makesRegions,
  makesSampled,
  makesScaled,
  makesStretched,
  makesUnpooled,
  makesWide,
} from './guard-growth.ts';
import { goesOnForAWhile, takesFewTurns } from './guard-loops.ts';
import {
  allAreThere,
  allHaveElements,
  allHaveElementsIfMany,
  allHaveOneRank,
  allParametersAreScalars,
  answersEmpty,
  before,
  endsWithInput,
  hasElements,
  hasElementsIfMultiplied,
  hasExactRank,
  hasHeads,
  hasKernel,
  hasLetters,
  hasOneRank,
  hasPlaces,
  hasRank,
  hasScaleOfEachAxis,
  hasSequences,
  hasSignal,
  hasSlices,
  hasSmallRegions,
  hasSpace,
  hasSpaceUnlessPicture,
  isNoEmptyVector,
  isNotZero,
  isOnePerAxis,
  isRefused,
  isScalar,
  isSquare,
  isThere,
  isTherePair,
  movesElements,
  type Rule,
  since,
  where,
} from './guard-rules.ts';
import { findGuards, type GuardTable } from './guard-search.ts';
import {
  makesExpanded,
  makesFilters,
  makesFrames,
  makesGrid,
  makesList,
  makesMultiple,
  makesNumber,
  makesPadded,
  makesPictures,
  makesRange,
  makesResized,
  makesSpectrum,
} from './guard-sizes.ts';
import { emptyTopK } from './guard-topk.ts';
import { USUAL_GUARDS } from './guard-usual.ts';
import type { Rewriting } from './rewrite-model.ts';

/** Models have a few hundred. If heads have the size 0, nothing else bounds the work. */
const MOST_HEADS = 2 ** 12;
const hasHeadsOf = (name: string) => isWithin(name, 1, MOST_HEADS);
const timesScales = (operand: number) => makesMultiple(operand, ELEMENT_TYPES.float32);

/**
 * Operators whose kernels in ONNX Runtime 1.30 end the process or never end, with the rules that prevent it. What the
 * file does not guarantee is checked before the operator in each run. If a rule does not hold, the request is refused.
 * Operands count from 0. `test/sweep` finds such operators, and has a minimal model for each.
 */
export const GUARDS: GuardTable = new Map<string, readonly Rule[]>([
  ...USUAL_GUARDS,
  // Operators that divide by the size of an axis, or read out of bounds, if there are no elements.
  ['TopK', [answersEmpty(emptyTopK)]],
  ['LSTM', [hasRank(0, 3), hasSequences]],
  ['GRU', [hasRank(0, 3), hasElements(0)]],
  ['RNN', [hasRank(0, 3)]],
  ['ConvTranspose', [hasSpaceUnlessPicture, makesFilteredBack]],
  ['InstanceNormalization', [hasSpace(0, 2)]],
  ['DFT', [isScalar(1), isScalar(2), hasSignal, makesSpectrum]],
  [
    'STFT',
    [hasRank(0, 2), isScalar(1), hasRank(2, 1), hasElements(2), isScalar(3), isNotZero(3), makesFrames],
  ],
  [
    'Attention',
    [
      ...['q_num_heads', 'kv_num_heads'].map((name) => isWithin(name, 0, MOST_HEADS)),
      ...[isWithin('qk_matmul_output_mode', 0, 3), hasHeads, hasRank(4, 4), hasRank(5, 4)],
    ],
  ],
  ['QuantizeLinear', [isWithin('block_size', 0), where('block_size', hasElements(0))]],
  ['DequantizeLinear', [isWithin('block_size', 0)]],
  ['Unique', [hasSlices]],
  [
    'RoiAlign',
    [
      isWithin('sampling_ratio', 0, 1024),
      hasRank(0, 4),
      hasRank(1, 2),
      hasRank(2, 1),
      hasSpace(0, 2),
      hasSmallRegions,
      makesRegions,
    ],
  ],
  [
    'ai.onnx.ml.FeatureVectorizer',
    [areNotNegative('inputdimensions'), allHaveElements, makesWide(bySum('inputdimensions'))],
  ],
  [
    'com.microsoft.FusedMatMul',
    [where('transBatchA', hasElements(0)), where('transBatchB', hasElements(1)), makesProduct(0, 1)],
  ],
  ['Transpose', [hasElementsIfMultiplied]],
  ['com.microsoft.Inverse', [hasRank(0, 2), isSquare]],
  // The same for the operators that ONNX Runtime adds to the standard, as its own tools write them.
  ['com.microsoft.SkipLayerNormalization', [hasElements(1)]],
  ['com.microsoft.SkipSimplifiedLayerNormalization', [hasElements(1)]],
  ['com.microsoft.QLinearAveragePool', [where('channels_last', isRefused), hasSmallWindow, hasPlaces]],
  ['com.microsoft.QAttention', [hasHeadsOf('num_heads'), hasElements(0)]],
  ['com.microsoft.Attention', [hasHeadsOf('num_heads'), isThere(2)]],
  [
    'com.microsoft.MultiHeadAttention',
    [hasHeadsOf('num_heads'), hasElements(0), hasElements(1), hasElements(2)],
  ],
  [
    'com.microsoft.GroupQueryAttention',
    [
      ...[hasHeadsOf('num_heads'), hasHeadsOf('kv_num_heads'), hasElements(0)],
      // Cosines and sines of the positions.
      ...[7, 8].flatMap((operand) => [hasExactRank(operand, 2), hasElements(operand)]),
    ],
  ],
  ['com.microsoft.SparseAttention', [hasHeadsOf('num_heads'), hasHeadsOf('kv_num_heads')]],
  ['com.microsoft.DecoderMaskedMultiHeadAttention', [isRefused]],
  ['com.microsoft.RotaryEmbedding', [hasElements(0)]],
  ['com.microsoft.DynamicQuantizeMatMul', [hasElements(0), hasElements(1)]],
  ['com.microsoft.MatMulIntegerToFloat', [hasElements(0), hasElements(1)]],
  ['com.microsoft.LinearAttention', [hasHeadsOf('q_num_heads'), hasHeadsOf('kv_num_heads'), hasElements(0)]],
  ['com.microsoft.AttnLSTM', [...[8, 9, 10, 11].map(isThere), hasRank(0, 3), hasElements(0)]],
  ['com.microsoft.DynamicQuantizeLSTM', [hasRank(0, 3), hasElements(0)]],
  ['com.microsoft.MoE', [hasElements(0)]],
  ['com.microsoft.QMoE', [isThere(3), isThere(6), hasElements(0)]],
  ['com.microsoft.QGemm', [isTherePair(8, 7)]],
  ['com.microsoft.QLinearSoftmax', [1, 2, 3, 4].map(isScalar)],
  ['com.microsoft.QLinearWhere', [2, 3, 5, 6, 7, 8].map(isScalar)],
  ['com.microsoft.QLinearConcat', [allAreThere, allParametersAreScalars, hasOneRank(2, 3)]],
  // Operators that rely on a number of axes.
  ['Conv', [hasRank(0, 2), hasRank(1, 2), hasKernel(1), hasPlaces, makesFiltered(1)]],
  ['ConvInteger', [hasRank(0, 2), hasRank(1, 2), hasKernel(1), makesFiltered(1)]],
  ...['QLinearConv', 'com.microsoft.QLinearConv'].map(
    (name) =>
      [
        name,
        [
          isWithin('group', 1),
          ...[hasRank(0, 2), hasRank(3, 2), hasElements(3), hasPlaces, makesFiltered(3)],
        ],
      ] as const,
  ),
  // Operators that the runtime creates from others at load time, such as chains of filters with another layout
  // (pools.ts).
  ...['MaxPool', 'AveragePool'].map((name) => [name, [hasSmallWindow, hasPlaces, makesFiltered()]] as const),
  ['LpPool', [hasSmallWindow, makesFiltered()]],
  ...['Conv', 'MaxPool', 'AveragePool'].map(
    (name) => [`com.microsoft.nchwc.${name}`, [hasSmallWindow, hasPlaces]] as const,
  ),
  ['com.microsoft.FusedConv', [hasRank(0, 2), hasRank(1, 2), hasKernel(1), hasPlaces, makesFiltered(1)]],
  ['Concat', [hasOneRank()]],
  ['ConcatFromSequence', [allHaveOneRank]],
  ['Einsum', [hasLetters, allHaveElementsIfMany, makesLetters]],
  ['ReverseSequence', [hasRank(0, 2)]],
  ['GridSample', [hasRank(0, 1), hasRank(1, 1), makesSampled]],
  ['com.microsoft.GridSample', [hasRank(0, 1), hasRank(1, 1), makesSampled]],
  ['AffineGrid', [hasRank(0, 1), hasRank(1, 1), hasElements(1), makesGrid]],
  ['MaxRoiPool', [hasExactRank(0, 4), hasExactRank(1, 2), makesRegions]],
  ['Multinomial', [hasExactRank(0, 2), makesWide(byNumber('sample_size'))]],
  ['ai.onnx.ml.TreeEnsemble', [isNoEmptyVector, makesWide(byNumber('n_targets'))]],
  // Operators that read a number without checking that it exists, or copy a list of any length.
  ['Loop', [isScalar(0), isScalar(1), takesFewTurns, goesOnForAWhile]],
  ['Dropout', [isScalar(2)]],
  ['SequenceAt', [isScalar(1)]],
  ['SequenceErase', [isScalar(1)]],
  ['SequenceInsert', [isScalar(2)]],
  [
    'Resize',
    [
      since(11, isOnePerAxis(2), timesScales(2), makesResized(3)),
      before(11, hasScaleOfEachAxis, timesScales(1)),
    ],
  ],
  ['Upsample', [hasScaleOfEachAxis, since(9, timesScales(1)), before(9, makesScaled)]],
  // Operators that a client can make produce or do more than memory or time allow.
  ['ConstantOfShape', [makesList(0)]],
  ['Expand', [makesExpanded]],
  ['Tile', [makesMultiple(1)]],
  ...['Range', 'com.microsoft.Range'].map((name) => [name, [makesRange]] as const),
  ['OneHot', [makesNumber(1, 0)]],
  ...['Pad', 'com.microsoft.Pad'].map((name) => [name, [makesPadded]] as const),
  ['CenterCropPad', [makesResized(1)]],
  ['MaxUnpool', [makesUnpooled]],
  ['Col2Im', [makesPictures]],
  ['MelWeightMatrix', [makesFilters]],
  ...['Hann', 'Hamming', 'Blackman'].map((name) => [`${name}Window`, [makesNumber(0)]] as const),
  // Operators that turn few elements into many because of a small file, or because of two inputs from a client.
  ['com.microsoft.nchwc.Upsample', [makesScaled]],
  ['QLinearMatMul', [makesProduct(0, 3)]],
  ['com.microsoft.CDist', [makesProduct(0, 1, true)]],
  ...['GatherND', 'com.microsoft.GatherND'].map(
    (name) => [name, [isWithin('batch_dims', 0, 64), since(11, makesGatheredParts)]] as const,
  ),
  ['ai.onnx.ml.ArrayFeatureExtractor', [makesExtracted]],
  ['ai.onnx.ml.TreeEnsembleRegressor', [makesWide(byNumber('n_targets'))]],
  [
    'TfIdfVectorizer',
    [hasIndexOfEach, isWithin('max_skip_count', 0, 1024), makesWide(byLargest('ngram_indexes'))],
  ],
  ['com.microsoft.UnfoldTensor', [makesWide(byNumber('size'))]],
  // Operators that only a model can make fatal.
  ['If', [isInlinedOnce]],
  ['Scan', [isWithin('num_scan_inputs', 1, (node) => node.inputs.length), movesElements]],
  ['Split', [isWithin('num_outputs', 1)]],
  // Channels: an image is copied with this many more.
  ['LRN', [isWithin('size', 1, 2 ** 12)]],
  ['BatchNormalization', [isWithin('training_mode', 0, 1)]],
  ...['RandomNormal', 'RandomNormalLike'].map((name) => [name, [hasPositiveScale]] as const),
  ...['RandomUniform', 'RandomUniformLike'].map((name) => [name, [hasRandomRange]] as const),
  ['LayerNormalization', [endsWithInput]],
  ...['Max', 'Mean', 'Min', 'Sum'].map((operator) => [operator, [allAreThere, makesStretched]] as const),
  ['com.microsoft.ConvTransposeWithDynamicPads', [isThere(2), hasElements(0), makesFilteredBack]],
  ['com.microsoft.CropAndResize', [isRefused]],
]);

/**
 * Guards the operators of a model.
 *
 * @param mostElements of a tensor whose size a client chooses
 */
export const guardOperators =
  (mostElements: number): Rewriting =>
  (source) =>
    findGuards(source, mostElements, GUARDS).edits;
