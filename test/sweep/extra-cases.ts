import { DATATYPES, type Datatype } from '../../shared/tensor/datatype.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';
import {
  buildFunction,
  buildModel,
  buildNode,
  floatAttribute,
  floatsAttribute,
  integerAttribute,
  integersAttribute,
  stringsAttribute,
  tensorValue,
  textAttribute,
} from '../support/build-model.ts';
import { readOpenInputs, untypedValue } from './open-model.ts';
import { describeCase, type SweepCase } from './read-suite.ts';

const ML = 'ai.onnx.ml';
const MICROSOFT = 'com.microsoft';
/** The newest operator set that the runtime takes. */
const OPSETS = { '': 24, [ML]: 4, [MICROSOFT]: 1 };

type Attribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };
type Input =
  | readonly [datatype: Datatype, shape: readonly number[], values?: readonly number[] | undefined]
  | undefined;

/** Operators that the suite has no case of: those on sequences, of classic machine learning, and ONNX Runtime's own. */
export function extraCases(): SweepCase[] {
  return [
    ...onnxCases(),
    ...machineLearningCases(),
    ...contributedCases(),
    ...quantizedCases(),
    ...attentionCases(),
  ];
}

function onnxCases(): SweepCase[] {
  const parts: Input[] = [f([2, 3]), f([2, 3]), f([2, 3])];
  return [
    ...['SequenceAt', 'SequenceErase'].map((operator) =>
      chain(operator, parts, [i64([], [1])], operator === 'SequenceAt' ? undefined : 'SequenceLength'),
    ),
    chain('SequenceInsert', parts, [f([2, 3]), i64([], [1])], 'SequenceLength'),
    chain('SequenceLength', parts, []),
    chain('ConcatFromSequence', parts, [], undefined, { axis: 0 }),
    chain('ConcatFromSequence', parts, [], undefined, { axis: 1, new_axis: 1 }),
    one('', 'GlobalLpPool', [f([1, 2, 3, 3])], {}, 21),
    one(
      '',
      'MaxRoiPool',
      [f([1, 2, 6, 6]), f([2, 5], [0, 0, 0, 3, 3, 0, 1, 1, 5, 5])],
      { pooled_shape: [2, 2] },
      21,
    ),
    one('', 'Multinomial', [f([2, 4])], { sample_size: 3 }, 21),
    one('', 'RandomNormalLike', [f([2, 3])], {}, 21),
    one('', 'RandomUniformLike', [f([2, 3])], {}, 21),
    one('', 'TopK', [f([2, 4]), i64([1], [2])], {}, undefined, 2),
    one('', 'TopK', [f([2, 4]), i64([1], [2])], { axis: 0 }, undefined, 2),
    one('', 'Upsample', [f([1, 1, 2, 2]), f([4], [1, 1, 2, 2])], { mode: 'linear' }, 9),
    one('', 'Slice', [f([3, 4])], { starts: [0, 1], ends: [2, 3], axes: [0, 1] }, 9),
    one('', 'TopK', [f([2, 4])], { k: 2 }, 9, 2),
    one('', 'Pad', [f([3, 4])], { pads: [1, 1, 1, 1], mode: 'reflect' }, 10),
    one('', 'Split', [f([4, 2])], { axis: 0, split: [2, 2] }, 11),
    ...divisionCases(),
    ...einsumCases(),
    ...productCases(),
    one('', 'RandomNormal', [], { shape: [2, 3] }, 21),
    one('', 'RandomUniform', [], { shape: [2, 3] }, 21),
    one('', 'DepthToSpace', [f([1, 8, 2, 3])], { blocksize: 2 }),
    one('', 'SpaceToDepth', [f([1, 2, 4, 6])], { blocksize: 2 }),
    one('', 'Split', [f([4, 2])], { axis: 0, num_outputs: 2 }, undefined, 2),
    one('', 'ConvTranspose', [f([1, 2, 5, 5]), f([2, 2, 3, 3])], {
      strides: [2, 2],
      output_padding: [1, 1],
      dilations: [1, 1],
      pads: [1, 1, 1, 1],
    }),
    one('', 'ConvTranspose', [f([1, 2, 5, 5]), f([2, 2, 3, 3])], { strides: [2, 2], output_shape: [10, 10] }),
    ...['AveragePool', 'MaxPool', 'LpPool'].map((pool) =>
      one('', pool, [f([1, 2, 6, 6])], {
        kernel_shape: [2, 2],
        strides: [2, 2],
        dilations: [1, 1],
        pads: [0, 0, 1, 1],
        ceil_mode: 1,
      }),
    ),
    one('', 'Conv', [f([1, 2, 6, 6]), f([4, 2, 2, 2])], {
      kernel_shape: [2, 2],
      strides: [2, 2],
      dilations: [1, 1],
      pads: [0, 0, 1, 1],
      group: 1,
    }),
    // Enough channels for the runtime to take its blocked layout where weights are constant.
    one('', 'Conv', [f([1, 16, 5, 5]), f([16, 16, 3, 3])], { pads: [1, 1, 1, 1] }),
    one('', 'Conv', [f([1, 16, 5, 5]), f([16, 1, 3, 3])], { group: 16 }),
    one('', 'Conv', [f([1, 3, 5, 5]), f([16, 3, 3, 3])]),
    one('', 'Gemm', [f([2, 16]), f([16, 16]), f([16])]),
    one('', 'MatMul', [f([2, 3, 16]), f([16, 16])]),
    one('', 'Conv', [f([1, 2, 5, 5]), f([4, 1, 3, 3])], { group: 2 }),
    one('', 'ConvTranspose', [f([1, 2, 5, 5]), f([2, 2, 3, 3])], { group: 2 }),
    one('', 'QLinearConv', [
      u8([1, 1, 5, 5]),
      f([], [0.1]),
      u8([]),
      u8([1, 1, 3, 3]),
      f([], [0.1]),
      u8([]),
      f([], [0.1]),
      u8([]),
      i32([1]),
    ]),
    one('', 'ConvInteger', [u8([1, 1, 5, 5]), u8([1, 1, 3, 3]), u8([]), u8([])]),
    one('', 'MatMulInteger', [u8([2, 3]), u8([3, 4]), u8([]), u8([])]),
    one('', 'SimplifiedLayerNormalization', [f([2, 4]), f([4])]),
    inFunction('SimplifiedLayerNormalization', [f([2, 4]), f([4])]),
    inFunction('LayerNormalization', [f([2, 4]), f([4])]),
    one('', 'EyeLike', [f([3, 4])], { k: 1 }),
    one('', 'LRN', [f([1, 5, 3, 3])], { size: 3 }),
    one(
      '',
      'LSTM',
      [
        f([3, 2, 4]),
        f([1, 12, 4]),
        f([1, 12, 3]),
        f([1, 24]),
        i32([2], [3, 2]),
        f([1, 2, 3]),
        f([1, 2, 3]),
        f([1, 9]),
      ],
      { hidden_size: 3 },
    ),
    one('', 'LSTM', [f([3, 2, 4]), f([2, 12, 4]), f([2, 12, 3]), f([2, 24])], {
      hidden_size: 3,
      direction: 'bidirectional',
    }),
    one('', 'GRU', [f([3, 2, 4]), f([1, 9, 4]), f([1, 9, 3]), f([1, 18]), i32([2], [3, 2]), f([1, 2, 3])], {
      hidden_size: 3,
    }),
    one('', 'RNN', [f([3, 2, 4]), f([1, 3, 4]), f([1, 3, 3]), f([1, 6]), i32([2], [3, 2]), f([1, 2, 3])], {
      hidden_size: 3,
    }),
    one(
      '',
      'RoiAlign',
      [f([1, 2, 6, 6]), f([2, 4], [0, 0, 3, 3, 1, 1, 5, 5]), i64([2], [0, 0])],
      { output_height: 2, output_width: 2 },
      21,
    ),
    one('', 'Gather', [s([3]), i64([2], [0, 1])]),
    one('', 'Unique', [i64([5], [1, 2, 2, 3, 1])]),
    one('', 'DequantizeLinear', [u8([4, 6]), f([2, 6]), u8([2, 6])], { axis: 0, block_size: 2 }),
    one('', 'QuantizeLinear', [f([4, 6]), f([2, 6]), u8([2, 6])], { axis: 0, block_size: 2 }),
    one('', 'BatchNormalization', [f([2, 3, 4]), f([3]), f([3]), f([3]), f([3])]),
    one('', 'InstanceNormalization', [f([2, 3, 4]), f([3]), f([3])]),
    one('', 'GroupNormalization', [f([2, 4, 3]), f([4]), f([4])], { num_groups: 2 }),
    one('', 'ReverseSequence', [f([4, 3]), i64([3], [1, 2, 3])]),
    one('', 'MaxPool', [f([1, 2, 5, 5])], { kernel_shape: [2, 2], strides: [2, 2] }),
    one('', 'ScatterND', [f([4, 3]), i64([2, 1], [0, 2]), f([2, 3])], { reduction: 'add' }),
    one('', 'GatherND', [f([4, 3]), i64([2, 1], [0, 2])]),
    one('', 'GatherND', [f([2, 4, 3]), i64([2, 1], [0, 2])], { batch_dims: 1 }),
    one('', 'TensorScatter', [f([2, 4, 3]), f([2, 1, 3]), i64([2], [0, 1])]),
  ];
}

