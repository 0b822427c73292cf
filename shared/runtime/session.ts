import { resolve } from 'node:path';
import { loadOnce } from '../memo.ts';
import {
  DATATYPES,
  type Datatype,
  datatypeOfOnnxCode,
  datatypeOfOnnxName,
  nameUnservedType,
  type TensorData,
} from '../tensor/datatype.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { loadAddon, type NativeSession, type NativeTensor, type NativeValue } from './native.ts';

/** An input or output, as the graph declares it. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  /** One size per axis, -1 for any size. */
  readonly shape: readonly number[];
  /** Whether the graph leaves even the number of axes open; `shape` is empty then, as it is for a scalar. */
  readonly isRankDynamic?: boolean;
  /** Whether its values can be missing; the graph gets NaN for a missing number, and the empty text for a missing text. */
  readonly allowsMissing?: boolean;
  /** Whether its texts are JSON: a value in a request of JSON is taken as its text. */
  readonly isJson?: boolean;
  /** Whether it accepts true and false as 1 and 0, as in the columns of a table. */
  readonly takesBooleans?: boolean;
  /** The axes in the graph: a size, a name, or '' for neither. */
  readonly axes?: readonly (number | string)[];
  /** The axis that counts instances, if there is one. */
  readonly batchAxis?: number;
}

export type NamedTensors = ReadonlyMap<string, Tensor>;

/** A model in memory. This is the only way to run it; no other file uses ONNX Runtime itself. */
export interface Session {
  readonly inputs: readonly TensorSpec[];
  /** The outputs that are tensors. Sequences, maps and optionals cannot be fetched by the runtime's Node binding. */
  readonly outputs: readonly TensorSpec[];
  /** Whether the graph cuts texts into words. For each text it then has as many places as the longest one has words. */
  readonly cutsTexts?: boolean;
  /**
   * Runs the graph. The native call is synchronous: it blocks this thread until it is done.
   *
   * @param feeds one checked tensor per input
   * @param fetches names of the requested outputs; all by default
   */
  run(feeds: NamedTensors, fetches?: readonly string[]): Promise<NamedTensors>;
  /** Frees the native memory. The caller makes sure that no run is in progress. */
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Threads of one run. The runtime's own default counts visible cores, which is wrong on every serverless host. */
  readonly intraOpThreads: number;
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all' | undefined;
  /** Where the graph is written to, as the runtime simplifies it. */
  readonly optimizedModel?: OptimizedModel | undefined;
}

/** A simplified graph as files. With the level `all` it would only suit this kind of processor. */
export interface OptimizedModel {
  readonly path: string;
  /** Name of the file beside it that gets its large tensors; without it they are in the graph. */
  readonly weights?: string | undefined;
}

/** Tensors of fewer bytes stay in the graph: sizes and axes, which are read before the weights. */
const LEAST_OUTSIDE_BYTES = 1024;

/** The graph has an input or output whose type the runtime does not support. Clients may see the message. */
export class UnsupportedGraphError extends Error {
  override readonly name = 'UnsupportedGraphError';
}

type Runtime = Awaited<ReturnType<typeof loadAddon>>;

const loadAddonOnce = loadOnce(loadAddon);
let isTelemetryAllowed = false;

/**
 * Allows the runtime to report its use to its makers, for the whole process. It does not force it: if a user has set
 * ORT_DISABLE_TELEMETRY=1, nothing is reported. Call it before the first session is created.
 */
export function allowTelemetry(): void {
  isTelemetryAllowed = true;
}

/**
 * Loads the native runtime on first use, so that a host whose native library is broken still starts and can say so.
 *
 * This also switches telemetry off, as every session passes through here, with or without a host. On Linux and macOS
 * telemetry is on by default since 1.29: the runtime's first session writes a device id and a database to the home
 * folder, logs to the temporary folder, and starts a thread. The runtime reads the variable when that session is
 * created. A `0` in the environment does not count: people who want the reports must allow them in Ternion. Native code
 * does not see the environment of worker threads, which is a copy. Before a worker creates sessions, this must run in
 * the main thread.
 *
 * Source: docs/Privacy.md of ONNX Runtime 1.29.
 */
export function loadRuntime(): Promise<Runtime> {
  if (!isTelemetryAllowed) process.env.ORT_DISABLE_TELEMETRY = '1';
  return loadAddonOnce();
}

/** A model that was rewritten in memory. */
export interface ModelBytes {
  readonly bytes: Uint8Array;
  /** The folder of its data files; without it the runtime would look in the working directory. */
  readonly folder: string;
}

