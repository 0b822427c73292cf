import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectWhenIdle } from '../../functions/collect-when-idle.ts';

describe('collectWhenIdle', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('collects once ten seconds have passed without a request', async () => {
    const { ask, collected } = open();
    await ask();
    vi.advanceTimersByTime(9_000);
    await ask();
    vi.advanceTimersByTime(9_000);
    expect(collected()).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(collected()).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(collected()).toBe(1);
  });

  it('collects what the start has left, before any request', () => {
    const { collected } = open();
    vi.advanceTimersByTime(9_000);
    expect(collected()).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(collected()).toBe(1);
  });

  it('waits for a request in progress, but not for one that failed', async () => {
    const { ask, finish, collected } = open();
    const slow = ask('slow');
    vi.advanceTimersByTime(50_000);
    expect(collected()).toBe(0);
    finish();
    await slow;
    await expect(ask('broken')).rejects.toThrow('broken');
    vi.advanceTimersByTime(10_000);
    expect(collected()).toBe(1);
  });

  it('collects again only when the process has grown by a tenth', async () => {
    const { ask, collected, grow } = open();
    for (const [factor, expected] of [
      [1, 1],
      [1.05, 1],
      [1.1, 2],
    ] as const) {
      grow(factor);
      await ask();
      vi.advanceTimersByTime(10_000);
      expect(collected()).toBe(expected);
    }
  });

  it('has its own collector, which frees memory', async () => {
    vi.useRealTimers();
    const garbage = new WeakRef(Buffer.alloc(1_000_000));
    // The value of a WeakRef is kept until the turn of the event loop ends.
    await new Promise(setImmediate);
    vi.useFakeTimers();
    await collectWhenIdle(async () => undefined)(...exchange());
    vi.advanceTimersByTime(10_000);
    expect(garbage.deref()).toBeUndefined();
  });
});

function open() {
  let collections = 0;
  let bytes = 100;
  let finish = (): void => undefined;
  const handle = collectWhenIdle(
    async ({ url }) => {
      if (url === 'slow') await new Promise<void>((resolve) => (finish = resolve));
      if (url === 'broken') throw new Error('broken');
    },
    {
      residentBytes: () => bytes,
      collect: () => {
        collections += 1;
      },
      trim: async () => true,
    },
  );
  return {
    ask: (url = '') => handle(...exchange(url)),
    finish: () => finish(),
    collected: () => collections,
    grow: (factor: number) => (bytes *= factor),
  };
}

function exchange(url = ''): [IncomingMessage, ServerResponse] {
  const request = Object.assign(new IncomingMessage(new Socket()), { url });
  return [request, new ServerResponse(request)];
}
