import { ATTRIBUTE, GRAPH } from '../../shared/onnx/fields.ts';
import { encodeField, encodeVarintField } from '../../shared/onnx/protobuf.ts';
import { DATATYPES } from '../../shared/tensor/datatype.ts';
import type { Tensor } from '../../shared/tensor/tensor.ts';
import {
  BOOL,
  buildFunction,
  buildModel,
  buildNode,
  FLOAT,
  floatAttribute,
  floatsAttribute,
  graphAttribute,
  INT32,
  INT64,
  initializer,
  integerAttribute,
  integersAttribute,
  join,
  tensorAttribute,
  tensorValue,
  text,
  textAttribute,
} from '../support/build-model.ts';
import type { Feeds } from './conditions.ts';
import { untypedValue } from './open-model.ts';

/** A model that ends the process of ONNX Runtime 1.30.0 on Linux x64, with feeds that its shapes allow. */
export interface FatalModel {
  readonly operator: string;
  /** What ends the process. */
  readonly cause: string;
  /** Whether the process ends while it loads the model, before anything is fed. */
  readonly isLoading?: boolean;
  /** Whether it needs a C library that checks its allocations: memory is overwritten, but often without a visible effect. */
  readonly needsChecks?: boolean;
  /** The signal, or 'hang' where the run has no end. */
  readonly ending: 'SIGABRT' | 'SIGFPE' | 'SIGSEGV' | 'hang';
  readonly model: Uint8Array;
  readonly feeds: Feeds;
}

interface Parts {
  readonly ending: FatalModel['ending'];
  readonly isLoading?: boolean;
  readonly needsChecks?: boolean;
  /** By name, in the order of the operator; undefined for one that is left out. */
  readonly inputs: Readonly<Record<string, Tensor | undefined>>;
  readonly attributes?: readonly Uint8Array[];
  readonly outputs?: readonly string[];
  readonly domain?: string;
  readonly opset?: number;
  /** Other nodes than the one of the operator alone. */
  readonly nodes?: readonly Uint8Array[];
  readonly functions?: readonly Uint8Array[];
  /** Whether the inputs are declared without a shape; with one, each axis takes any size. */
  readonly hasOpenRanks?: boolean;
}

const MICROSOFT = 'com.microsoft';
const ML = 'ai.onnx.ml';

/** Four words, and three pairs of words; only pairs may have an index. */
const GRAMS = [
  textAttribute('mode', 'TF'),
  integerAttribute('min_gram_length', 2),
  integerAttribute('max_gram_length', 2),
  integersAttribute('ngram_counts', [0n, 4n]),
  integersAttribute('pool_int64s', [2n, 3n, 5n, 4n, 5n, 6n, 7n, 8n, 6n, 7n]),
];

