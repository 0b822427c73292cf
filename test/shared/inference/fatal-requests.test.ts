import { describe, expect, it } from 'vitest';
import type { NamedTensors } from '../../../shared/runtime/session.ts';
import { DATATYPES } from '../../../shared/tensor/datatype.ts';
import { createTensor, elementCount, type Tensor } from '../../../shared/tensor/tensor.ts';
import { FATAL_MODELS, type FatalModel } from '../../sweep/fatal-models.ts';
import { NEIGHBOURS } from './fatal-neighbours.ts';
import { CANNOT_COMPUTE, type Outcome, requestInChild } from './request-in-child.ts';
import { GROWING_MODELS, SIZED_MODELS } from './sized-models.ts';

const nameOf = ({ operator, cause }: FatalModel) => `${operator}, ${cause}`;

const unguarded = (operator: string) =>
  `its com.microsoft.${operator} ends the process on some inputs, and has no guard`;

/** Models that are fatal with every request. */
const REFUSED: Readonly<Record<string, string>> = {
  'CropAndResize, a picture of three axes': unguarded('CropAndResize'),
  'QLinearAveragePool, a picture smaller than the kernel': unguarded('QLinearAveragePool'),
  'DecoderMaskedMultiHeadAttention, no past': unguarded('DecoderMaskedMultiHeadAttention'),
  'Attention, a bias left out': 'its com.microsoft.Attention omits its input 2, which ends the process',
  'QGemm, a zero point of the output without its scale':
    'its com.microsoft.QGemm omits its input 7, which ends the process',
  'Max, an input left out': 'its Max omits its input 1, which ends the process',
  'Mean, an input left out': 'its Mean omits its input 1, which ends the process',
  'Min, an input left out': 'its Min omits its input 1, which ends the process',
  'Sum, an input left out': 'its Sum omits its input 1, which ends the process',
  'AttnLSTM, queries left out': 'its com.microsoft.AttnLSTM omits its input 8, which ends the process',
  'AttnLSTM, keys left out': 'its com.microsoft.AttnLSTM omits its input 9, which ends the process',
  'QLinearConcat, a zero point left out':
    'its com.microsoft.QLinearConcat omits its input 4, which ends the process',
  'QMoE, scales left out of the first filters':
    'its com.microsoft.QMoE omits its input 3, which ends the process',
  'QMoE, scales left out of the second filters':
    'its com.microsoft.QMoE omits its input 6, which ends the process',
  'SimplifiedLayerNormalization, a function around it':
    'its SimplifiedLayerNormalization is in a function or a loop, so it was tried in a separate process, which was ended by SIGSEGV',
  'RandomNormal, a scale of 0': 'its RandomNormal has no usable scale',
  'RandomNormalLike, a scale of 0': 'its RandomNormalLike has no usable scale',
  'RandomUniform, an empty range': 'its RandomUniform has no usable low and high',
  'RandomUniformLike, an empty range': 'its RandomUniformLike has no usable low and high',
  'BatchNormalization, a training mode of 7': 'its BatchNormalization has no usable training_mode',
  'Attention, a mode of -1': 'its Attention has no usable qk_matmul_output_mode',
  'Attention, 2^32 heads': 'its Attention has no usable q_num_heads',
  'Attention, 2^31 - 1 heads of no size': 'its com.microsoft.Attention has no usable num_heads',
  'GroupQueryAttention, 2^32 heads of keys':
    'its com.microsoft.GroupQueryAttention has no usable kv_num_heads',
  'RoiAlign, 2^62 samples': 'its RoiAlign has no usable sampling_ratio',
  'SparseAttention, 2^32 heads': 'its com.microsoft.SparseAttention has no usable num_heads',
  'GatherND, a batch of -1 axes': 'its GatherND has no usable batch_dims',
  'Split, no parts': 'its Split has no usable num_outputs',
  'DequantizeLinear, blocks of 2^63 - 1': 'its DequantizeLinear has no usable block_size',
  'FeatureVectorizer, a dimension of -1': 'its ai.onnx.ml.FeatureVectorizer has no usable inputdimensions',
  'TfIdfVectorizer, fewer indices than n-grams': 'its TfIdfVectorizer has no usable ngram_indexes',
  'TfIdfVectorizer, 2^31 - 1 words that are skipped': 'its TfIdfVectorizer has no usable max_skip_count',
  'AveragePool, a window of no end': 'its AveragePool has no usable kernel_shape',
  'LpPool, a window of no end': 'its LpPool has no usable kernel_shape',
  'ConvTransposeWithDynamicPads, pads left out':
    'its com.microsoft.ConvTransposeWithDynamicPads omits its input 2, which ends the process',
};