const INTEGERS = Object.keys(DATATYPES).filter(
  (datatype): datatype is Datatype => DATATYPES[datatype as Datatype].kind === 'integer',
);

/** Values change one operand at a time: the ends of a type meet -1 and 0 where those are the divisors already. */
function divisionCases(): SweepCase[] {
  return INTEGERS.flatMap((datatype) =>
    [-1, 0].flatMap((divisor) =>
      [{ operator: 'Div' }, { operator: 'Mod' }, { operator: 'Mod', fmod: 1 }].map(
        ({ operator, ...attributes }) => ({
          ...one(
            '',
            operator,
            [
              [datatype, [2], [7, 5]],
              [datatype, [2], [divisor, divisor]],
            ],
            attributes,
          ),
          label: [datatype, divisor, ...Object.keys(attributes)].join(' '),
        }),
      ),
    ),
  );
}

/** Products, sums, traces and similar ones. Each letter has its own size, which is changed for all operands at once. */
const EQUATIONS = [
  'ij,jk->ik',
  'ij,kj->ik',
  'ji,jk->ik',
  'bij,bjk->bik',
  'bij,bkj->bik',
  'bji,bjk->bik',
  'bij,jk->bik',
  'bhid,bhjd->bhij',
  'bhij,bhjd->bhid',
  'bihd,bjhd->bhij',
  'abcd,cde->abe',
  'ii->i',
  'ii',
  'bii->bi',
  'bii->b',
  'ij->ji',
  'ij->',
  'ij',
  'ijk->k',
  'i,j->ij',
  'ab,cd->abcd',
  'i,i->',
  'i,i->i',
  'ij,ij->i',
  'ij,j->i',
  'ij,jk',
  '...ij,...jk->...ik',
  '...ij->...ji',
  '...i,...i->...',
  'i...,i...->...',
  '...ii->...i',
  ',i->i',
  'ij,jk,kl->il',
  'i,j,k->ijk',
  'bn,anm,bm->ba',
];

