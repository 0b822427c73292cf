/** A small assembler for WebAssembly. Source: WebAssembly core specification 2.0, section 5 (binary format). */

/** Instructions as bytes, in nested lists. The code of an operand comes before the instruction that takes it. */
export type Code = number | readonly Code[];

export interface WasmFunction {
  readonly name: string;
  /**
   * Number of i32 parameters. Their indices come first, then those of the i32 variables, then those of the v128
   * variables.
   */
  readonly parameters: number;
  readonly integers: number;
  readonly vectors: number;
  readonly body: Code;
}

/** The bytes of a module that exports the functions, which return nothing, and its memory as `memory`. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array {
  const types = functions.map(({ parameters }) => [0x60, list(new Array(parameters).fill(I32)), 0]);
  const exported = functions.map(({ name }, index) => [text(name), 0, unsigned(index)]);
  return Uint8Array.from(
    flatten([
      [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      section(1, list(types)),
      section(3, list(functions.map((_, index) => unsigned(index)))),
      // One memory of one page at first, without an upper bound.
      section(5, list([[0, 1]])),
      section(7, list([...exported, [text('memory'), 2, 0]])),
      section(10, list(functions.map(functionBody))),
    ]),
  );
}

/** The bytes of code, one after the other. */
export function flatten(code: Code, bytes: number[] = []): number[] {
  if (typeof code === 'number') bytes.push(code);
  else for (const part of code) flatten(part, bytes);
  return bytes;
}

export const get = (variable: number): Code => [0x20, unsigned(variable)];

export const set = (variable: number, value: Code): Code => [value, 0x21, unsigned(variable)];

/** Runs the body, then again for as long as the condition is not zero. */
export const repeatWhile = (condition: Code, ...body: readonly Code[]): Code => [
  [0x03, 0x40],
  body,
  condition,
  [0x0d, 0, 0x0b],
];

export const i32 = {
  const: (value: number): Code => [0x41, signed(value)],
  add: instruction(0x6a),
  sub: instruction(0x6b),
  mul: instruction(0x6c),
  load: (address: Code, offset: number): Code => [address, 0x28, 2, unsigned(offset)],
};

/** Instructions on 128 bits, named as in the specification. */
export const v128 = {
  const: (bytes: readonly number[]): Code => [simd(12), bytes],
  load: (address: Code): Code => [address, simd(0), 0, 0],
  load32Splat: (address: Code, offset: number): Code => [address, simd(9), 2, unsigned(offset)],
  store: (address: Code, vector: Code): Code => [address, vector, simd(11), 0, 0],
  store32Lane: (address: Code, vector: Code, lane: number): Code => [address, vector, simd(90), 0, 0, lane],
};

export const i8x16 = {
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code => [a, b, simd(13), lanes],
  swizzle: instruction(simd(14)),
  narrowUnsigned: instruction(simd(102)),
};

export const i16x8 = {
  narrowSigned: instruction(simd(133)),
  extendLowUnsigned: instruction(simd(137)),
  extendHighUnsigned: instruction(simd(138)),
};

export const i32x4 = {
  shiftLeft: instruction(simd(171)),
  shiftRight: instruction(simd(172)),
  add: instruction(simd(174)),
  /** Products of two times eight int16, added in pairs. */
  dot: instruction(simd(186)),
};

const I32 = 0x7f;
const V128 = 0x7b;

function instruction(code: Code): (...operands: readonly Code[]) => Code {
  return (...operands) => [operands, code];
}

function simd(number: number): Code {
  return [0xfd, unsigned(number)];
}

function functionBody({ integers, vectors, body }: WasmFunction): Code {
  const variables = [
    [unsigned(integers), I32],
    [unsigned(vectors), V128],
  ];
  return sized([list(variables), body, 0x0b]);
}

function section(id: number, content: Code): Code {
  return [id, sized(content)];
}

function sized(content: Code): Code {
  const bytes = flatten(content);
  return [unsigned(bytes.length), bytes];
}

function list(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

function text(value: string): Code {
  return [unsigned(value.length), [...Buffer.from(value)]];
}

/** LEB128: seven bits per byte, the lowest first. */
function unsigned(value: number): Code {
  return value < 0x80 ? value : [(value & 0x7f) | 0x80, unsigned(value >>> 7)];
}

/** The same with the sign in the last byte's second highest bit. */
function signed(value: number): Code {
  return value >= -0x40 && value < 0x40 ? value & 0x7f : [(value & 0x7f) | 0x80, signed(value >> 7)];
}