/** One model for each operator and cause, as the sweep found them. */
export const FATAL_MODELS: readonly FatalModel[] = [
  fatal('TopK', 'no rows', {
    ending: 'SIGFPE',
    inputs: { x: floats([0, 4]), k: integers([1], 1) },
    outputs: ['y', 'i'],
  }),
  fatal('LSTM', 'no sequences', {
    ending: 'SIGABRT',
    inputs: { x: floats([1, 0, 2]), w: floats([1, 4, 2]), r: floats([1, 4, 1]) },
    attributes: [integerAttribute('hidden_size', 1)],
  }),
  fatal('GRU', 'no sequences', {
    ending: 'SIGABRT',
    inputs: { x: floats([1, 0, 2]), w: floats([1, 3, 2]), r: floats([1, 3, 1]) },
    attributes: [integerAttribute('hidden_size', 1)],
  }),
  fatal('GRU', 'no steps', {
    ending: 'SIGABRT',
    inputs: { x: floats([0, 1, 2]), w: floats([1, 3, 2]), r: floats([1, 3, 1]) },
    attributes: [integerAttribute('hidden_size', 1)],
  }),
  fatal('ConvTranspose', 'an axis of no size', {
    ending: 'SIGSEGV',
    inputs: { x: floats([1, 1, 0]), w: floats([1, 1, 3]) },
  }),
  fatal('InstanceNormalization', 'an axis of no size', {
    ending: 'SIGSEGV',
    inputs: { x: floats([1, 1, 0]), scale: floats([1]), b: floats([1]) },
  }),
  fatal('DFT', 'a transformed axis of no size', {
    ending: 'SIGFPE',
    inputs: { x: floats([1, 0, 1]) },
    attributes: [integerAttribute('axis', 1)],
    opset: 17,
  }),
  fatal('DFT', 'a transformed axis of one element, back to real numbers', {
    ending: 'hang',
    inputs: { x: floats([1, 1, 2]), length: undefined, axis: integers([], 1) },
    attributes: [integerAttribute('onesided', 1), integerAttribute('inverse', 1)],
    opset: 20,
  }),
  fatal('STFT', 'frames of no length', {
    ending: 'SIGFPE',
    inputs: { signal: floats([1, 1, 1]), step: integers([], 1), window: undefined, length: integers([], 0) },
  }),
  fatal('Attention', 'no heads', {
    ending: 'SIGFPE',
    inputs: { q: floats([1, 0, 1, 1]), k: floats([1, 0, 1, 1]), v: floats([1, 0, 1, 1]) },
    opset: 23,
  }),
  fatal('QuantizeLinear', 'no blocks', {
    ending: 'SIGFPE',
    inputs: { x: floats([0, 2]), scale: floats([0, 2]) },
    attributes: [integerAttribute('axis', 0), integerAttribute('block_size', 2)],
    opset: 21,
  }),
  fatal('Unique', 'rows of no size', {
    ending: 'SIGABRT',
    inputs: { x: floats([3, 0]) },
    attributes: [integerAttribute('axis', 0)],
  }),
  fatal('RoiAlign', 'a picture of no height', {
    ending: 'SIGSEGV',
    inputs: { x: floats([1, 1, 0, 1]), rois: floats([1, 4], [0, 0, 3, 3]), batches: integers([1], 0) },
    opset: 16,
  }),
  fatal('RoiAlign', 'a region of 2^62 rows', {
    ending: 'SIGABRT',
    inputs: { x: floats([1, 1, 1, 1]), rois: floats([1, 4], [1, 1, 5, 2 ** 63]), batches: integers([1], 0) },
    attributes: [integerAttribute('output_height', 2), integerAttribute('output_width', 2)],
    opset: 16,
  }),
  fatal('Einsum', 'products of empty matrices', {
    ending: 'SIGFPE',
    inputs: { a: floats([0, 1, 1]), b: floats([0, 2, 2]) },
    attributes: [textAttribute('equation', 'bij,bkj->bik')],
  }),
  fatal('Scan', 'nothing along the second axis', {
    ending: 'SIGFPE',
    inputs: { s: floats([1]), x: floats([2, 0]) },
    nodes: [scan(integersAttribute('scan_input_axes', [1n]))],
    outputs: ['t', 'y'],
  }),
  fatal('Scan', 'nothing given along the second axis', {
    ending: 'SIGFPE',
    inputs: { s: floats([1]), x: floats([2, 0]) },
    nodes: [scan(integersAttribute('scan_output_axes', [1n]))],
    outputs: ['t', 'y'],
  }),
  fatal('Inverse', 'a matrix that is not square', {
    ending: 'SIGSEGV',
    domain: MICROSOFT,
    inputs: { x: floats([1, 4096]) },
  }),
  fatal('FusedMatMul', 'empty matrices', {
    ending: 'SIGFPE',
    domain: MICROSOFT,
    inputs: { a: floats([0, 0, 0]), b: floats([0, 0, 0]) },
    attributes: [integerAttribute('transBatchA', 1)],
  }),
  fatal('FeatureVectorizer', 'no rows', {
    ending: 'SIGABRT',
    domain: ML,
    inputs: { a: floats([0, 1]), b: floats([0, 1]) },
    attributes: [integersAttribute('inputdimensions', [1n, 1n])],
  }),
  fatal('Resize', 'a thousand scales', {
    ending: 'SIGABRT',
    inputs: { x: floats([1, 1, 2, 2]), roi: floats([0]), scales: floats([1000]) },
    attributes: [textAttribute('mode', 'linear')],
  }),
  fatal('Conv', 'a kernel of no size, sent by a client', {
    ending: 'hang',
    inputs: { x: floats([1, 1, 5, 5]), w: floats([1, 1, 0, 3]) },
  }),
  fatal('FusedConv', 'a kernel of no size, sent by a client', {
    ending: 'hang',
    domain: MICROSOFT,
    inputs: { x: floats([1, 1, 5, 5]), w: floats([1, 1, 0, 3]) },
    attributes: [textAttribute('activation', 'Relu')],
  }),
  ...ofWholeNumbers(),
  ...ofTheRuntime(),
  ...needingOpenRanks(),
  ...ofTheModelAlone(),
  ...ofAttributes(),
];

/** The quotient is one larger than the largest number of its type. */
function ofWholeNumbers(): FatalModel[] {
  const minusOne = buildNode('Constant', [], ['minusOne'], {
    attributes: [
      tensorAttribute('value', initializer('', INT32, [1], new Uint8Array(Int32Array.of(-1).buffer))),
    ],
  });
  const smallest = buildNode('Constant', [], ['smallest'], {
    attributes: [
      tensorAttribute('value', initializer('', INT32, [1], new Uint8Array(Int32Array.of(-(2 ** 31)).buffer))),
    ],
  });
  const toInt32 = { attributes: [integerAttribute('to', INT32)] };
  return ['Div', 'Mod'].flatMap((operator) => [
    fatal(operator, 'the smallest int32 and -1', {
      ending: 'SIGFPE',
      inputs: { a: whole([1], -(2 ** 31)), b: whole([1], -1) },
    }),
    fatal(operator, 'the smallest int64 and -1', {
      ending: 'SIGFPE',
      inputs: { a: integers([1], -(2 ** 63)), b: integers([1], -1) },
    }),
    fatal(operator, 'a converted number that is too large, and a constant', {
      ending: 'SIGFPE',
      inputs: { x: floats([1], [Number.NaN]) },
      nodes: [
        minusOne,
        buildNode('Cast', ['x'], ['a'], toInt32),
        buildNode(operator, ['a', 'minusOne'], ['y']),
      ],
    }),
    fatal(operator, 'the smallest int32 and -1 in the file', {
      ending: 'SIGFPE',
      isLoading: true,
      inputs: { x: whole([1], 5) },
      nodes: [
        minusOne,
        smallest,
        buildNode(operator, ['smallest', 'minusOne'], ['q']),
        buildNode('Mul', ['x', 'q'], ['y']),
      ],
    }),
  ]);
}