function einsumCases(): SweepCase[] {
  return EQUATIONS.map((equation) => {
    const terms = equation.split('->')[0]?.split(',') ?? [];
    const letters = [...new Set(equation.replace(/[^a-z]/g, ''))].sort();
    const shapes = terms.map((term) =>
      [...term.replace('...', '.')].map((letter) => letters.indexOf(letter) + FIRST_SIZE),
    );
    const inputs = shapes.map((shape) => f(shape));
    return { ...one('', 'Einsum', inputs, { equation }), label: equation };
  });
}

/** The size of the axes that the ellipsis stands for; letters have larger ones. */
const FIRST_SIZE = 3;

/** Products of what is transposed, by the runtime's own operator: the shapes that are multiplied are 2 by 3 and 3 by 4. */
function productCases(): SweepCase[] {
  const flags = ['transA', 'transB', 'transBatchA', 'transBatchB'] as const;
  return Array.from({ length: 2 ** flags.length }, (_, bits) => {
    const set = flags.filter((_, at) => (bits >> at) & 1);
    const shapeOf = (side: 'A' | 'B', batch: number, rows: number, columns: number) => {
      const [first, last] = set.includes(`trans${side}`) ? [columns, rows] : [rows, columns];
      // The batch is the axis before the last where it is transposed.
      return set.includes(`transBatch${side}`) ? [first, batch, last] : [batch, first, last];
    };
    const inputs = [f(shapeOf('A', 5, 2, 3)), f(shapeOf('B', 5, 3, 4))];
    const attributes = Object.fromEntries(set.map((flag) => [flag, 1]));
    return { ...one(MICROSOFT, 'FusedMatMul', inputs, attributes), label: set.join(' ') };
  });
}