/**
 * Creates a session from a model file, or from bytes if the graph was rewritten in memory. A path is better, as it
 * saves a copy of the weights.
 *
 * @throws UnsupportedGraphError for types that would abort the process or fail on every run
 */
export async function createSession(model: string | ModelBytes, options: SessionOptions): Promise<Session> {
  const native = createNativeSession(await loadRuntime(), model, options);
  try {
    const inputs = native.inputMetadata.map((value) => describeInput(value));
    const outputs = native.outputMetadata.flatMap((value) => describeOutput(value));
    if (outputs.length === 0) throw new UnsupportedGraphError('none of its outputs is a tensor');
    const allOutputs = outputs.map((output) => output.name);
    return {
      inputs,
      outputs,
      run: async (feeds, fetches = allOutputs) => {
        const results = native.run(toNativeFeeds(feeds), toNativeFetches(fetches), {});
        return new Map(fetches.map((name) => [name, fromNative(name, results[name])]));
      },
      release: async () => native.dispose(),
    };
  } catch (error) {
    native.dispose();
    throw error;
  }
}

function createNativeSession(
  { InferenceSession }: Runtime,
  model: string | ModelBytes,
  options: SessionOptions,
): NativeSession {
  const folder = typeof model === 'string' ? undefined : resolve(model.folder);
  const { optimizedModel: optimized } = options;
  const sessionOptions = {
    intraOpNumThreads: options.intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: options.graphOptimization ?? 'all',
    ...(optimized && { optimizedModelFilePath: optimized.path }),
    // Only fatal messages: errors are also thrown, and the log has them as JSON.
    logSeverityLevel: 4,
    // Idle threads that spin waste CPU time that the function pays for.
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        inter_op: { allow_spinning: '0' },
        ...(folder !== undefined && { model_external_initializers_file_folder_path: folder }),
        ...(optimized?.weights !== undefined && {
          optimized_model_external_initializers_file_name: optimized.weights,
          optimized_model_external_initializers_min_size_in_bytes: String(LEAST_OUTSIDE_BYTES),
        }),
      },
    },
  } as const;
  const session = new InferenceSession();
  if (typeof model === 'string') {
    session.loadModel(model, sessionOptions);
  } else {
    const { buffer, byteOffset, byteLength } = model.bytes;
    session.loadModel(buffer, byteOffset, byteLength, sessionOptions);
  }
  return session;
}

function describeInput(value: NativeValue): TensorSpec {
  if (!value.isTensor) {
    throw new UnsupportedGraphError(`input "${value.name}" is not a tensor (a sequence, map or optional)`);
  }
  return describeTensor('input', value);
}

function describeOutput(value: NativeValue): TensorSpec[] {
  return value.isTensor ? [describeTensor('output', value)] : [];
}

/** int4 and uint4 must be refused here: a run would abort the whole process. */
function describeTensor(role: string, value: Extract<NativeValue, { isTensor: true }>): TensorSpec {
  const datatype = datatypeOfOnnxCode(value.type);
  if (datatype === undefined) {
    throw new UnsupportedGraphError(
      `${role} "${value.name}" has the type ${nameUnservedType(value.type)}, which cannot be served`,
    );
  }
  // Some exporters write other negative numbers for an axis of any size.
  const shape = value.shape.map((axis) => (axis >= 0 ? axis : -1));
  return { name: value.name, datatype, shape };
}

function toNativeFeeds(feeds: NamedTensors): Record<string, NativeTensor> {
  // Without a prototype an input may have any name, `__proto__` included.
  const native: Record<string, NativeTensor> = Object.create(null);
  for (const [name, { datatype, data, shape }] of feeds) {
    native[name] = { type: DATATYPES[datatype].onnx, data, dims: shape, location: 'cpu' };
  }
  return native;
}

function toNativeFetches(names: readonly string[]): Record<string, null> {
  const fetches: Record<string, null> = Object.create(null);
  for (const name of names) fetches[name] = null;
  return fetches;
}

function fromNative(name: string, value: NativeTensor | undefined): Tensor {
  const datatype = value && datatypeOfOnnxName(value.type);
  if (!value || !datatype) throw new Error(`The runtime returned no usable tensor for output "${name}"`);
  return { datatype, shape: value.dims, data: datatype === 'FP16' ? toBits(value.data) : value.data };
}

/**
 * FP16 as bit patterns, as Ternion has it everywhere. If other code of this process has used the runtime's package
 * before, the addon makes that package's tensors, which have a Float16Array where V8 has one.
 */
function toBits(data: TensorData): TensorData {
  if (Array.isArray(data) || Object.prototype.toString.call(data) !== '[object Float16Array]') return data;
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}
