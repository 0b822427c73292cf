import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { TEMPORARY_FOLDER } from '../../../shared/models/artifact-folder.ts';
import { type ModelStore, StoreError } from '../../../shared/stores/model-store.ts';
import {
  bytes,
  countGets,
  isModel,
  KIBIBYTE,
  makeFolder,
  memoryStore,
  rangesOf,
  setup,
} from '../../support/artifact-setup.ts';

describe('fetchFolder over a store with faults', () => {
  it('resumes at the byte where the connection was cut', async () => {
    const model = bytes(150 * KIBIBYTE);
    const { server, pauses, open } = await setup({ 'iris/1/model.onnx': model });
    const cut = { kind: 'cut', afterBytes: 1000 } as const;
    server.addFault({ when: ({ range }) => range?.end === 153600, times: 3, effect: cut });
    const path = await open().fetchFolder('iris/1');
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect(rangesOf(server.requests)).toEqual([
      { start: 0, end: 102400 },
      { start: 102400, end: 153600 },
      { start: 103400, end: 153600 },
      { start: 104400, end: 153600 },
      { start: 105400, end: 153600 },
    ]);
    expect(pauses).toEqual([100, 200, 400]);
  });

  it('gives up when the connection is cut every time, and says where', async () => {
    const { server, folder, pauses, open } = await setup({ 'iris/1/model.onnx': bytes(5000) });
    server.addFault({ when: isModel, effect: { kind: 'cut', afterBytes: 100 } });
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({
      reason: 'unreachable',
      message: expect.stringContaining(
        'the download of iris/1/model.onnx was interrupted 5 times, most recently at byte 500 of 5000',
      ),
    });
    expect(pauses).toEqual([100, 200, 400, 800]);
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
  });

  it('takes a slow body', async () => {
    const model = bytes(20 * KIBIBYTE);
    const { server, open } = await setup({ 'iris/1/model.onnx': model });
    server.addFault({ when: isModel, effect: { kind: 'slow', chunkBytes: 1024, pauseMs: 2 } });
    const path = await open().fetchFolder('iris/1');
    expect((await readFile(join(path, 'model.onnx'))).equals(model)).toBe(true);
    expect(countGets(server.requests)).toBe(1);
  });

  it('recovers from a few answers of "slow down"', async () => {
    const { server, pauses, open } = await setup({ 'iris/1/model.onnx': 'x' });
    const refuse = { kind: 'refuse', status: 503, code: 'SlowDown' } as const;
    server.addFault({ when: isModel, times: 3, effect: refuse });
    const path = await open().fetchFolder('iris/1');
    expect(await readFile(join(path, 'model.onnx'), 'utf8')).toBe('x');
    expect(server.requests.filter(isModel).map(({ status }) => status)).toEqual([503, 503, 503, 206]);
    expect(pauses).toEqual([100, 200, 400]);
  });

  it('rejects with "unreachable" when the answer is always "slow down"', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': 'x' });
    server.addFault({ when: isModel, effect: { kind: 'refuse', status: 503, code: 'SlowDown' } });
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({ reason: 'unreachable' });
    expect(countGets(server.requests)).toBe(5);
  });

  it('stops all other requests when one fails', async () => {
    const streams: Readable[] = [];
    const read: ModelStore['read'] = async () => {
      if (streams.length === 3) throw new StoreError('denied', 'not this one');
      const silent = new Readable({ read: () => undefined });
      streams.push(silent);
      return silent;
    };
    const store = memoryStore([50_000, 50_000, 50_000], read);
    const folder = await makeFolder();
    const cache = createArtifactCache({ store, folder, partBytes: 10_000, requests: 4 });
    await expect(cache.fetchFolder('iris/1')).rejects.toMatchObject({ message: 'not this one' });
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
    expect(await readdir(join(folder, TEMPORARY_FOLDER))).toEqual([]);
  });

  it('rejects with "missing" when an object goes away after the listing', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': 'x' });
    const action = () => server.remove('iris/1/model.onnx');
    server.addFault({ when: isModel, effect: { kind: 'run', action } });
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({ reason: 'missing' });
  });

  it('lists again when an object was replaced after the listing', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': 'old', 'iris/1/a': 'a' });
    const action = () => server.put('iris/1/model.onnx', 'newer');
    server.addFault({ when: isModel, times: 1, effect: { kind: 'run', action } });
    const path = await open().fetchFolder('iris/1');
    expect(await readFile(join(path, 'model.onnx'), 'utf8')).toBe('newer');
  });

  it('rejects with "changed" when an object is replaced again and again', async () => {
    const { server, open } = await setup({ 'iris/1/model.onnx': '0' });
    let count = 0;
    const action = () => server.put('iris/1/model.onnx', String(++count));
    server.addFault({ when: isModel, effect: { kind: 'run', action } });
    await expect(open().fetchFolder('iris/1')).rejects.toMatchObject({ reason: 'changed' });
    expect(count).toBe(2);
  });
});