/** Operators of ONNX Runtime itself, which its quantizer, its optimisers and exporters of language models write. */
function ofTheRuntime(): FatalModel[] {
  const own = (operator: string, cause: string, parts: Parts) =>
    fatal(operator, cause, { domain: MICROSOFT, ...parts });
  const scale = floats([]);
  const zero = bytes([]);
  return [
    own('SkipLayerNormalization', 'nothing that is added', {
      ending: 'SIGFPE',
      inputs: { x: floats([1, 1, 1]), skip: floats([0, 1, 1]), gamma: floats([1]) },
    }),
    own('SkipSimplifiedLayerNormalization', 'nothing that is added', {
      ending: 'SIGFPE',
      inputs: { x: floats([1, 1, 1]), skip: floats([0, 1, 1]), gamma: floats([1]) },
    }),
    own('QLinearAveragePool', 'a picture smaller than the kernel', {
      ending: 'SIGFPE',
      inputs: { x: bytes([1, 1, 1, 1]), xScale: scale, xZero: zero, scale, zero },
      attributes: [integersAttribute('kernel_shape', [2n, 2n]), integerAttribute('channels_last', 1)],
    }),
    own('QAttention', 'no texts', {
      ending: 'SIGFPE',
      inputs: {
        x: bytes([0, 1, 2]),
        w: bytes([2, 6]),
        b: floats([6]),
        xScale: scale,
        wScale: scale,
        mask: undefined,
        xZero: zero,
        wZero: zero,
      },
      attributes: [integerAttribute('num_heads', 1)],
    }),
    own('MultiHeadAttention', 'values of no size', {
      ending: 'SIGFPE',
      inputs: { q: floats([1, 1, 1]), k: floats([1, 1, 1]), v: floats([1, 1, 0]) },
      attributes: [integerAttribute('num_heads', 1)],
    }),
    own('GroupQueryAttention', 'no texts', {
      ending: 'SIGFPE',
      inputs: {
        q: floats([0, 1, 16]),
        k: floats([0, 1, 16]),
        v: floats([0, 1, 16]),
        pastKey: floats([0, 1, 0, 16]),
        pastValue: floats([0, 1, 0, 16]),
        lengths: whole([0], 0),
        total: whole([], 1),
      },
      attributes: [integerAttribute('num_heads', 1), integerAttribute('kv_num_heads', 1)],
      outputs: ['y', 'keys', 'values'],
    }),
    own('DecoderMaskedMultiHeadAttention', 'no past', {
      ending: 'SIGABRT',
      needsChecks: true,
      inputs: {
        q: floats([2, 1, 4]),
        k: floats([2, 1, 4]),
        v: floats([2, 1, 4]),
        mask: whole([2, 1], 1),
        bias: undefined,
        pastKey: floats([2, 2, 4, 2]),
        pastValue: floats([2, 2, 4, 2]),
        pastLength: whole([1], 0),
      },
      attributes: [integerAttribute('num_heads', 2), integerAttribute('past_present_share_buffer', 1)],
      outputs: ['y', 'keys', 'values'],
    }),
    own('RotaryEmbedding', 'heads of no size', {
      ending: 'SIGSEGV',
      inputs: {
        x: floats([1, 1, 1, 0]),
        positions: integers([1], 0),
        cosines: floats([8, 4]),
        sines: floats([8, 4]),
      },
    }),
    own('DynamicQuantizeMatMul', 'empty matrices', {
      ending: 'SIGFPE',
      inputs: { x: floats([0, 0]), w: bytes([0, 0]), wScale: floats([0, 0]), wZero: bytes([0, 0]) },
    }),
    own('MatMulIntegerToFloat', 'empty matrices', {
      ending: 'SIGFPE',
      inputs: {
        a: bytes([0, 0]),
        b: bytes([0, 0]),
        aScale: scale,
        bScale: scale,
        aZero: undefined,
        bZero: bytes([0, 0]),
        bias: floats([1]),
      },
    }),
    own('LinearAttention', 'queries of no size', {
      ending: 'SIGFPE',
      inputs: { q: floats([1, 1, 0]), k: floats([1, 1, 1]), v: floats([1, 1, 1]) },
      attributes: [
        integerAttribute('q_num_heads', 1),
        integerAttribute('kv_num_heads', 1),
        textAttribute('update_rule', 'linear'),
      ],
      outputs: ['y', 'state'],
    }),
    ...(['no steps', 'queries left out', 'keys left out'] as const).map((cause) =>
      own('AttnLSTM', cause, {
        ending: cause === 'no steps' ? 'SIGABRT' : 'SIGSEGV',
        inputs: {
          x: floats([cause === 'no steps' ? 0 : 1, 1, 1]),
          w: floats([1, 4, 2]),
          r: floats([1, 4, 1]),
          b: undefined,
          lengths: undefined,
          h: undefined,
          c: undefined,
          p: undefined,
          queries: cause === 'queries left out' ? undefined : floats([1, 1, 1]),
          keys: cause === 'keys left out' ? undefined : floats([1, 1, 1]),
          v: floats([1, 1]),
          memory: floats([1, 1, 1]),
          memoryLengths: whole([1], 1),
          attention: floats([1, 2, 1]),
        },
        attributes: [integerAttribute('hidden_size', 1)],
      }),
    ),
    own('QMoE', 'rows of no size', {
      ending: 'SIGFPE',
      inputs: {
        x: floats([1, 0]),
        router: floats([1, 1]),
        fc1: bytes([1, 0, 0]),
        scale1: floats([1, 0]),
        b1: undefined,
        fc2: bytes([1, 0, 0]),
        scale2: floats([1, 0]),
      },
      attributes: [
        integerAttribute('k', 1),
        textAttribute('activation_type', 'relu'),
        integerAttribute('expert_weight_bits', 4),
      ],
    }),
    own('DynamicQuantizeLSTM', 'no sequences', {
      ending: 'SIGABRT',
      inputs: {
        x: floats([1, 0, 2]),
        w: bytes([1, 2, 4]),
        r: bytes([1, 1, 4]),
        b: undefined,
        lengths: undefined,
        h: undefined,
        c: undefined,
        p: undefined,
        wScale: floats([1]),
        wZero: bytes([1]),
        rScale: floats([1]),
        rZero: bytes([1]),
      },
      attributes: [integerAttribute('hidden_size', 1)],
    }),
    own('MoE', 'rows of no size', {
      ending: 'SIGFPE',
      inputs: {
        x: floats([1, 0]),
        router: floats([1, 1]),
        fc1: floats([1, 0, 0]),
        b1: undefined,
        fc2: floats([1, 0, 0]),
      },
      attributes: [integerAttribute('k', 1), textAttribute('activation_type', 'relu')],
    }),
  ];
}

