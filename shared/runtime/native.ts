import { isMainThread } from 'node:worker_threads';
import type { InferenceSession } from 'onnxruntime-node';
import type { TensorData } from '../tensor/datatype.ts';

/** A tensor as the runtime's addon takes it, and as it makes one. FP16 is held as bit patterns. */
export interface NativeTensor {
  /** Name of the datatype in ONNX Runtime, such as `float32`. */
  readonly type: string;
  readonly data: TensorData;
  readonly dims: readonly number[];
  readonly location: 'cpu';
}

/** An input or output of a graph. */
export type NativeValue =
  | { readonly name: string; readonly isTensor: false }
  | {
      readonly name: string;
      readonly isTensor: true;
      /** `TensorProto.DataType` of the ONNX standard. */
      readonly type: number;
      /** -1 for an axis of any size. */
      readonly shape: readonly number[];
    };

export interface NativeSession {
  readonly inputMetadata: readonly NativeValue[];
  readonly outputMetadata: readonly NativeValue[];
  loadModel(path: string, options: SessionOptions): void;
  loadModel(buffer: ArrayBufferLike, byteOffset: number, byteLength: number, options: SessionOptions): void;
  /** @param fetches the names of outputs, each with null for memory that the runtime allocates */
  run(
    feeds: Readonly<Record<string, NativeTensor>>,
    fetches: Readonly<Record<string, null>>,
    options: object,
  ): Readonly<Record<string, NativeTensor | undefined>>;
  dispose(): void;
}

interface Addon {
  readonly InferenceSession: new () => NativeSession;
  initOrtOnce(
    logLevel: number,
    tensor: new (type: string, data: TensorData, dims: readonly number[]) => NativeTensor,
    isMainThread: boolean,
  ): void;
}

export type SessionOptions = InferenceSession.SessionOptions;

/** Warnings of the runtime itself, as its package has it; each session sets its own level. */
const WARNINGS = 2;

/** What the addon makes the outputs from. */
class OutputTensor implements NativeTensor {
  readonly type: string;
  readonly data: TensorData;
  readonly dims: readonly number[];

  constructor(type: string, data: TensorData, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }

  get location(): 'cpu' {
    return 'cpu';
  }
}

/**
 * The runtime's addon without the JavaScript around it, which waits for a turn of the event loop before each run, and
 * checks tensors that were checked before: that takes as long as a small model itself. test/shared/runtime/native.test.ts
 * compares both, so that a new version of the package cannot change the addon unnoticed.
 */
export async function loadAddon(): Promise<Addon> {
  const { binding }: { binding: unknown } = (await import('onnxruntime-node/dist/binding.js')).default;
  if (!isAddon(binding))
    throw new Error('the addon of onnxruntime-node is not the one that this code was written for');
  binding.initOrtOnce(WARNINGS, OutputTensor, isMainThread);
  return binding;
}

/** The package has types for its own tensors only. */
function isAddon(value: unknown): value is Addon {
  return (
    typeof value === 'object' &&
    value !== null &&
    'InferenceSession' in value &&
    typeof value.InferenceSession === 'function' &&
    'initOrtOnce' in value &&
    typeof value.initOrtOnce === 'function'
  );
}
