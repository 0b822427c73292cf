import { describe, expect, it } from 'vitest';
import { createMemoryLimit } from '../../../shared/runtime/memory-limit.ts';

/** A process with idle values of 10 bytes each, on top of 1,000 bytes of its own. The limit is 160 bytes. */
function makeProcess({ idle = 0, canTrim = true } = {}) {
  const state = {
    idle,
    areInUse: false,
    garbageBytes: 0,
    otherBytes: 1_000,
    freedBytes: 0,
    reads: 0,
    collections: 0,
  };
  const batches: number[] = [];
  const limit = createMemoryLimit(
    {
      residentBytes: () => {
        state.reads += 1;
        return state.otherBytes + state.garbageBytes + state.freedBytes + state.idle * 10;
      },
      collect: () => {
        state.collections += 1;
        state.freedBytes += state.garbageBytes;
        state.garbageBytes = 0;
      },
      trim: async () => {
        if (canTrim) state.freedBytes = 0;
        return canTrim;
      },
    },
    160,
  );
  const releaseOldest = (most: number) => {
    const count = Math.min(most, state.idle);
    if (count > 0) batches.push(count);
    state.idle -= count;
    state.freedBytes += count * 10;
    return Array.from({ length: count }, async () => undefined);
  };
  return {
    state,
    batches,
    start: limit.start,
    load: async (count = 1) => {
      state.idle += count;
      await limit.keep({ releaseOldest, areInUse: () => state.areInUse });
    },
  };
}

describe('the memory limit', () => {
  it('releases nothing as long as the process has grown by no more than the limit', async () => {
    const { start, load, state } = makeProcess();
    start();
    for (let loads = 0; loads < 16; loads++) await load();
    expect([state.idle, state.collections]).toEqual([16, 0]);
  });

  it('does not count what the process took at the start, however often it starts', async () => {
    const { start, load, state } = makeProcess({ idle: 100 });
    start();
    await load(10);
    start();
    await load(6);
    expect(state.idle).toBe(116);
    await load();
    // It also makes room for later loads, of a sixteenth of the limit.
    expect(state.idle).toBe(115);
  });

  it('releases more at a time until the process is within its limit', async () => {
    const { start, load, state, batches } = makeProcess();
    start();
    await load(40);
    expect(batches).toEqual([1, 2, 4, 8, 10]);
    expect(state.idle).toBe(15);
  });

  it('frees what is unused first, and releases nothing if that is enough', async () => {
    const { start, load, state } = makeProcess();
    start();
    state.garbageBytes = 100;
    await load(16);
    expect([state.idle, state.collections, state.freedBytes]).toEqual([16, 1, 0]);
  });

  it('gives freed memory back before it collects garbage', async () => {
    const { start, load, state } = makeProcess();
    start();
    state.freedBytes = 100;
    await load(16);
    expect([state.idle, state.collections]).toEqual([16, 0]);
  });

  it('collects garbage at most once in sixteen loads of a process that does not grow', async () => {
    const { start, load, state } = makeProcess();
    start();
    for (let loads = 0; loads < 16; loads++) await load();
    for (let loads = 0; loads < 160; loads++) await load();
    expect(state.collections).toBeGreaterThan(1);
    expect(state.collections).toBeLessThanOrEqual(10);
    expect(state.idle).toBeGreaterThan(12);
  });

  it('keeps a quarter of the limit for values if something else takes the memory', async () => {
    const { start, load, state } = makeProcess();
    start();
    state.otherBytes += 500;
    await load(3);
    expect(state.idle).toBe(0);
    for (let loads = 0; loads < 4; loads++) await load();
    expect(state.idle).toBe(4);
    await load();
    expect(state.idle).toBeLessThan(5);
    // What took the memory has gone.
    state.otherBytes -= 500;
    await load(3);
    const { idle } = state;
    for (let loads = idle; loads < 16; loads++) await load();
    expect(state.idle).toBe(16);
    await load();
    expect(state.idle).toBe(15);
  });

  it('tolerates nothing if the last idle value made the process small enough, though without room for more', async () => {
    const { start, load, state } = makeProcess();
    start();
    // Within the limit, but not by a sixteenth.
    state.otherBytes += 155;
    await load();
    expect(state.idle).toBe(0);
    await load(2);
    expect(state.idle).toBe(0);
  });

  it('does not take garbage for something else', async () => {
    const { start, load, state } = makeProcess();
    start();
    state.otherBytes += 200;
    await load();
    state.otherBytes -= 200;
    await load(16);
    expect(state.idle).toBe(16);
    // Not due yet, as the process has not grown.
    Object.assign(state, { otherBytes: 1_000, garbageBytes: 200 });
    await load();
    expect([state.idle, state.garbageBytes]).toEqual([15, 0]);
    await load(2);
    expect(state.idle).toBe(15);
  });

  it('tries again after the next load if values were in use', async () => {
    const { start, load, state } = makeProcess();
    start();
    Object.assign(state, { otherBytes: 1_160, areInUse: true });
    await load();
    // They are idle now.
    Object.assign(state, { otherBytes: 1_000, idle: 17 });
    await load();
    expect(state.idle).toBe(15);
  });

  it('releases nothing where freed memory does not leave the process', async () => {
    const { start, load, state } = makeProcess({ canTrim: false });
    start();
    await load(100);
    expect([state.idle, state.collections]).toEqual([100, 0]);
  });
});