/** Models that end the process with any input: one of their inputs is left out by an empty name. */
function ofTheModelAlone(): FatalModel[] {
  const variadic = ['Max', 'Mean', 'Min', 'Sum'].map((operator) =>
    fatal(operator, 'an input left out', { ending: 'SIGSEGV', inputs: { x: floats([1]), y: undefined } }),
  );
  return [
    ...variadic,
    fatal('SimplifiedLayerNormalization', 'a function around it', {
      ending: 'SIGSEGV',
      isLoading: true,
      inputs: { x: floats([1, 1]), scale: floats([1]) },
      nodes: [buildNode('Inside', ['x', 'scale'], ['y'], { domain: 'local' })],
      functions: [
        buildFunction({
          name: 'Inside',
          inputs: ['x', 'scale'],
          outputs: ['y'],
          nodes: [buildNode('SimplifiedLayerNormalization', ['x', 'scale'], ['y'])],
        }),
      ],
    }),
    fatal('LayerNormalization', 'a bias left out', {
      ending: 'SIGSEGV',
      isLoading: true,
      inputs: { x: floats([1, 1]), scale: floats([1]), bias: undefined },
    }),
    fatal('Attention', 'a bias left out', {
      ending: 'SIGSEGV',
      domain: MICROSOFT,
      inputs: { x: floats([1, 1, 2]), w: floats([2, 6]), bias: undefined },
      attributes: [integerAttribute('num_heads', 1)],
    }),
    // The numbers are written as float32 into the memory of a uint8 tensor.
    fatal('QGemm', 'a zero point of the output without its scale', {
      ending: 'SIGABRT',
      needsChecks: true,
      domain: MICROSOFT,
      inputs: {
        a: bytes([100, 3]),
        aScale: floats([]),
        aZero: bytes([]),
        b: bytes([3, 4]),
        bScale: floats([]),
        bZero: bytes([]),
        c: undefined,
        scale: undefined,
        zero: bytes([]),
      },
    }),
    fatal('QLinearConcat', 'a zero point left out', {
      ending: 'SIGSEGV',
      domain: MICROSOFT,
      inputs: { scale: floats([]), zero: bytes([]), x: bytes([1, 1]), xScale: floats([]), xZero: undefined },
      attributes: [integerAttribute('axis', 0)],
    }),
    ...(['scale1', 'scale2'] as const).map((leftOut, index) =>
      fatal('QMoE', `scales left out of the ${index === 0 ? 'first' : 'second'} filters`, {
        ending: 'SIGSEGV',
        domain: MICROSOFT,
        inputs: {
          x: floats([1, 32]),
          router: floats([1, 1]),
          fc1: bytes([1, 32, 16]),
          scale1: floats([1, 32]),
          b1: undefined,
          fc2: bytes([1, 32, 16]),
          scale2: floats([1, 32]),
          [leftOut]: undefined,
        },
        attributes: [
          integerAttribute('k', 1),
          textAttribute('activation_type', 'relu'),
          integerAttribute('expert_weight_bits', 4),
        ],
      }),
    ),
    fatal('ConvTransposeWithDynamicPads', 'pads left out', {
      ending: 'SIGSEGV',
      domain: MICROSOFT,
      inputs: { x: floats([1, 1, 1, 1]), w: floats([1, 1, 1, 1]), pads: undefined },
    }),
  ];
}