function machineLearningCases(): SweepCase[] {
  const trees = {
    nodes_treeids: [0, 0, 0],
    nodes_nodeids: [0, 1, 2],
    nodes_featureids: [1, 0, 0],
    nodes_modes: ['BRANCH_LEQ', 'LEAF', 'LEAF'],
    nodes_values: { floats: [0.5, 0, 0] },
    nodes_truenodeids: [1, 0, 0],
    nodes_falsenodeids: [2, 0, 0],
  };
  const labels = { classlabels_ints: [0, 1] };
  const svm = {
    kernel_type: 'RBF',
    kernel_params: { floats: [0.5, 0, 3] },
    coefficients: { floats: [1, -1, 0.5, 0.25] },
    rho: { floats: [0.1] },
  };
  return [
    one(ML, 'CategoryMapper', [s([3])], { cats_strings: ['a', 'b'], cats_int64s: [1, 2], default_int64: 7 }),
    one(ML, 'CategoryMapper', [i64([3])], {
      cats_strings: ['a', 'b'],
      cats_int64s: [1, 2],
      default_string: 'x',
    }),
    one(ML, 'FeatureVectorizer', [f([2, 3]), f([2, 2])], { inputdimensions: [3, 2] }),
    one(ML, 'Imputer', [f([2, 3])], {
      imputed_value_floats: { floats: [1, 2, 3] },
      replaced_value_float: { float: Number.NaN },
    }),
    one(ML, 'Imputer', [i64([2, 3])], { imputed_value_int64s: [7], replaced_value_int64: 0 }),
    one(
      ML,
      'LinearClassifier',
      [f([2, 3])],
      {
        coefficients: { floats: [1, 2, 3, 4, 5, 6] },
        intercepts: { floats: [1, 2] },
        ...labels,
        post_transform: 'SOFTMAX',
      },
      undefined,
      2,
    ),
    one(ML, 'LinearRegressor', [f([2, 3])], {
      coefficients: { floats: [1, 2, 3] },
      intercepts: { floats: [1] },
      targets: 1,
    }),
    ...['MAX', 'L1', 'L2'].map((norm) => one(ML, 'Normalizer', [f([2, 3])], { norm })),
    one(ML, 'OneHotEncoder', [i64([3])], { cats_int64s: [0, 1, 2] }),
    one(ML, 'OneHotEncoder', [s([3])], { cats_strings: ['a', 'b'], zeros: 1 }),
    one(ML, 'Scaler', [f([2, 3])], { offset: { floats: [1, 2, 3] }, scale: { floats: [1, 2, 3] } }),
    one(ML, 'SVMRegressor', [f([2, 2])], {
      ...svm,
      support_vectors: { floats: [1, 2, 3, 4, 5, 6, 7, 8] },
      n_supports: 4,
    }),
    one(ML, 'SVMRegressor', [f([2, 2])], {
      kernel_type: 'LINEAR',
      kernel_params: { floats: [0, 0, 0] },
      coefficients: { floats: [1, 2] },
      rho: { floats: [0.1] },
      n_supports: 0,
    }),
    one(
      ML,
      'SVMClassifier',
      [f([2, 2])],
      { ...svm, support_vectors: { floats: [1, 2, 3, 4, 5, 6, 7, 8] }, vectors_per_class: [2, 2], ...labels },
      undefined,
      2,
    ),
    one(ML, 'TreeEnsembleRegressor', [f([2, 3])], {
      ...trees,
      n_targets: 1,
      target_ids: [0, 0],
      target_nodeids: [1, 2],
      target_treeids: [0, 0],
      target_weights: { floats: [1, 2] },
    }),
    one(
      ML,
      'TreeEnsembleClassifier',
      [f([2, 3])],
      {
        ...trees,
        class_ids: [0, 1],
        class_nodeids: [1, 2],
        class_treeids: [0, 0],
        class_weights: { floats: [1, 1] },
        classlabels_int64s: [0, 1],
      },
      undefined,
      2,
    ),
    one(ML, 'LabelEncoder', [f([3])], { keys_floats: { floats: [1, 2] }, values_strings: ['a', 'b'] }),
    one(ML, 'LabelEncoder', [i64([3])], { keys_int64s: [1, 2], values_floats: { floats: [1, 2] } }),
    one(ML, 'Binarizer', [f([2, 3])], { threshold: { float: 0.5 } }),
    one(ML, 'ArrayFeatureExtractor', [f([2, 3]), i64([2], [0, 2])]),
    one(ML, 'ArrayFeatureExtractor', [s([3]), i64([1], [1])]),
  ];
}

