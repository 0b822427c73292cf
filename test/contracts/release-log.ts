import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseIndex } from '../../shared/models/repository-index.ts';
import { noteHeldBack, readHeldBack } from '../../shared/releases/held-back.ts';
import { ConflictError, createReleaseLog } from '../../shared/releases/release-log.ts';
import { updateIndex } from '../../shared/releases/update-index.ts';
import { StoreError, type WritableStore } from '../../shared/stores/model-store.ts';
import type { OpenStore } from './model-store.ts';

const SIGNED = { by: 'ada', why: 'it is better', action: 'promote 2' };
const FILES = { 'iris/1/model.onnx': 'one', 'iris/2/model.onnx': 'two', 'other/1/model.onnx': 'other' };

/** What the log of releases needs from its store. */
export function describeReleases(given: OpenStore): void {
  it('keeps each change of a model with who, when, why and the hash of the one before', async () => {
    const { store } = await given(FILES);
    const log = createReleaseLog(store);
    expect(await log.read('iris')).toMatchObject({ revision: 0, serving: { aliases: {}, archived: [] } });
    const beforeMs = Date.now();
    await log.change('iris', SIGNED, ({ serving }) => ({ serving: { ...serving, live: '1' } }));
    await log.change('iris', { ...SIGNED, by: 'bob' }, ({ serving, card }) => ({
      serving: { ...serving, live: '2' },
      card: { ...card, description: 'Flowers' },
    }));
    const [first, second] = await log.history('iris');
    expect(first).toMatchObject({ ...SIGNED, model: 'iris', revision: 1, serving: { live: '1' } });
    expect(second).toMatchObject({ by: 'bob', revision: 2, serving: { live: '2' } });
    expect(second?.card.description).toBe('Flowers');
    expect(first?.previous).toBe(createHash('sha256').digest('hex'));
    expect(second?.previous).toBe(await hashIn(store, 'releases/iris/1.json'));
    // The clock of a store counts seconds.
    expect(Math.abs(Date.parse(first?.at ?? '') - beforeMs)).toBeLessThan(30_000);
    expect(await log.read('iris')).toMatchObject({ revision: 2, serving: { live: '2' } });
    expect(await log.verify('iris')).toEqual([]);
    expect(await log.read('other')).toMatchObject({ revision: 0 });
  });

  it('keeps who and why on one line', async () => {
    const { store } = await given(FILES);
    const log = createReleaseLog(store);
    const forged = { by: 'eve\n2  2026-01-01  bob', why: 'a\u2028b\r\n', action: 'tag\u0000\u001b[2J x' };
    await log.change('iris', forged, ({ card }) => ({ card }));
    expect((await log.history('iris'))[0]).toMatchObject({
      by: 'eve 2  2026-01-01  bob',
      why: 'a b',
      action: 'tag [2J x',
    });
  });

  it('lets one of two operators win, and names the winner to the other', async () => {
    const { store } = await given(FILES);
    const operators = ['ada', 'bob', 'cyd', 'dan', 'eve'];
    const outcomes = await Promise.allSettled(
      operators.map(async (by) =>
        createReleaseLog(store).change('iris', { ...SIGNED, by, expected: 0 }, () => ({
          serving: { live: '2', aliases: { champion: '2' }, archived: [] },
        })),
      ),
    );
    const winners = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value.by : []));
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      expect(outcome.reason).toBeInstanceOf(ConflictError);
      expect(outcome.reason.message).toContain(`${winners[0]} was faster: revision 1 of model "iris"`);
    }
    expect((await createReleaseLog(store).history('iris')).map(({ by }) => by)).toEqual(winners);
  });

  it('makes a change that fits any revision again until it is there, so that none is lost', async () => {
    const { store } = await given(FILES);
    const writers = Array.from({ length: 4 }, (_, index) => index);
    await Promise.all(
      writers.map(async (writer) => {
        const log = createReleaseLog(store);
        for (const key of ['a', 'b', 'c']) {
          await log.change('iris', SIGNED, ({ card }) => ({
            card: { ...card, tags: { ...card.tags, [`${writer}${key}`]: key } },
          }));
        }
      }),
    );
    const log = createReleaseLog(store);
    const { revision, card } = await log.read('iris');
    expect(revision).toBe(12);
    expect(Object.keys(card.tags).sort()).toEqual(
      writers.flatMap((writer) => ['a', 'b', 'c'].map((key) => `${writer}${key}`)),
    );
    expect(await log.verify('iris')).toEqual([]);
    if (!store.localPath) expect((await indexOf(store)).get('iris')?.revision).toBe(12);
  });

  it('begins with the aliases of a deployment.json, whose bytes it keeps', async () => {
    const text = '{"aliases": {"champion": "1"}, "team": "flowers"}';
    const { store } = await given({ ...FILES, 'iris/deployment.json': text });
    const log = createReleaseLog(store);
    expect(await log.read('iris')).toMatchObject({ revision: 0, serving: { aliases: { champion: '1' } } });
    await log.change('iris', SIGNED, ({ serving }) => ({
      serving: { ...serving, live: '2', aliases: { ...serving.aliases, old: '1' } },
    }));
    expect(await textIn(store, 'releases/iris/0.json')).toBe(text);
    // Servers of earlier releases of Ternion read the aliases here.
    expect(JSON.parse((await textIn(store, 'iris/deployment.json')) ?? '')).toEqual({
      team: 'flowers',
      aliases: { champion: '1', old: '1' },
      revision: 1,
      sha256: await hashIn(store, 'releases/iris/1.json'),
    });
    expect(await log.verify('iris')).toEqual([]);
  });

  it('repairs what an interrupted writer has left', async () => {
    const subject = await given(FILES);
    const { store } = subject;
    const log = createReleaseLog(store);
    await log.change('iris', SIGNED, ({ serving }) => ({ serving: { ...serving, live: '1' } }));
    const pointer = (await textIn(store, 'iris/deployment.json')) ?? '';
    const index = await textIn(store, 'index.json');
    await log.change('iris', SIGNED, ({ serving }) => ({ serving: { ...serving, live: '2' } }));
    await subject.write('iris/deployment.json', pointer);
    if (index !== undefined) await subject.write('index.json', index);
    expect(await createReleaseLog(store).read('iris')).toMatchObject({ revision: 2, serving: { live: '2' } });
    expect(JSON.parse((await textIn(store, 'iris/deployment.json')) ?? '')).toMatchObject({ revision: 2 });
    if (!store.localPath)
      expect((await indexOf(store)).get('iris')).toMatchObject({ revision: 2, serving: { live: '2' } });
  });

  it('repairs an index that could not be written', async () => {
    const { store } = await given(FILES);
    const problems: string[] = [];
    const cut: WritableStore = {
      ...store,
      write: async (path, ...rest) => {
        if (path === 'index.json') throw new StoreError('unreachable', 'The store is away.');
        return await store.write(path, ...rest);
      },
    };
    const log = createReleaseLog(cut, { onProblem: (what) => problems.push(what) });
    await log.change('iris', SIGNED, ({ serving }) => ({ serving: { ...serving, live: '1' } }));
    if (store.localPath) return expect(problems).toEqual([]);
    expect(problems).toEqual(['revision 1 of model "iris" is committed, but not every server sees it yet']);
    expect(await createReleaseLog(store).read('iris')).toMatchObject({ revision: 1 });
    expect((await indexOf(store)).get('iris')).toMatchObject({ revision: 1, serving: { live: '1' } });
  });

  it('finds edited, missing and cut-off changes', async () => {
    const subject = await given(FILES);
    const { store } = subject;
    const log = createReleaseLog(store);
    for (const live of ['1', '2', '1', '2'])
      await log.change('iris', SIGNED, ({ serving }) => ({ serving: { ...serving, live } }));
    const texts = new Map<number, string>();
    for (const revision of [1, 2, 3, 4])
      texts.set(revision, (await textIn(store, `releases/iris/${revision}.json`)) ?? '');
    const write = async (revision: number, text = texts.get(revision) ?? '') =>
      await subject.write(`releases/iris/${revision}.json`, text);
    const edit = (revision: number) => (texts.get(revision) ?? '').replace('it is better', 'nobody asked');

    await write(2, edit(2));
    expect(await log.verify('iris')).toEqual([
      { revision: 3, problem: expect.stringContaining('does not follow from revision 2') },
    ]);
    await write(2);
    await write(4, edit(4));
    expect(await log.verify('iris')).toEqual([
      { revision: 4, problem: 'has other bytes than deployment.json vouches for' },
    ]);
    await write(4);
    await subject.remove('releases/iris/2.json');
    expect(await log.verify('iris')).toEqual([{ revision: 2, problem: 'is missing' }]);
    await write(2);
    await subject.remove('releases/iris/4.json');
    expect(await log.verify('iris')).toEqual([{ revision: 4, problem: 'is missing' }]);
    const corrupt = { name: 'StoreError', reason: 'corrupt' };
    await expect(log.change('iris', SIGNED, () => ({}))).rejects.toMatchObject(corrupt);
    await write(4, 'no JSON');
    await expect(log.read('iris')).rejects.toMatchObject(corrupt);
    await write(4);
    expect(await log.verify('iris')).toEqual([]);
  });

  it('has beside its changes which versions were held back, once for each change', async () => {
    const subject = await given(FILES);
    const { store } = subject;
    const log = createReleaseLog(store);
    const failed = { folder: 'iris', version: '2', reason: 'model.onnx is not a graph', instance: 'a' };
    const note = async (changes: Partial<Parameters<typeof noteHeldBack>[1]>) =>
      await noteHeldBack(store, { ...failed, serving: { aliases: {}, archived: [] }, ...changes });
    await note({});
    expect(await readHeldBack(store, 'iris')).toEqual([]);
    for (const live of ['2', '1', '2'])
      await log.change('iris', SIGNED, ({ serving }) => ({ serving: { ...serving, live } }));
    // A change of what people know is not what the instances could not follow.
    await log.change('iris', SIGNED, ({ card }) => ({ card: { ...card, description: 'Flowers' } }));
    const { serving } = await log.read('iris');
    await Promise.all(['a', 'b'].map((instance) => note({ serving, instance })));
    await note({ serving, instance: 'c', reason: 'it came later' });
    await note({ serving: { ...serving, live: '1' }, version: '1', instance: 'd' });
    await subject.write('releases/iris/held-back/9-9.json', 'no JSON');

    const notes = await readHeldBack(store, 'iris');
    expect(notes).toEqual([
      { revision: 2, version: '1', at: expect.any(String), reason: failed.reason, instance: 'd' },
      {
        revision: 3,
        version: '2',
        at: expect.any(String),
        reason: failed.reason,
        instance: expect.stringMatching(/^[ab]$/),
      },
    ]);
    for (const { at } of notes) expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(30_000);
    expect((await log.history('iris')).map(({ revision }) => revision)).toEqual([1, 2, 3, 4]);
    expect(await log.verify('iris')).toEqual([]);
    if (!store.localPath) {
      await updateIndex(store);
      const index = await indexOf(store);
      expect([...index.keys()]).toEqual(['iris', 'other']);
      expect(index.get('iris')).toMatchObject({ versions: ['1', '2'], revision: 4 });
    }
  });

  it('writes an index of a remote repository, and none of a folder', async () => {
    const subject = await given({
      ...FILES,
      'iris/config.pbtxt': 'version_policy { latest { num_versions: 1 } }',
      'other/config.pbtxt': 'version_policy {',
      'other/deployment.json': '{"aliases": {"best": "1"}}',
      'releases/iris/7.json': '{}',
      'half/1/model.json': '{}',
    });
    const { store } = subject;
    await updateIndex(store);
    if (store.localPath) {
      expect(await textIn(store, 'index.json')).toBeUndefined();
      return;
    }
    const index = await indexOf(store);
    expect([...index.keys()]).toEqual(['iris', 'other']);
    expect(index.get('iris')).toEqual({
      versions: ['1', '2'],
      policy: { latest: { num_versions: 1 } },
      revision: 7,
      problem: expect.stringContaining('serving'),
    });
    expect(index.get('other')).toEqual({
      versions: ['1'],
      problem: expect.stringContaining('config.pbtxt'),
      revision: 0,
      serving: { aliases: { best: '1' }, archived: [] },
    });
    await subject.write('iris/3/model.onnx', 'three');
    await subject.remove('other/1/model.onnx');
    await updateIndex(store, ['iris']);
    expect((await indexOf(store)).get('iris')?.versions).toEqual(['1', '2', '3']);
    expect((await indexOf(store)).has('other')).toBe(true);
    await updateIndex(store);
    expect((await indexOf(store)).has('other')).toBe(false);
    await subject.write('index.json', '{"format": 2}');
    await updateIndex(store, ['iris']);
    expect([...(await indexOf(store)).keys()]).toEqual(['iris']);
  });
}

async function textIn(store: WritableStore, path: string): Promise<string | undefined> {
  const loaded = await store.load(path);
  return loaded.is === 'there' ? loaded.content.toString() : undefined;
}

async function hashIn(store: WritableStore, path: string): Promise<string> {
  return createHash('sha256')
    .update((await textIn(store, path)) ?? '')
    .digest('hex');
}

async function indexOf(store: WritableStore) {
  return await parseIndex((await textIn(store, 'index.json')) ?? '');
}