/** Attributes of numbers at the ends of their types and beyond what they mean. */
function ofAttributes(): FatalModel[] {
  const x = floats([1]);
  const random = (operator: string, cause: string, ...attributes: Uint8Array[]) =>
    fatal(operator, cause, { ending: 'SIGABRT', inputs: operator.endsWith('Like') ? { x } : {}, attributes });
  const shape = integersAttribute('shape', [1n]);
  const pool = (operator: string) =>
    fatal(operator, 'a window of no end', {
      ending: 'hang',
      opset: 22,
      inputs: { x: floats([1, 1, 5, 5]) },
      attributes: [
        integersAttribute('kernel_shape', [2n ** 31n - 1n, 2n ** 31n - 1n]),
        integersAttribute('strides', [2n, 2n]),
        textAttribute('auto_pad', 'SAME_UPPER'),
      ],
    });
  const heads = { q: floats([1, 1, 1]), k: floats([1, 1, 1]), v: floats([1, 1, 1]) };
  return [
    random('RandomNormal', 'a scale of 0', shape, floatAttribute('scale', 0)),
    random('RandomNormalLike', 'a scale of 0', floatAttribute('scale', 0)),
    random('RandomUniform', 'an empty range', shape, floatAttribute('high', -1)),
    random('RandomUniformLike', 'an empty range', floatAttribute('low', 2)),
    fatal('BatchNormalization', 'a training mode of 7', {
      ending: 'SIGSEGV',
      inputs: { x: floats([1, 1]), scale: x, b: x, mean: x, variance: x },
      attributes: [integerAttribute('training_mode', 7)],
      outputs: ['y', 'runningMean', 'runningVariance'],
    }),
    fatal('Attention', 'a mode of -1', {
      ending: 'SIGSEGV',
      inputs: {
        ...heads,
        mask: floats([1, 2]),
        pastKey: floats([1, 1, 1, 1]),
        pastValue: floats([1, 1, 1, 1]),
      },
      attributes: [
        integerAttribute('q_num_heads', 1),
        integerAttribute('kv_num_heads', 1),
        integerAttribute('qk_matmul_output_mode', -1),
      ],
      outputs: ['y', 'keys', 'values', 'products'],
      opset: 23,
    }),
    fatal('Attention', '2^32 heads', {
      ending: 'SIGFPE',
      inputs: heads,
      attributes: [integerAttribute('q_num_heads', 2 ** 32), integerAttribute('kv_num_heads', 1)],
      opset: 23,
    }),
    fatal('GroupQueryAttention', '2^32 heads of keys', {
      ending: 'SIGFPE',
      domain: MICROSOFT,
      inputs: {
        q: floats([1, 1, 16]),
        k: floats([1, 1, 16]),
        v: floats([1, 1, 16]),
        pastKey: floats([1, 1, 0, 16]),
        pastValue: floats([1, 1, 0, 16]),
        lengths: whole([1], 0),
        total: whole([], 1),
      },
      attributes: [integerAttribute('num_heads', 1), integerAttribute('kv_num_heads', 2 ** 32)],
      outputs: ['y', 'keys', 'values'],
    }),
    fatal('GatherND', 'a batch of -1 axes', {
      ending: 'SIGABRT',
      inputs: { x: floats([1, 1, 1]), indices: integers([0, 1, 0], 0) },
      attributes: [integerAttribute('batch_dims', -1)],
    }),
    fatal('Attention', '2^31 - 1 heads of no size', {
      ending: 'hang',
      domain: MICROSOFT,
      inputs: { x: floats([1, 1, 1]), w: floats([1, 0]), b: floats([0]) },
      attributes: [integerAttribute('num_heads', 2 ** 31 - 1)],
    }),
    fatal('Split', 'no parts', {
      ending: 'SIGFPE',
      inputs: { x: floats([0]) },
      attributes: [integerAttribute('num_outputs', 0)],
    }),
    fatal('DequantizeLinear', 'blocks of 2^63 - 1', {
      ending: 'SIGSEGV',
      inputs: { x: bytes([4, 1]), scale: floats([0, 1]), zero: bytes([0, 1]) },
      attributes: [integerAttribute('axis', 0), integerAttribute('block_size', 2n ** 63n - 1n)],
      opset: 21,
    }),
    fatal('RoiAlign', '2^62 samples', {
      ending: 'SIGABRT',
      inputs: { x: floats([1, 1, 1, 1]), rois: floats([1, 4]), batches: integers([1], 0) },
      attributes: [integerAttribute('sampling_ratio', 2 ** 62)],
      opset: 16,
    }),
    fatal('SparseAttention', '2^32 heads', {
      ending: 'SIGFPE',
      domain: MICROSOFT,
      inputs: {
        q: floats([1, 3, 32]),
        k: floats([1, 3, 16]),
        v: floats([1, 3, 16]),
        pastKey: floats([1, 1, 16, 16]),
        pastValue: floats([1, 1, 16, 16]),
        rows: { datatype: 'INT32', shape: [1, 2], data: Int32Array.of(0, 1) },
        columns: whole([1, 1], 0),
        total: whole([1], 3),
        lengths: whole([1], 3),
      },
      attributes: [
        integerAttribute('num_heads', 2 ** 32),
        integerAttribute('kv_num_heads', 1),
        integerAttribute('sparse_block_size', 16),
      ],
      outputs: ['y', 'keys', 'values'],
    }),
    fatal('FeatureVectorizer', 'a dimension of -1', {
      ending: 'SIGABRT',
      domain: ML,
      inputs: { a: floats([1, 1]), b: floats([1, 1]) },
      attributes: [integersAttribute('inputdimensions', [1n, -1n])],
    }),
    fatal('TfIdfVectorizer', 'fewer indices than n-grams', {
      ending: 'SIGABRT',
      inputs: { x: { datatype: 'INT64', shape: [2, 2], data: BigInt64Array.of(7n, 8n, 7n, 8n) } },
      attributes: [...GRAMS, integersAttribute('ngram_indexes', [0n]), integerAttribute('max_skip_count', 0)],
    }),
    fatal('TfIdfVectorizer', '2^31 - 1 words that are skipped', {
      ending: 'hang',
      inputs: { x: integers([1, 6], 1) },
      attributes: [
        ...GRAMS,
        integersAttribute('ngram_indexes', [0n, 1n, 2n, 3n, 4n, 5n, 6n]),
        integerAttribute('max_skip_count', 2 ** 31 - 1),
      ],
    }),
    pool('AveragePool'),
    pool('LpPool'),
  ];
}