function contributedCases(): SweepCase[] {
  const own = (
    operator: string,
    inputs: readonly Input[],
    attributes: Record<string, Attribute> = {},
    outputs = 1,
  ) => one(MICROSOFT, operator, inputs, attributes, undefined, outputs);
  return [
    own('BiasGelu', [f([2, 4]), f([4])]),
    own('FastGelu', [f([2, 4]), f([4])]),
    own('Gelu', [f([2, 4])]),
    own('QuickGelu', [f([2, 4])]),
    own('BifurcationDetector', [i64([4]), i64([3]), i64([], [1]), i64([2])], {}, 2),
    own('CDist', [f([2, 4]), f([3, 4])], { metric: 'euclidean' }),
    own('CDist', [f([2, 4]), f([3, 4])], { metric: 'sqeuclidean' }),
    own('ConvTransposeWithDynamicPads', [f([1, 1, 3, 3]), f([1, 1, 3, 3]), i64([4], [1, 1, 1, 1])]),
    own('CropAndResize', [
      f([1, 1, 5, 5]),
      f([2, 4], [0, 0, 1, 1, 0, 0, 0.5, 0.5]),
      i32([2], [0, 0]),
      i32([2], [3, 3]),
    ]),
    own('DynamicTimeWarping', [f([3, 4])]),
    own(
      'EmbedLayerNormalization',
      [
        i32([2, 3], [0, 1, 2, 0, 1, 2]),
        i32([2, 3]),
        f([5, 4]),
        f([6, 4]),
        f([2, 4]),
        f([4]),
        f([4]),
        i32([2, 3]),
      ],
      {},
      2,
    ),
    own(
      'EmbedLayerNormalization',
      [i32([2, 3], [0, 1, 2, 0, 1, 2]), undefined, f([5, 4]), f([6, 4]), undefined, f([4]), f([4])],
      {},
      2,
    ),
    own(
      'QEmbedLayerNormalization',
      [
        i32([2, 3]),
        i32([2, 3]),
        u8([5, 4]),
        u8([6, 4]),
        u8([2, 4]),
        u8([4]),
        u8([4]),
        i32([2, 3]),
        f([], [0.1]),
        f([], [0.1]),
        f([], [0.1]),
        f([], [0.1]),
        f([], [0.1]),
        u8([]),
        u8([]),
        u8([]),
        u8([]),
        u8([]),
      ],
      {},
      2,
    ),
    own('ExpandDims', [f([2, 3]), i32([], [1])]),
    own('FusedConv', [f([1, 1, 5, 5]), f([1, 1, 3, 3]), f([1])], { activation: 'Relu' }),
    own('FusedGemm', [f([2, 3]), f([3, 4]), f([4])], { activation: 'Relu' }),
    own('FusedMatMul', [f([2, 3]), f([3, 4])], { alpha: { float: 0.5 } }),
    own('FusedMatMul', [f([2, 2, 3]), f([2, 4, 3])], { transB: 1 }),
    own('FusedMatMul', [f([2, 3, 2]), f([2, 3, 4])], { transA: 1 }),
    own('FusedMatMul', [f([3, 2, 2]), f([2, 3, 4])], { transBatchA: 1 }),
    own('TransposeMatMul', [f([2, 3]), f([3, 4])]),
    own('GatherND', [f([4, 3]), i64([2, 1], [0, 2])]),
    own('Inverse', [f([2, 2], [1, 2, 3, 5])]),
    own('MaxpoolWithMask', [f([1, 1, 4, 4]), i32([1, 1, 4, 4])], { kernel_shape: [2, 2] }),
    own('MurmurHash3', [i32([3])]),
    own('MurmurHash3', [s([3])]),
    own('NGramRepeatBlock', [i64([2, 5]), f([2, 8])], { ngram_size: 2 }),
    own('Pad', [f([3, 4]), i64([4], [1, 1, 1, 1]), f([], [0])]),
    own('Range', [f([], [0]), f([], [5]), f([], [1])]),
    own('Range', [i64([], [0]), i64([], [5]), i64([], [1])]),
    own('SampleOp', [f([2, 3])]),
    own('SkipLayerNormalization', [f([2, 3, 4]), f([2, 3, 4]), f([4]), f([4]), f([4])]),
    own('SkipSimplifiedLayerNormalization', [f([2, 3, 4]), f([2, 3, 4]), f([4]), f([4])]),
    own('Tokenizer', [s([2])], { mark: 1, pad_value: '#', separators: [' '], mincharnum: 1 }),
    own('Tokenizer', [s([2])], { mark: 0, pad_value: '#', tokenexp: '[a-z]+', mincharnum: 1 }),
    own('Tokenizer', [s([2])], { mark: 0, pad_value: '#', separators: [''], mincharnum: 1 }),
    own('Trilu', [f([3, 3]), i64([], [1])]),
    own('Unique', [f([5])], {}, 3),
    own('WordConvEmbedding', [i32([2, 6]), f([10, 4]), f([3, 1, 2, 4]), f([3])], {
      embedding_size: 4,
      conv_window_size: 2,
      char_embedding_size: 4,
    }),
    own(
      'AttnLSTM',
      [
        f([3, 2, 4]),
        f([1, 12, 7]),
        f([1, 12, 3]),
        f([1, 24]),
        undefined,
        undefined,
        undefined,
        undefined,
        f([1, 3, 5]),
        f([1, 3, 5]),
        f([1, 5]),
        f([2, 3, 3]),
        i32([2], [3, 3]),
        f([1, 6, 3]),
      ],
      { hidden_size: 3 },
    ),
    own('UnfoldTensor', [f([2, 8])], { size: 3, step: 2 }),
    own('CausalConvWithState', [f([1, 2, 5]), f([2, 1, 3]), f([2]), f([1, 2, 2])], {}, 2),
    own('GridSample', [f([1, 1, 4, 4]), f([1, 2, 2, 2])]),
    own('MatMulNBits', [f([2, 32]), u8([4, 1, 16]), f([4])], { K: 32, N: 4, bits: 4, block_size: 32 }),
    own('MatMulNBits', [f([2, 32]), u8([4, 1, 16]), f([4]), u8([4]), i32([32])], {
      K: 32,
      N: 4,
      bits: 4,
      block_size: 32,
    }),
    own('MatMulNBits', [f([2, 32]), u8([4, 1, 32]), f([4]), u8([4])], {
      K: 32,
      N: 4,
      bits: 8,
      block_size: 32,
    }),
    own('MatMulBnb4', [f([2, 16]), u8([32]), f([4])], { K: 16, N: 4, block_size: 16, quant_type: 1 }),
    own('MatMulFpQ4', [f([2, 32]), u8([80]), i64([2], [32, 4])], { blk_quant_type: 1 }),
    own('GatherBlockQuantized', [u8([4, 8]), i64([2], [0, 3]), f([4, 1])], {
      gather_axis: 0,
      quantize_axis: 1,
      block_size: 16,
      bits: 4,
    }),
    own('GatherBlockQuantized', [u8([4, 16]), i64([2], [0, 3]), f([4, 1]), u8([4, 1])], {
      gather_axis: 0,
      quantize_axis: 1,
      block_size: 16,
      bits: 8,
    }),
    own('MoE', [f([2, 4]), f([2, 3]), f([3, 8, 4]), f([3, 8]), f([3, 4, 8]), f([3, 4])], {
      k: 1,
      activation_type: 'relu',
    }),
    own(
      'QMoE',
      [f([2, 32]), f([2, 3]), u8([3, 32, 16]), f([3, 32]), undefined, u8([3, 32, 16]), f([3, 32])],
      { k: 1, activation_type: 'relu', expert_weight_bits: 4 },
    ),
    own(
      'DynamicQuantizeLSTM',
      [
        f([3, 2, 4]),
        u8([1, 4, 12]),
        u8([1, 3, 12]),
        f([1, 24]),
        undefined,
        undefined,
        undefined,
        undefined,
        f([1]),
        u8([1]),
        f([1]),
        u8([1]),
      ],
      { hidden_size: 3 },
    ),
    own(
      'LinearAttention',
      [f([1, 3, 8]), f([1, 3, 8]), f([1, 3, 8]), f([1, 2, 4, 4])],
      { q_num_heads: 2, kv_num_heads: 2, update_rule: 'linear' },
      2,
    ),
  ];
}

