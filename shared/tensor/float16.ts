/**
 * IEEE 754 binary16 ("half", FP16) to and from numbers, as bit patterns. ONNX Runtime hands out FP16 tensors as
 * `Uint16Array` where V8 has no `Float16Array` (Node 22 and older) and as `Float16Array` where V8 has one (Node 24);
 * inside Ternion they are always bit patterns in a `Uint16Array`.
 */
const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** The number a half bit pattern stands for. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The half nearest to a number, ties to even; too large numbers become infinity, as IEEE 754 demands. */
export function numberToFloat16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | roundHalfToEven(magnitude * 2 ** 24);
  // The float32 rounding only finds the power of two; the fraction is rounded once, from the full value.
  scratch[0] = magnitude;
  let exponent = ((scratchBits[0] ?? 0) >>> 23) - 127;
  if (2 ** exponent > magnitude) exponent -= 1;
  const fraction = roundHalfToEven((magnitude / 2 ** exponent - 1) * 1024);
  // A fraction that rounds up to 1024 carries into the exponent by plain addition.
  return sign | (((exponent + 15) << 10) + fraction);
}

/** The nearest whole number to one that is not negative; of two, the even one, as Python rounds. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5) return floor + 1;
  if (rest < 0.5) return floor;
  return floor % 2 === 0 ? floor : floor + 1;
}
