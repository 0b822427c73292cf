import { SIMD_BASE64 } from './simd-bytes.ts';

type Numbers = readonly number[];

/** The functions of infra/build/simd/simd-functions.ts. */
export interface SimdFunctions {
  readonly rows3: (...parameters: Numbers) => void;
  readonly rows4: (...parameters: Numbers) => void;
  readonly columns: (...parameters: Numbers) => void;
}

interface Exports extends SimdFunctions {
  readonly memory: { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };
}

/** The part of WebAssembly that is needed here: neither the types of Node nor those of the language have it. */
declare const WebAssembly: {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Exports };
};

/** The compiled module, or undefined on a processor without the vectors. */
export function compileSimd(): object | undefined {
  compiled ??= compile();
  return compiled.module;
}

/** The functions and their memory. */
export interface SimdInstance {
  readonly functions: SimdFunctions;
  readonly memory: Uint8Array;
  /** Gives it back for others. An instance that is not given back is only lost. */
  giveBack(): void;
}

/** An instance with at least this much memory, for this caller only: others can resample while one pauses. */
export function takeSimd(bytes: number): SimdInstance {
  const functions = kept ?? instantiate();
  kept = undefined;
  const { memory } = functions;
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  // Its memory cannot shrink, so a large one is not kept.
  const isSmall = memory.buffer.byteLength <= MOST_KEPT_BYTES;
  const giveBack = () => {
    if (isSmall) kept = functions;
  };
  return { functions, memory: new Uint8Array(memory.buffer), giveBack };
}

const PAGE_BYTES = 65_536;
const MOST_KEPT_BYTES = 16_777_216;

let compiled: { readonly module: object | undefined } | undefined;
let kept: Exports | undefined;

function compile(): { readonly module: object | undefined } {
  const bytes = Buffer.from(SIMD_BASE64, 'base64');
  return { module: WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : undefined };
}

function instantiate(): Exports {
  const module = compileSimd();
  if (!module) throw new Error('this processor has no 128-bit vectors');
  return new WebAssembly.Instance(module).exports;
}
