/** Random numbers that are the same in every run, from 0 to 1. Source: the constants are those of Numerical Recipes. */
export function createRandom(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Weights around zero, such that the sum over the inputs of a layer stays as large as its inputs. */
export function randomWeights(count: number, inputs: number, random: () => number): Float32Array {
  const most = Math.sqrt(3 / inputs);
  return Float32Array.from({ length: count }, () => (random() * 2 - 1) * most);
}
