import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a server of files does wrong. */
export type StoreEffect =
  /** Cuts the connection, before the answer or after a number of bytes of its body. */
  | { readonly kind: 'cut'; readonly afterBytes?: number }
  /** Goes silent, before the answer or after a number of bytes of its body. */
  | { readonly kind: 'hang'; readonly afterBytes?: number }
  | { readonly kind: 'slow'; readonly chunkBytes: number; readonly pauseMs: number }
  /** Is silent for a while before the answer. */
  | { readonly kind: 'late'; readonly pauseMs: number }
  /** Flips the first byte of the body. */
  | { readonly kind: 'wrong-bytes' }
  | { readonly kind: 'refuse'; readonly status: number; readonly code: string }
  /** Does something before the answer, such as replacing an object. A promise is waited for. */
  | { readonly kind: 'run'; readonly action: () => unknown };

export interface StoreFault<R> {
  readonly when: (request: R) => boolean;
  /** How often it occurs; always when left out. */
  readonly times?: number;
  readonly effect: StoreEffect;
}

/** The faults of a server, the first of which that fits a request occurs. */
export class StoreFaults<R> {
  readonly #faults: (StoreFault<R> & { left: number })[] = [];

  add(fault: StoreFault<R>): void {
    this.#faults.push({ ...fault, left: fault.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#faults.splice(0);
  }

  take(request: R): StoreEffect | undefined {
    const fault = this.#faults.find(({ left, when }) => left > 0 && when(request));
    if (!fault) return undefined;
    fault.left -= 1;
    return fault.effect;
  }
}

/** Whether a fault leaves a request without any answer; if it cuts the connection, that happens here. */
export function staysUnanswered(effect: StoreEffect | undefined, response: ServerResponse): boolean {
  if ((effect?.kind !== 'hang' && effect?.kind !== 'cut') || effect.afterBytes !== undefined) return false;
  if (effect.kind === 'cut') response.destroy();
  return true;
}

/** Sends the body of an answer, whose head has been written, with the fault of its request. */
export async function sendBody(
  response: ServerResponse,
  body: Buffer,
  effect: StoreEffect | undefined,
  request: { sentBytes: number },
): Promise<void> {
  const stopAt = effect?.kind === 'cut' || effect?.kind === 'hang' ? effect.afterBytes : undefined;
  const step = effect?.kind === 'slow' ? effect.chunkBytes : 64 * 1024;
  const sent = body.subarray(0, stopAt);
  response.flushHeaders();
  for (let at = 0; at < sent.length && !response.destroyed; at += step) {
    const chunk = sent.subarray(at, at + step);
    // Waits until the chunk has left, so that a cut happens at the exact byte.
    await new Promise((resolve) => response.write(chunk, resolve));
    request.sentBytes += chunk.length;
    if (effect?.kind === 'slow') await sleep(effect.pauseMs);
  }
  if (effect?.kind === 'cut') response.destroy();
  else if (effect?.kind !== 'hang') response.end();
}

/** A part of a content, as it is sent with the fault of its request. */
export function cutOut(content: Buffer, start: number, end: number, effect: StoreEffect | undefined): Buffer {
  const body = Buffer.from(content.subarray(start, end));
  if (effect?.kind === 'wrong-bytes' && body.length > 0) body.writeUInt8(body.readUInt8(0) ^ 0xff, 0);
  return body;
}

/** The files of a folder by their path. */
export function readFolder(folder: string): Record<string, Buffer> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(
    files.map((path) => [path.split(sep).join('/'), readFileSync(join(folder, path))]),
  );
}

/** The names that a page of a listing has, in the order of their bytes, and whether there are more. */
export function pageOf(
  names: Iterable<string>,
  { prefix, after, most }: { readonly prefix: string; readonly after: string; readonly most: number },
): { readonly page: readonly string[]; readonly more: boolean } {
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const left = [...names]
    .sort(compare)
    .filter((name) => name.startsWith(prefix) && (after === '' || compare(name, after) > 0));
  return { page: left.slice(0, most), more: left.length > most };
}