function quantizedCases(): SweepCase[] {
  const own = (operator: string, inputs: readonly Input[], attributes: Record<string, Attribute> = {}) =>
    one(MICROSOFT, operator, inputs, attributes);
  const scale = f([], [0.1]);
  const zero = u8([]);
  return [
    own('QuantizeLinear', [f([2, 3]), scale, zero]),
    own('DequantizeLinear', [u8([2, 3]), scale, zero]),
    own('QuantizeLinear', [f([2, 3]), f([3], [0.1, 0.2, 0.3]), u8([3])], { axis: 1 }),
    own('DynamicQuantizeMatMul', [f([2, 3]), u8([3, 4]), scale, zero, f([4])]),
    own('MatMulInteger16', [
      ['INT16', [2, 3]],
      ['INT16', [3, 4]],
    ]),
    own('MatMulIntegerToFloat', [u8([2, 3]), u8([3, 4]), scale, scale, zero, zero, f([4])]),
    ...['QLinearAdd', 'QLinearMul'].map((operator) =>
      own(operator, [u8([2, 3]), scale, zero, u8([2, 3]), scale, zero, scale, zero]),
    ),
    own('QLinearAveragePool', [u8([1, 2, 4, 4]), scale, zero, scale, zero], { kernel_shape: [2, 2] }),
    own('QLinearAveragePool', [u8([1, 4, 4, 2]), scale, zero, scale, zero], {
      kernel_shape: [2, 2],
      channels_last: 1,
    }),
    own('QLinearGlobalAveragePool', [u8([1, 2, 4, 4]), scale, zero, scale, zero]),
    own('QLinearGlobalAveragePool', [u8([1, 4, 4, 2]), scale, zero, scale, zero], { channels_last: 1 }),
    own('QLinearConcat', [scale, zero, u8([2, 3]), scale, zero, u8([2, 3]), scale, zero], { axis: 0 }),
    own(
      'QLinearConv',
      [u8([1, 5, 5, 1]), scale, zero, u8([1, 1, 3, 3]), scale, zero, scale, zero, i32([1])],
      { channels_last: 1 },
    ),
    own('QLinearLeakyRelu', [u8([2, 3]), scale, zero, scale, zero]),
    own('QLinearSigmoid', [u8([2, 3]), scale, zero, scale, zero]),
    own('QLinearSoftmax', [u8([2, 3]), scale, zero, scale, zero], { axis: 1, opset: 13 }),
    own('QLinearReduceMean', [u8([2, 3]), scale, zero, scale, zero], { axes: [1], keepdims: 1 }),
    own('QLinearWhere', [['BOOL', [2, 3]], u8([2, 3]), scale, zero, u8([2, 3]), scale, zero, scale, zero]),
    own('QGemm', [u8([2, 3]), scale, zero, u8([3, 4]), scale, zero, i32([4]), scale, zero]),
    own('NhwcMaxPool', [u8([1, 4, 4, 2])], { kernel_shape: [2, 2] }),
    own('QAttention', [u8([2, 3, 4]), u8([4, 12]), f([12]), scale, scale, i32([2], [3, 3]), zero, zero], {
      num_heads: 2,
    }),
  ];
}