/** Models whose right answer is computed in the graph. */
const ANSWERED: Readonly<Record<string, readonly string[]>> = {
  'TopK, no rows': ['y FP32 [0,1] ', 'i INT64 [0,1] '],
  'LayerNormalization, a bias left out': ['y FP32 [1,1] 00000000'],
  // As numpy gives them: the quotient wraps around.
  'Div, the smallest int32 and -1': ['y INT32 [1] 00000080'],
  'Div, the smallest int64 and -1': ['y INT64 [1] 0000000000000080'],
  'Div, a converted number that is too large, and a constant': ['y INT32 [1] 00000080'],
  'Div, the smallest int32 and -1 in the file': ['y INT32 [1] 00000080'],
  'Mod, the smallest int32 and -1': ['y INT32 [1] 00000000'],
  'Mod, the smallest int64 and -1': ['y INT64 [1] 0000000000000000'],
  'Mod, a converted number that is too large, and a constant': ['y INT32 [1] 00000000'],
  'Mod, the smallest int32 and -1 in the file': ['y INT32 [1] 00000000'],
};

const TOO_MANY: Outcome = {
  kind: 'refused',
  name: 'InferenceError',
  message: 'The model would make more elements of these inputs than this host has room for.',
  code: 'PAYLOAD_TOO_LARGE',
};

const integers = (shape: readonly number[], ...values: readonly number[]) =>
  createTensor('INT64', shape, values);
const floats = (shape: readonly number[], ...values: readonly number[]) =>
  createTensor('FP32', shape, values);

const whole = (shape: readonly number[], ...values: readonly number[]) =>
  createTensor('INT32', shape, values);
/** All signs and the ends of the types, with one divisor for all, and with one for each. */
const PAIRS_OF_INT32 = {
  a: whole([8], -(2 ** 31), 2 ** 31 - 1, -7, 0, 7, -(2 ** 31) + 1, 1, -1),
  b: whole([1], -2),
};
const PAIRS_OF_INT64 = {
  a: integers([6], -(2 ** 53), -(2 ** 63), 7, -1, -(2 ** 63), 5),
  b: integers([6], -1, 3, -1, -(2 ** 40), 1, -(2 ** 63)),
};

