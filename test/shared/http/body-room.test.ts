import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type BodyPart, type BodyRoom, createBodyRoom } from '../../../shared/http/body-room.ts';
import { rejectionOf } from '../../support/error-of.ts';

const NO_ROOM =
  'The server holds request bodies of 100 bytes already, which is the limit (MAX_BODIES_BYTES); send it again later.';

afterEach(() => {
  vi.useRealTimers();
});

/** Takes room, and resolves when it is granted. */
function take(part: BodyPart, bytes: number, name: string, entered: string[]): Promise<void> {
  return part.resize(bytes).then(() => {
    entered.push(name);
  });
}

/** Whether that much room is free at once: a client that has gone does not wait. */
async function isFree(room: BodyRoom, bytes: number): Promise<boolean> {
  const part = room.open(AbortSignal.abort());
  const isIn = await part.resize(bytes).then(
    () => true,
    () => false,
  );
  part.close();
  return isIn;
}

describe('createBodyRoom', () => {
  it('lets in bodies that fit, and others in the order in which they came', async () => {
    const room = createBodyRoom(100);
    const [a, b, c, d] = [room.open(), room.open(), room.open(), room.open()];
    const entered: string[] = [];
    const all = [take(a, 60, 'a', entered), take(b, 60, 'b', entered), take(c, 30, 'c', entered)];
    await turn();
    // There is room for c, but b came first.
    expect(entered).toEqual(['a']);
    all.push(take(d, 20, 'd', entered));
    a.close();
    await turn();
    expect(entered).toEqual(['a', 'b', 'c']);
    c.close();
    await Promise.all(all);
    expect(entered).toEqual(['a', 'b', 'c', 'd']);
    b.close();
    d.close();
    expect(await isFree(room, 100)).toBe(true);
  });

  it('returns room that is not needed', async () => {
    const room = createBodyRoom(100);
    const [a, b] = [room.open(), room.open()];
    const entered: string[] = [];
    await a.resize(100);
    const later = take(b, 60, 'b', entered);
    await a.resize(50);
    await turn();
    expect(entered).toEqual([]);
    await a.resize(40);
    await later;
    expect(entered).toEqual(['b']);
    a.close();
    b.close();
    expect(await isFree(room, 100)).toBe(true);
  });

  it('takes the missing room when a part grows', async () => {
    const room = createBodyRoom(100);
    const part = room.open();
    await part.resize(40);
    await part.resize(90);
    expect(await isFree(room, 10)).toBe(true);
    expect(await isFree(room, 11)).toBe(false);
    part.close();
    expect(await isFree(room, 100)).toBe(true);
  });

  it('gives a body that is larger than the room all of the room', async () => {
    const room = createBodyRoom(100);
    const part = room.open();
    await part.resize(1_000);
    expect(await isFree(room, 1)).toBe(false);
    part.close();
    expect(await isFree(room, 100)).toBe(true);
  });

  it('can be closed more than once', async () => {
    const room = createBodyRoom(100);
    const [a, b] = [room.open(), room.open()];
    await a.resize(50);
    await b.resize(50);
    a.close();
    a.close();
    expect(await isFree(room, 51)).toBe(false);
    expect(await isFree(room, 50)).toBe(true);
  });

  it('lets others in when a client has gone that waited before them', async () => {
    const room = createBodyRoom(100);
    const client = new AbortController();
    const [a, gone, c] = [room.open(), room.open(client.signal), room.open()];
    const entered: string[] = [];
    await a.resize(60);
    const rejection = rejectionOf(gone.resize(60));
    const next = take(c, 40, 'c', entered);
    client.abort();
    expect(await rejection).toMatchObject({
      code: 'CLIENT_GONE',
      message: 'The client has closed the connection.',
    });
    await next;
    expect(entered).toEqual(['c']);
    gone.close();
    expect(await rejectionOf(gone.resize(60))).toMatchObject({ code: 'CLIENT_GONE' });
    a.close();
    c.close();
    expect(await isFree(room, 100)).toBe(true);
  });

  it('keeps nothing for a part that was closed while it waited', async () => {
    const room = createBodyRoom(100);
    const [a, b] = [room.open(), room.open()];
    await a.resize(100);
    const waiting = b.resize(100);
    b.close();
    a.close();
    await waiting;
    expect(await isFree(room, 100)).toBe(true);
  });

  it('refuses bodies when the maximum number waits', async () => {
    const room = createBodyRoom(100, { mostWaiting: 1 });
    const [a, b, c] = [room.open(), room.open(), room.open()];
    const entered: string[] = [];
    await a.resize(100);
    const waiting = take(b, 1, 'b', entered);
    expect(await rejectionOf(c.resize(1))).toMatchObject({
      code: 'TEMPORARILY_UNAVAILABLE',
      status: 503,
      message: NO_ROOM,
    });
    a.close();
    await waiting;
    b.close();
    expect(await isFree(room, 100)).toBe(true);
  });

  it('refuses a body that has waited for 30 s, and lets others in', async () => {
    vi.useFakeTimers();
    const room = createBodyRoom(100);
    const [a, b, c] = [room.open(), room.open(), room.open()];
    const entered: string[] = [];
    await a.resize(60);
    const rejection = rejectionOf(b.resize(60));
    await vi.advanceTimersByTimeAsync(29_999);
    const next = take(c, 40, 'c', entered);
    await vi.advanceTimersByTimeAsync(0);
    expect(entered).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(await rejection).toMatchObject({ code: 'TEMPORARILY_UNAVAILABLE', message: NO_ROOM });
    await next;
    expect(entered).toEqual(['c']);
    a.close();
    b.close();
    c.close();
    expect(await isFree(room, 100)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('reports every 15 s that a part is late, while others wait', async () => {
    vi.useFakeTimers();
    const room = createBodyRoom(100);
    const [part, other] = [room.open(), room.open()];
    await part.resize(100);
    let calls = 0;
    const end = part.watch(() => {
      calls++;
    });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(calls).toBe(0);
    const waiting = other.resize(1);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(calls).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toBe(1);
    end();
    part.close();
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
  });
});