function attentionCases(): SweepCase[] {
  const own = (
    operator: string,
    inputs: readonly Input[],
    attributes: Record<string, Attribute> = {},
    outputs = 1,
  ) => one(MICROSOFT, operator, inputs, attributes, undefined, outputs);
  const heads = { num_heads: 2 };
  return [
    own('Attention', [f([2, 3, 4]), f([4, 12]), f([12]), i32([2], [3, 3])], heads),
    own('Attention', [f([2, 3, 4]), f([4, 12]), f([12]), i32([2, 3])], heads),
    own('Attention', [f([2, 3, 4]), f([4, 12]), f([12])], { ...heads, unidirectional: 1 }),
    own('Attention', [f([2, 3, 4]), f([4, 12]), f([12]), i32([2, 5]), f([2, 2, 2, 2, 2])], heads, 2),
    own('Attention', [f([2, 3, 4]), f([4, 12]), f([12]), undefined, undefined, f([2, 2, 3, 3])], heads),
    own('MultiHeadAttention', [f([2, 3, 4]), f([2, 3, 4]), f([2, 3, 4]), f([12]), i32([2], [3, 3])], heads),
    own(
      'MultiHeadAttention',
      [f([2, 3, 4]), f([2, 3, 4]), f([2, 3, 4]), f([12]), i32([2, 3]), f([2, 2, 3, 3])],
      heads,
    ),
    own('MultiHeadAttention', [f([2, 3, 2, 3, 2])], heads),
    own('MultiHeadAttention', [f([2, 3, 4]), f([2, 5, 2, 2, 2])], heads),
    own(
      'MultiHeadAttention',
      [
        f([2, 1, 4]),
        f([2, 1, 4]),
        f([2, 1, 4]),
        undefined,
        undefined,
        undefined,
        f([2, 2, 3, 2]),
        f([2, 2, 3, 2]),
      ],
      heads,
      3,
    ),
    own(
      'DecoderMaskedMultiHeadAttention',
      [
        f([2, 1, 4]),
        f([2, 1, 4]),
        f([2, 1, 4]),
        i32([2, 4]),
        undefined,
        f([2, 2, 4, 2]),
        f([2, 2, 4, 2]),
        i32([1], [3]),
      ],
      { ...heads, past_present_share_buffer: 1 },
      3,
    ),
    own(
      'GroupQueryAttention',
      [
        f([1, 3, 32]),
        f([1, 3, 16]),
        f([1, 3, 16]),
        f([1, 1, 0, 16]),
        f([1, 1, 0, 16]),
        i32([1], [2]),
        i32([], [3]),
      ],
      { num_heads: 2, kv_num_heads: 1 },
      3,
    ),
    own(
      'GroupQueryAttention',
      [
        f([1, 1, 32]),
        f([1, 1, 16]),
        f([1, 1, 16]),
        f([1, 1, 3, 16]),
        f([1, 1, 3, 16]),
        i32([1], [3]),
        i32([], [4]),
        f([8, 8]),
        f([8, 8]),
      ],
      { num_heads: 2, kv_num_heads: 1, do_rotary: 1 },
      3,
    ),
    own(
      'GroupQueryAttention',
      [f([1, 1, 64]), undefined, undefined, f([1, 1, 3, 16]), f([1, 1, 3, 16]), i32([1], [3]), i32([], [4])],
      { num_heads: 2, kv_num_heads: 1, local_window_size: 2 },
      3,
    ),
    own(
      'SparseAttention',
      [
        f([1, 3, 32]),
        f([1, 3, 16]),
        f([1, 3, 16]),
        f([1, 1, 16, 16]),
        f([1, 1, 16, 16]),
        i32([1, 2], [0, 1]),
        i32([1, 1], [0]),
        i32([1], [3]),
        i32([1], [3]),
      ],
      { num_heads: 2, kv_num_heads: 1, sparse_block_size: 16 },
      3,
    ),
    own('RotaryEmbedding', [f([1, 3, 16]), i64([1, 3], [0, 1, 2]), f([8, 4]), f([8, 4])], {
      num_heads: 2,
      rotary_embedding_dim: 8,
    }),
    own('RotaryEmbedding', [f([1, 2, 3, 8]), i64([1], [0]), f([8, 4]), f([8, 4])]),
  ];
}