/** What is sent to each model to get an ordinary answer: shapes to fill, or whole tensors. */
const ORDINARY: Readonly<Record<string, Readonly<Record<string, readonly number[] | Tensor>>>> = {
  'TopK, no rows': { x: [3, 4] },
  'LSTM, no sequences': { x: [3, 2, 2] },
  'GRU, no sequences': { x: [3, 2, 2] },
  'GRU, no steps': { x: [3, 2, 2] },
  'ConvTranspose, an axis of no size': { x: [2, 1, 5] },
  'InstanceNormalization, an axis of no size': { x: [2, 1, 5] },
  'DFT, a transformed axis of no size': { x: [2, 5, 1] },
  'DFT, a transformed axis of one element, back to real numbers': { x: [1, 3, 2] },
  'STFT, frames of no length': { signal: [1, 8, 1], step: integers([], 2), length: integers([], 4) },
  'Attention, no heads': { q: [1, 2, 3, 4], k: [1, 2, 5, 4], v: [1, 2, 5, 4] },
  'QuantizeLinear, no blocks': { x: [4, 2], scale: [2, 2] },
  'Unique, rows of no size': { x: [3, 2] },
  'RoiAlign, a picture of no height': { x: [1, 1, 4, 4] },
  'RoiAlign, a region of 2^62 rows': { x: [1, 1, 4, 4], rois: floats([1, 4], 0.5, 0, 3, 2) },
  ...Object.fromEntries(
    ['Div', 'Mod'].flatMap((operator) => [
      [`${operator}, the smallest int32 and -1`, PAIRS_OF_INT32],
      [`${operator}, the smallest int64 and -1`, PAIRS_OF_INT64],
      [
        `${operator}, a converted number that is too large, and a constant`,
        { x: floats([4], -5.5, 0, 7, 1e9) },
      ],
    ]),
  ),
  'SkipLayerNormalization, nothing that is added': { x: [1, 2, 1], skip: [1, 2, 1] },
  'SkipSimplifiedLayerNormalization, nothing that is added': { x: [1, 2, 1], skip: [1, 2, 1] },
  'MultiHeadAttention, values of no size': { v: [1, 1, 1] },
  'QAttention, no texts': { x: [3, 1, 2] },
  'Inverse, a matrix that is not square': { x: floats([2, 2], 1, 2, 3, 5) },
  'Einsum, products of empty matrices': { a: [2, 3, 4], b: [2, 5, 4] },
  'Scan, nothing along the second axis': { x: [2, 3] },
  'Scan, nothing given along the second axis': { x: [2, 3] },
  'FusedMatMul, empty matrices': { a: [3, 2, 4], b: [2, 4, 5] },
  'FeatureVectorizer, no rows': { a: [2, 1], b: [2, 1] },
  'Resize, a thousand scales': { x: [1, 1, 3, 3], scales: floats([4], 1, 1, 2, 2) },
  'Conv, a kernel of no size, sent by a client': { x: [1, 1, 5, 5], w: [2, 1, 3, 3] },
  'FusedConv, a kernel of no size, sent by a client': { x: [1, 1, 5, 5], w: [2, 1, 3, 3] },
  'ConcatFromSequence, an empty vector with a matrix': { a: [2, 3], b: [2, 1] },
  'QLinearConcat, an empty vector with a matrix': { a: [2, 3], b: [1, 3] },
  "QLinearConv, a scalar, in the runtime's own operator": { x: [1, 3, 3, 1] },
  'DynamicQuantizeLSTM, two axes': { x: [3, 2, 2] },
  'DynamicQuantizeLSTM, no sequences': { x: [3, 2, 2] },
  ...Object.fromEntries(
    [1, 3].map((count) => [
      `GroupQueryAttention, cosines of ${count} axes`,
      { q: [1, 1, 16], cosines: [8, 8], sines: [8, 8] },
    ]),
  ),
  ...Object.fromEntries(
    ['Upsample 7', 'Upsample 9', 'Resize 10'].map((name) => {
      const [operator, opset] = name.split(' ');
      return [`${operator}, fewer scales than axes, in operator set ${opset}`, { x: [1, 1, 3, 2] }];
    }),
  ),
  'Concat, an empty vector with a matrix': { a: [2, 3], b: [2, 0] },
  'AffineGrid, a scalar size': { size: integers([4], 1, 1, 3, 2) },
  'Conv, scalars': { x: [1, 2, 5], w: [3, 2, 3] },
  'ConvInteger, a scalar': { x: [1, 1, 3, 3] },
  'QLinearConv, a scalar': { x: [1, 1, 3, 3] },
  'MaxRoiPool, a picture of three axes': { x: [1, 1, 3, 3] },
  'RoiAlign, a picture of three axes': { x: [1, 1, 3, 3] },
  'LSTM, two axes': { x: [3, 2, 2] },
  'Einsum, fewer axes than in the equation': { a: [5, 2, 3] },
  'GridSample, scalars': { x: [1, 1, 3, 3], grid: [1, 2, 2, 2] },
  'ReverseSequence, a vector': { x: [3, 1] },
  'RNN, two axes': { x: [3, 2, 2] },
  'STFT, a scalar signal': { signal: [1, 8, 1], step: integers([], 2), length: integers([], 4) },
  'Upsample, a thousand scales': { scales: floats([4], 1, 1, 2, 2) },
  'Attention, a scalar as the keys of the past': { pastKey: [1, 1, 1, 1] },
};

