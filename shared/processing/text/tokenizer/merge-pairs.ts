import { isEndOfStep, MOST_TOKENS, type Steps } from './vocabulary.ts';

/** The pairs that become one token. */
export interface Merges {
  /** The rank of each pair, by its key; lower ranks are merged first. */
  readonly ranks: ReadonlyMap<number, number>;
  /** The token that the pair of each rank becomes. */
  readonly ids: Int32Array;
}

/** Places in a word are below this number; products of ranks with it stay exact. */
const PLACES = 2 ** 28;
const NONE = -1;

export function pairKey(left: number, right: number): number {
  return left * MOST_TOKENS + right;
}

/**
 * Merges the pair of the lowest rank, the leftmost of equal ones, until no pair is left that has a rank. The pairs wait
 * in a heap, so that a word of n symbols takes n log n steps.
 *
 * @returns the ids that are left
 */
export function* mergePairs(
  symbols: readonly number[],
  { ranks, ids: merged }: Merges,
): Steps<readonly number[]> {
  const size = symbols.length;
  const ids = Int32Array.from(symbols);
  const before = new Int32Array(size);
  const after = new Int32Array(size);
  const heap: number[] = [];
  const rankAt = (place: number): number | undefined => {
    const next = after[place] ?? NONE;
    return next === NONE ? undefined : ranks.get(pairKey(ids[place] ?? 0, ids[next] ?? 0));
  };
  const offer = (place: number) => {
    const rank = place === NONE ? undefined : rankAt(place);
    if (rank !== undefined) push(heap, rank * PLACES + place);
  };
  for (let place = 0; place < size; place++) {
    before[place] = place - 1;
    after[place] = place + 1 < size ? place + 1 : NONE;
    offer(place);
    if (isEndOfStep(place)) yield;
  }
  for (let turn = 0; heap.length > 0; turn++) {
    if (isEndOfStep(turn)) yield;
    const entry = pop(heap);
    const place = entry % PLACES;
    const rank = (entry - place) / PLACES;
    // If a symbol was merged after the entry was made, its pair has changed or no longer exists.
    if (ids[place] === NONE || rankAt(place) !== rank) continue;
    const next = after[place] ?? NONE;
    const beyond = after[next] ?? NONE;
    ids[place] = merged[rank] ?? NONE;
    ids[next] = NONE;
    after[place] = beyond;
    if (beyond !== NONE) before[beyond] = place;
    offer(before[place] ?? NONE);
    offer(place);
  }
  const left: number[] = [];
  // The first symbol of a word is never merged into another.
  for (let place = size > 0 ? 0 : NONE; place !== NONE; place = after[place] ?? NONE) {
    left.push(ids[place] ?? NONE);
    if (isEndOfStep(left.length)) yield;
  }
  return left;
}

function push(heap: number[], value: number): void {
  let at = heap.length;
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    const above = heap[parent] ?? 0;
    if (above <= value) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = value;
}

function pop(heap: number[]): number {
  const top = heap[0] ?? 0;
  const last = heap.pop() ?? 0;
  const size = heap.length;
  if (size === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child + 1 < size && (heap[child + 1] ?? 0) < (heap[child] ?? 0)) child++;
    if (child >= size || (heap[child] ?? 0) >= last) break;
    heap[at] = heap[child] ?? 0;
    at = child;
  }
  heap[at] = last;
  return top;
}