/** A case of one node. */
function one(
  domain: string,
  operator: string,
  inputs: readonly Input[],
  attributes: Record<string, Attribute> = {},
  opset: number = OPSETS[''],
  outputs = 1,
): SweepCase {
  const named = inputs.map((input, i) => ({ name: input ? `in${i}` : '', input }));
  const results = Array.from({ length: outputs }, (_, i) => `out${i}`);
  const nodes = [
    buildNode(
      operator,
      named.map(({ name }) => name),
      results,
      { domain, attributes: encodeAttributes(attributes) },
    ),
  ];
  return toCase(operator, domain, nodes, named, results, opset);
}

/** A case on a sequence: tensors that are made into one, an operator, and `last`, which makes a tensor of what it gives. */
function chain(
  operator: string,
  parts: readonly Input[],
  more: readonly Input[],
  last?: string,
  attributes: Record<string, Attribute> = {},
): SweepCase {
  const members = parts.map((input, i) => ({ name: `part${i}`, input }));
  const others = more.map((input, i) => ({ name: `in${i}`, input }));
  const nodes = [
    buildNode(
      'SequenceConstruct',
      members.map(({ name }) => name),
      ['sequence'],
    ),
    buildNode(operator, ['sequence', ...others.map(({ name }) => name)], [last ? 'changed' : 'out0'], {
      attributes: encodeAttributes(attributes),
    }),
    ...(last ? [buildNode(last, ['changed'], ['out0'])] : []),
  ];
  return toCase(operator, '', nodes, [...members, ...others], ['out0'], OPSETS['']);
}

/** A case of one node, which a function of the file holds. */
function inFunction(operator: string, inputs: readonly Input[]): SweepCase {
  const names = inputs.map((_, i) => `in${i}`);
  const named = inputs.map((input, i) => ({ name: `in${i}`, input }));
  const inside = buildFunction({
    name: 'Inside',
    inputs: names,
    outputs: ['out0'],
    nodes: [buildNode(operator, names, ['out0'])],
    opsets: { '': OPSETS[''] },
  });
  const nodes = [buildNode('Inside', names, ['out0'], { domain: 'local' })];
  return { ...toCase(operator, '', nodes, named, ['out0'], OPSETS[''], [inside]), label: 'in a function' };
}

function toCase(
  operator: string,
  domain: string,
  nodes: readonly Uint8Array[],
  named: readonly { readonly name: string; readonly input: Input }[],
  results: readonly string[],
  opset: number,
  functions: readonly Uint8Array[] = [],
): SweepCase {
  const given = named.flatMap(({ name, input }) => (input ? [{ name, input }] : []));
  const model = buildModel({
    nodes,
    inputs: given.map(({ name, input: [datatype] }) => tensorValue(name, DATATYPES[datatype].code)),
    outputs: results.map(untypedValue),
    opsets: { ...OPSETS, '': opset, ...(functions.length > 0 && { local: 1 }) },
    functions,
  });
  const feeds = new Map(given.map(({ name, input }) => [name, toTensor(input)]));
  const described = describeCase(`extra_${operator}`, model, readOpenInputs(model), feeds);
  return { ...described, operator, domain };
}

function toTensor([datatype, shape, values]: readonly [
  Datatype,
  readonly number[],
  (readonly number[] | undefined)?,
]): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  const isWhole = DATATYPES[datatype].kind !== 'float';
  const numbers = Array.from({ length }, (_, i) => {
    const value = values?.[i];
    return typeof value === 'number' ? value : isWhole ? i % 2 : ((i % 7) + 1) / 4;
  });
  if (datatype === 'BYTES')
    return { datatype, shape, data: numbers.map((_, i) => ['a', 'b', 'a b'][i % 3] ?? '') };
  return { datatype, shape, data: DATATYPES[datatype].fromNumbers(numbers) };
}

function encodeAttributes(attributes: Record<string, Attribute>): Uint8Array[] {
  return Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'number') return integerAttribute(name, value);
    if (typeof value === 'string') return textAttribute(name, value);
    if ('float' in value) return floatAttribute(name, value.float);
    if ('floats' in value) return floatsAttribute(name, value.floats);
    const texts = value.filter((entry) => typeof entry === 'string');
    if (texts.length > 0) return stringsAttribute(name, texts);
    return integersAttribute(
      name,
      value.map((entry) => BigInt(entry)),
    );
  });
}

function f(shape: readonly number[], values?: readonly number[]): Input {
  return ['FP32', shape, values];
}
function i64(shape: readonly number[], values?: readonly number[]): Input {
  return ['INT64', shape, values];
}
function i32(shape: readonly number[], values?: readonly number[]): Input {
  return ['INT32', shape, values];
}
function u8(shape: readonly number[]): Input {
  return ['UINT8', shape];
}
function s(shape: readonly number[]): Input {
  return ['BYTES', shape];
}