function fill(tensor: Tensor, shape: readonly number[]): Tensor {
  const data = DATATYPES[tensor.datatype].allocate(elementCount(shape));
  const isFloat = DATATYPES[tensor.datatype].kind === 'float';
  const values = Array.from({ length: elementCount(shape) }, (_, at) =>
    isFloat ? Math.sin(at + 1) : at % 7,
  );
  return data instanceof Float32Array || data instanceof Uint8Array
    ? createTensor(tensor.datatype, shape, values)
    : { ...tensor, shape, data };
}

function ordinaryFeeds(fatal: FatalModel): NamedTensors | undefined {
  const changes = ORDINARY[nameOf(fatal)];
  if (!changes) return undefined;
  return new Map(
    [...fatal.feeds].map(([name, tensor]) => {
      const change = changes[name];
      if (!change) return [name, tensor];
      return [name, 'datatype' in change ? change : fill(tensor, change)];
    }),
  );
}

describe('a request that would end the process', async () => {
  const outcomes = await requestInChild(FATAL_MODELS);

  it.each(FATAL_MODELS.map((fatal, index) => [nameOf(fatal), outcomes[index]] as const))(
    'does not: %s',
    (name, outcome) => {
      const reason = REFUSED[name];
      const tensors = ANSWERED[name];
      if (reason) expect(outcome).toEqual({ kind: 'refused', name: 'ModelError', message: reason });
      else expect(outcome).toEqual(tensors ? { kind: 'answered', tensors } : CANNOT_COMPUTE);
    },
  );
});

describe('a neighbour of such a request', async () => {
  const outcomes = await requestInChild([
    ...NEIGHBOURS,
    ...NEIGHBOURS.map(({ model, ordinary }) => ({ model, feeds: ordinary, isCompared: true })),
  ]);

  it.each(
    NEIGHBOURS.map(
      ({ name }, index) => [name, outcomes[index], outcomes[NEIGHBOURS.length + index]] as const,
    ),
  )('is refused, and an ordinary one gets the same bits as without: %s', (_, outcome, ordinary) => {
    expect(outcome).toEqual(CANNOT_COMPUTE);
    expect(ordinary).toMatchObject({ kind: 'answered' });
    if (ordinary?.kind === 'answered') expect(ordinary.tensors).toEqual(ordinary.bare);
  });
});

describe('a request for more than there is room for', async () => {
  const models = [...SIZED_MODELS, ...GROWING_MODELS];
  const outcomes = await requestInChild([
    ...models.map(({ model, huge }) => ({ model, feeds: huge })),
    ...models.map(({ model, small }) => ({ model, feeds: small, isCompared: true })),
  ]);
  const count = models.length;

  it.each(models.map(({ name }, index) => [name, outcomes[index]] as const))(
    'is refused: %s',
    (_, outcome) => {
      expect(outcome).toEqual(TOO_MANY);
    },
  );

  it.each(models.map(({ name }, index) => [name, outcomes[count + index]] as const))(
    'is answered with the same bits as without when it is for less: %s',
    (_, outcome) => {
      expect(outcome).toMatchObject({ kind: 'answered' });
      if (outcome?.kind === 'answered') expect(outcome.tensors).toEqual(outcome.bare);
    },
  );
});

describe('an ordinary request to such a model', async () => {
  const asked = FATAL_MODELS.flatMap((fatal) => {
    const feeds = ordinaryFeeds(fatal);
    return feeds ? [{ name: nameOf(fatal), model: fatal.model, feeds, isCompared: true }] : [];
  });
  const outcomes = await requestInChild(asked);

  it.each(asked.map(({ name }, index) => [name, outcomes[index]] as const))(
    'gets the same bits as without: %s',
    (_, outcome) => {
      expect(outcome).toMatchObject({ kind: 'answered' });
      if (outcome?.kind === 'answered') expect(outcome.tensors).toEqual(outcome.bare);
    },
  );

  it('is tested for all operators that the reader finds here', () => {
    expect(Object.keys(ORDINARY).sort()).toEqual(asked.map(({ name }) => name).sort());
  });
});