/** A scalar that has no element, or tensors with fewer axes than the operator counts on. */
function needingOpenRanks(): FatalModel[] {
  const open = (operator: string, cause: string, parts: Parts) =>
    fatal(operator, cause, { hasOpenRanks: true, ...parts });
  const sequence = buildNode('SequenceConstruct', ['x'], ['sequence']);
  const x = floats([1]);
  // Made in the graph, where it has no memory. From a client it points to memory, whose content is read.
  const none = bytes([0]);
  const empty = (type: number) =>
    buildNode('Cast', ['none'], ['empty'], { attributes: [integerAttribute('to', type)] });
  return [
    open('Loop', 'an empty trip count', {
      ending: 'SIGSEGV',
      inputs: { none, x },
      nodes: [empty(INT64), loopOnce('empty')],
    }),
    open('Dropout', 'an empty training mode', {
      ending: 'SIGSEGV',
      inputs: { none, x },
      nodes: [empty(BOOL), buildNode('Dropout', ['x', '', 'empty'], ['y'])],
    }),
    open('SequenceAt', 'an empty position', {
      ending: 'SIGSEGV',
      inputs: { none, x },
      nodes: [empty(INT64), sequence, buildNode('SequenceAt', ['sequence', 'empty'], ['y'])],
    }),
    open('SequenceErase', 'an empty position', {
      ending: 'SIGSEGV',
      inputs: { none, x },
      nodes: [
        empty(INT64),
        sequence,
        buildNode('SequenceErase', ['sequence', 'empty'], ['fewer']),
        buildNode('SequenceLength', ['fewer'], ['y']),
      ],
    }),
    open('SequenceInsert', 'an empty position', {
      ending: 'SIGSEGV',
      inputs: { none, x },
      nodes: [
        empty(INT64),
        sequence,
        buildNode('SequenceInsert', ['sequence', 'x', 'empty'], ['more']),
        buildNode('SequenceLength', ['more'], ['y']),
      ],
    }),
    open('ConcatFromSequence', 'an empty vector with a matrix', {
      ending: 'SIGABRT',
      inputs: { a: floats([0]), b: floats([1, 1]) },
      nodes: [
        buildNode('SequenceConstruct', ['a', 'b'], ['sequence']),
        buildNode('ConcatFromSequence', ['sequence'], ['y'], { attributes: [integerAttribute('axis', 1)] }),
      ],
    }),
    open('Concat', 'an empty vector with a matrix', {
      ending: 'SIGABRT',
      inputs: { a: floats([0]), b: floats([1, 1]) },
      attributes: [integerAttribute('axis', 1)],
    }),
    open('DFT', 'an empty axis', {
      ending: 'SIGSEGV',
      inputs: { none, x: floats([1, 1, 1]) },
      nodes: [empty(INT64), buildNode('DFT', ['x', '', 'empty'], ['y'])],
      opset: 20,
    }),
    open('AffineGrid', 'a scalar size', {
      ending: 'SIGABRT',
      inputs: { theta: floats([1, 2, 3]), size: integers([], 1) },
      opset: 20,
    }),
    open('Conv', 'scalars', { ending: 'SIGABRT', inputs: { x: floats([]), w: floats([]) } }),
    open('ConvInteger', 'a scalar', { ending: 'SIGABRT', inputs: { x: bytes([]), w: bytes([1, 1, 1, 1]) } }),
    open('QLinearSoftmax', 'an empty scale', {
      ending: 'SIGSEGV',
      domain: MICROSOFT,
      inputs: { none, x: bytes([1, 1]), zero: bytes([]), yScale: floats([]), yZero: bytes([]) },
      nodes: [
        empty(FLOAT),
        buildNode('QLinearSoftmax', ['x', 'empty', 'zero', 'yScale', 'yZero'], ['y'], {
          domain: MICROSOFT,
          attributes: [integerAttribute('opset', 13)],
        }),
      ],
    }),
    open('QLinearWhere', 'an empty scale', {
      ending: 'SIGSEGV',
      domain: MICROSOFT,
      inputs: {
        none,
        condition: { datatype: 'BOOL', shape: [1], data: Uint8Array.of(1) },
        x: bytes([1]),
        zero: bytes([]),
        scale: floats([]),
      },
      nodes: [
        empty(FLOAT),
        buildNode(
          'QLinearWhere',
          ['condition', 'x', 'empty', 'zero', 'x', 'scale', 'zero', 'scale', 'zero'],
          ['y'],
          { domain: MICROSOFT },
        ),
      ],
    }),
    open('QLinearConcat', 'an empty scale', {
      ending: 'SIGSEGV',
      domain: MICROSOFT,
      inputs: { none, x: bytes([1, 1]), scale: floats([]), zero: bytes([]) },
      nodes: [
        empty(FLOAT),
        buildNode('QLinearConcat', ['empty', 'zero', 'x', 'scale', 'zero'], ['y'], {
          domain: MICROSOFT,
          attributes: [integerAttribute('axis', 0)],
        }),
      ],
    }),
    ...[undefined, MICROSOFT].map((domain) =>
      open('QLinearConv', domain ? "a scalar, in the runtime's own operator" : 'a scalar', {
        ending: 'SIGABRT',
        ...(domain && { domain, attributes: [integerAttribute('channels_last', 1)] }),
        inputs: {
          x: bytes([]),
          xScale: floats([]),
          xZero: bytes([]),
          w: bytes([1, 1, 1, 1]),
          wScale: floats([]),
          wZero: bytes([]),
          scale: floats([]),
          zero: bytes([]),
        },
      }),
    ),
    open('QLinearConcat', 'an empty vector with a matrix', {
      ending: 'SIGABRT',
      domain: MICROSOFT,
      inputs: { scale: floats([]), zero: bytes([]), a: bytes([0]), b: bytes([1, 1]) },
      nodes: [
        buildNode('QLinearConcat', ['scale', 'zero', 'a', 'scale', 'zero', 'b', 'scale', 'zero'], ['y'], {
          domain: MICROSOFT,
          attributes: [integerAttribute('axis', 0)],
        }),
      ],
    }),
    open('MaxRoiPool', 'a picture of three axes', {
      ending: 'SIGABRT',
      inputs: { x: floats([1, 1, 1]), rois: floats([1, 5], [0, 0, 0, 0, 0]) },
      attributes: [integersAttribute('pooled_shape', [1n, 1n])],
    }),
    open('Multinomial', 'a vector', {
      ending: 'SIGABRT',
      inputs: { x: floats([4]) },
    }),
    open('RoiAlign', 'a picture of three axes', {
      ending: 'SIGABRT',
      inputs: { x: floats([1, 1, 1]), rois: floats([1, 4]), batches: integers([1], 0) },
      opset: 16,
    }),
    open('LSTM', 'two axes', {
      ending: 'SIGABRT',
      inputs: { x: floats([1, 2]), w: floats([1, 4, 2]), r: floats([1, 4, 1]) },
      attributes: [integerAttribute('hidden_size', 1)],
    }),
    open('Attention', 'a scalar as the keys of the past', {
      ending: 'SIGABRT',
      inputs: {
        q: floats([1, 1, 1, 1]),
        k: floats([1, 1, 1, 1]),
        v: floats([1, 1, 1, 1]),
        mask: undefined,
        pastKey: floats([]),
        pastValue: floats([1, 1, 1, 1]),
      },
      outputs: ['y', 'keys', 'values'],
      opset: 23,
    }),
    open('Einsum', 'fewer axes than in the equation', {
      ending: 'SIGABRT',
      inputs: { a: floats([2, 3]), b: floats([5, 3, 4]) },
      attributes: [textAttribute('equation', 'bij,bjk->bik')],
    }),
    open('GridSample', 'scalars', { ending: 'SIGABRT', inputs: { x: floats([]), grid: floats([]) } }),
    open('GridSample', "scalars, in the runtime's own operator", {
      ending: 'SIGABRT',
      domain: MICROSOFT,
      inputs: { x: floats([]), grid: floats([]) },
    }),
    open('ReverseSequence', 'a vector', {
      ending: 'SIGABRT',
      inputs: { x: floats([1]), lengths: integers([1], 1) },
    }),
    open('RNN', 'two axes', {
      ending: 'SIGABRT',
      inputs: { x: floats([1, 2]), w: floats([1, 1, 2]), r: floats([1, 1, 1]) },
      attributes: [integerAttribute('hidden_size', 1)],
    }),
    open('STFT', 'a scalar signal', {
      ending: 'SIGABRT',
      inputs: { signal: floats([]), step: integers([], 1), window: undefined, length: integers([], 1) },
    }),
    open('Upsample', 'a thousand scales', {
      ending: 'SIGABRT',
      inputs: { x: floats([1, 1, 2, 2]), scales: floats([1000]) },
      attributes: [textAttribute('mode', 'linear')],
      opset: 9,
    }),
    ...([7, 9, 10] as const).map((opset) => {
      const isResize = opset === 10;
      const scales = [1, 1, 2, 2];
      const constant = initializer('', FLOAT, [4], new Uint8Array(Float32Array.from(scales).buffer));
      return open(isResize ? 'Resize' : 'Upsample', `fewer scales than axes, in operator set ${opset}`, {
        ending: 'SIGABRT',
        inputs: { x: floats([1, 1, 1, 2, 2]) },
        nodes:
          opset === 7
            ? [buildNode('Upsample', ['x'], ['y'], { attributes: [floatsAttribute('scales', scales)] })]
            : [
                buildNode('Constant', [], ['scales'], { attributes: [tensorAttribute('value', constant)] }),
                buildNode(isResize ? 'Resize' : 'Upsample', ['x', 'scales'], ['y']),
              ],
        opset,
      });
    }),
    open('DynamicQuantizeLSTM', 'two axes', {
      ending: 'SIGABRT',
      domain: MICROSOFT,
      inputs: {
        x: floats([1, 2]),
        w: bytes([1, 2, 4]),
        r: bytes([1, 1, 4]),
        b: undefined,
        lengths: undefined,
        h: undefined,
        c: undefined,
        p: undefined,
        wScale: floats([1]),
        wZero: bytes([1]),
        rScale: floats([1]),
        rZero: bytes([1]),
      },
      attributes: [integerAttribute('hidden_size', 1)],
    }),
    ...([[8], [8, 8, 0]] as const).map((shape) =>
      open('GroupQueryAttention', `cosines of ${shape.length} axes`, {
        ending: shape.length === 1 ? 'SIGABRT' : 'SIGSEGV',
        domain: MICROSOFT,
        inputs: {
          q: floats([1, 1, 16]),
          k: floats([1, 1, 16]),
          v: floats([1, 1, 16]),
          pastKey: floats([1, 1, 3, 16]),
          pastValue: floats([1, 1, 3, 16]),
          lengths: whole([1], 3),
          total: whole([], 4),
          cosines: floats(shape),
          sines: floats(shape),
        },
        attributes: [
          integerAttribute('num_heads', 1),
          integerAttribute('kv_num_heads', 1),
          integerAttribute('do_rotary', 1),
        ],
        outputs: ['y', 'keys', 'values'],
      }),
    ),
    open('CropAndResize', 'a picture of three axes', {
      ending: 'SIGABRT',
      domain: MICROSOFT,
      inputs: {
        x: floats([1, 1, 1]),
        rois: floats([1, 4]),
        batches: whole([1], 0),
        size: whole([2], 1),
      },
    }),
  ];
}

