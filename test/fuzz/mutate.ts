/** A pseudo-random source that a seed repeats (mulberry32). */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What parsers and checks stumble over. */
const TOKENS = [
  '',
  '[',
  ']',
  '{',
  '}',
  ',',
  ':',
  '"',
  'null',
  'true',
  'NaN',
  '-Infinity',
  '-1',
  '0',
  '1e999',
  '1.5',
  '9007199254740993',
  '18446744073709551616',
  '"\\ud800"',
  '"\\u0000"',
  '"x"',
  '[]',
  '{}',
  '[[[[]]]]',
  '"FP16"',
  '"BYTES"',
  '"INT64"',
  '"BOOL"',
  '"__proto__"',
  '"binary_data_size"',
  '"classification"',
  '"base64"',
  '4294967295',
  '\ufeff',
  '\n',
].map((token) => Buffer.from(token));

/** A body with a few random changes: bits, cuts, repeats, tokens put over and between. */
export function mutate(body: Buffer, random: (below: number) => number): Buffer {
  let mutated = Buffer.from(body);
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(mutated.length + 1);
    const until = Math.min(mutated.length, at + random(12));
    const token = TOKENS[random(TOKENS.length)] ?? Buffer.alloc(0);
    switch (random(5)) {
      case 0:
        if (at < mutated.length) mutated[at] = (mutated[at] ?? 0) ^ (1 << random(8));
        break;
      case 1:
        mutated = Buffer.concat([mutated.subarray(0, at), mutated.subarray(until)]);
        break;
      case 2:
        mutated = Buffer.concat([mutated.subarray(0, until), mutated.subarray(at)]);
        break;
      case 3:
        mutated = Buffer.concat([mutated.subarray(0, at), token, mutated.subarray(at)]);
        break;
      default:
        mutated = Buffer.concat([mutated.subarray(0, at), token, mutated.subarray(until)]);
    }
  }
  return mutated;
}