/** A Scan that returns the elements of `x`, and its state. */
function scan(attribute: Uint8Array): Uint8Array {
  const body = graphAttribute('body', {
    nodes: [buildNode('Identity', ['state'], ['next']), buildNode('Neg', ['part'], ['negated'])],
    inputs: [tensorValue('state', FLOAT, [1]), tensorValue('part', FLOAT)],
    outputs: [tensorValue('next', FLOAT, [1]), tensorValue('negated', FLOAT)],
  });
  return buildNode('Scan', ['s', 'x'], ['t', 'y'], {
    attributes: [body, integerAttribute('num_scan_inputs', 1), attribute],
  });
}

/** A Loop that returns `x`. */
function loopOnce(trips: string): Uint8Array {
  const body = join([
    encodeField(GRAPH.node, buildNode('Identity', ['cond'], ['goesOn'])),
    encodeField(GRAPH.node, buildNode('Identity', ['before'], ['after'])),
    encodeField(2, text('body')),
    encodeField(GRAPH.input, tensorValue('i', INT64, [])),
    encodeField(GRAPH.input, tensorValue('cond', BOOL, [])),
    encodeField(GRAPH.input, tensorValue('before', FLOAT)),
    encodeField(GRAPH.output, tensorValue('goesOn', BOOL, [])),
    encodeField(GRAPH.output, tensorValue('after', FLOAT)),
  ]);
  // AttributeProto: the graph is field 6, and 5 the type of one.
  const attribute = join([
    encodeField(ATTRIBUTE.name, text('body')),
    encodeField(6, body),
    encodeVarintField(ATTRIBUTE.type, 5),
  ]);
  return buildNode('Loop', [trips, '', 'x'], ['y'], { attributes: [attribute] });
}

function fatal(operator: string, cause: string, parts: Parts): FatalModel {
  const {
    ending,
    inputs,
    attributes = [],
    outputs = ['y'],
    domain = '',
    opset = 18,
    hasOpenRanks = false,
    functions = [],
  } = parts;
  const given = Object.entries(inputs).flatMap(([name, tensor]) => (tensor ? [{ name, tensor }] : []));
  const names = Object.entries(inputs).map(([name, tensor]) => (tensor ? name : ''));
  return {
    operator,
    cause,
    ending,
    ...(parts.isLoading && { isLoading: true }),
    ...(parts.needsChecks && { needsChecks: true }),
    model: buildModel({
      nodes: parts.nodes ?? [buildNode(operator, names, outputs, { domain, attributes })],
      inputs: given.map(({ name, tensor: { datatype, shape } }) =>
        tensorValue(
          name,
          DATATYPES[datatype].code,
          hasOpenRanks ? undefined : shape.map((_, axis) => `${name}_${axis}`),
        ),
      ),
      outputs: outputs.map(untypedValue),
      opsets: { '': opset, ...(domain && { [domain]: 1 }), ...(functions.length > 0 && { local: 1 }) },
      functions,
    }),
    feeds: new Map(given.map(({ name, tensor }) => [name, tensor])),
  };
}

/** Ones, unless there are values. */
function floats(shape: readonly number[], values?: readonly number[]): Tensor {
  return {
    datatype: 'FP32',
    shape,
    data: values ? Float32Array.from(values) : new Float32Array(sizeOf(shape)).fill(1),
  };
}

function integers(shape: readonly number[], value: number): Tensor {
  return { datatype: 'INT64', shape, data: new BigInt64Array(sizeOf(shape)).fill(BigInt(value)) };
}

function whole(shape: readonly number[], value: number): Tensor {
  return { datatype: 'INT32', shape, data: new Int32Array(sizeOf(shape)).fill(value) };
}

function bytes(shape: readonly number[]): Tensor {
  return { datatype: 'UINT8', shape, data: new Uint8Array(sizeOf(shape)) };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
