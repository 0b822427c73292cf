import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkTextOf } from '../json/check-json.ts';
import { parseMembers } from '../json/members.ts';
import { createLimiter } from '../limiter.ts';
import { contentOf } from '../models/content-of.ts';
import { type Deployment, parseDeployment } from '../models/deployment.ts';
import { DEPLOYMENT_FILE } from '../models/formats/format-folder.ts';
import { releasePath, revisionOf } from '../models/repository-listing.ts';
import type { Serving } from '../models/serving.ts';
import { type Loaded, StoreError, type WritableStore } from '../stores/model-store.ts';
import { type Card, type Release, releaseSchema } from './state.ts';
import { updateIndex } from './update-index.ts';

/** The state of a model after its newest change; revision 0 without any. */
export interface Current {
  readonly revision: number;
  readonly serving: Serving;
  readonly card: Card;
  /** The newest change itself; undefined at revision 0. */
  readonly release?: Release | undefined;
}

/** Who changes something, and why. */
export interface Signed {
  readonly by: string;
  readonly why: string;
  /** What was asked for, such as `promote 3`. */
  readonly action: string;
  /** The revision that the change was decided for; undefined: a change that fits any. */
  readonly expected?: number | undefined;
}

/** What a change leaves; members that are left out stay as they were. */
export interface Changed {
  readonly serving?: Serving;
  readonly card?: Card;
}

/** The states of all models of a repository, each with its history. Models are named by their folders. */
export interface ReleaseLog {
  /**
   * The newest state. If the last writer was interrupted after its change, what points to the change is repaired.
   *
   * @throws StoreError, `corrupt` when the newest change is gone or cannot be read
   */
  read(model: string): Promise<Current>;
  /**
   * Commits one change: the writer that is first to write the next revision has won. A change that fits any revision is made again
   * from the new state if another was faster.
   *
   * @param make the new state from the current one; it throws to refuse
   * @throws ConflictError when the expected revision is not the newest, StoreError
   */
  change(
    model: string,
    signed: Signed,
    make: (current: Current) => Promise<Changed> | Changed,
  ): Promise<Release>;
  /** The numbers of all changes of a model, oldest first. */
  revisions(model: string): Promise<readonly number[]>;
  /**
   * The changes of a model that can be read, oldest first.
   *
   * @param revisions by default all
   */
  history(model: string, revisions?: readonly number[]): Promise<readonly Release[]>;
  /** The state after a revision, where 0 is the one before the first change; undefined if it cannot be read. */
  stateAt(model: string, revision: number): Promise<Pick<Current, 'serving' | 'card'> | undefined>;
  /** What is wrong with the history of a model: edited, missing and cut-off changes. */
  verify(model: string): Promise<readonly Flaw[]>;
}

/** Something that is wrong with a history. */
export interface Flaw {
  readonly revision: number;
  /** Completes a sentence about the file of the revision, such as `is missing`. */
  readonly problem: string;
}

/** Somebody else has changed the model in the meantime. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
  readonly winner: Release;

  constructor(winner: Release) {
    const { model, revision, by, at, action } = winner;
    super(`${by} was faster: revision ${revision} of model "${model}" is "${action}", of ${at}.`);
    this.winner = winner;
  }
}

export interface ReleaseLogOptions {
  /** Called when a change is committed, but what points to it could not be written. The next reader tries it again. */
  readonly onProblem?: ((what: string, error: unknown) => void) | undefined;
}

/** The newest change as it was found. */
interface Newest extends Current {
  /** SHA-256 of its bytes. */
  readonly hash: string;
  /** Time by the store's clock. */
  readonly storeMs: number;
  readonly pointer: Pointer;
}

/** `deployment.json`, which points to the newest change. Before the first one it may be a file with aliases. */
interface Pointer {
  readonly etag?: string | undefined;
  readonly bytes: Buffer;
  readonly members: Readonly<Record<string, unknown>>;
  readonly revision: number;
  /** SHA-256 of the newest change, which no later one vouches for. */
  readonly hash: string | undefined;
}

const NONE: Serving = { aliases: {}, archived: [] };
const EMPTY_CARD: Card = { tags: {}, versions: {} };
/** How often a change is made again because others were faster. */
const ATTEMPTS = 200;
const LONGEST_PAUSE_MS = 500;
/** Files that are read at the same time. */
const READS = 16;

/** A change is one line wherever changes are listed, and must not look like two. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

export function createReleaseLog(store: WritableStore, { onProblem }: ReleaseLogOptions = {}): ReleaseLog {
  /** The first file that is written creates a missing folder. Nothing creates a missing bucket. */
  async function load(path: string): Promise<Loaded> {
    try {
      return await store.load(path);
    } catch (error) {
      if (!store.localPath || !(error instanceof StoreError) || error.reason !== 'missing') throw error;
      return { is: 'missing', storeMs: Date.now() };
    }
  }

  async function readPointer(model: string): Promise<Pointer> {
    const loaded = await load(`${model}/${DEPLOYMENT_FILE}`);
    const bytes = loaded.is === 'there' ? loaded.content : Buffer.alloc(0);
    const members = parseMembers(bytes.toString());
    const { revision, sha256 } = members;
    return {
      etag: loaded.is === 'there' ? loaded.file.etag : undefined,
      bytes,
      members,
      revision: typeof revision === 'number' && Number.isSafeInteger(revision) && revision > 0 ? revision : 0,
      hash: typeof sha256 === 'string' ? sha256 : undefined,
    };
  }

  /** The change of a revision; undefined if there is none. */
  async function loadRelease(model: string, revision: number) {
    const path = releasePath(model, revision);
    const loaded = await load(path);
    const { storeMs } = loaded;
    if (loaded.is !== 'there') return { storeMs };
    const parsed = await checkTextOf(releaseSchema, loaded.content.toString());
    if (!parsed.success) throw new StoreError('corrupt', `${path} of ${store.url} ${parsed.problem}.`);
    return { storeMs, release: parsed.data, hash: hashOf(loaded.content) };
  }

  /** A change that can be read. */
  async function readable(model: string, revision: number): Promise<Release | undefined> {
    try {
      return (await loadRelease(model, revision)).release;
    } catch (error) {
      if (error instanceof StoreError && error.reason === 'corrupt') return undefined;
      throw error;
    }
  }

  async function findNewest(model: string): Promise<Newest> {
    const pointer = await readPointer(model);
    let found = pointer.revision > 0 ? await loadRelease(model, pointer.revision) : undefined;
    if (found !== undefined && found.release === undefined) throw cutOff(model, pointer.revision);
    let { revision } = pointer;
    for (;;) {
      const next = await loadRelease(model, revision + 1);
      if (next.release === undefined) {
        const { storeMs } = next;
        if (found?.release === undefined) return { ...(await stateBefore(pointer)), storeMs, pointer };
        const { release, hash } = found;
        return { revision, serving: release.serving, card: release.card, release, hash, storeMs, pointer };
      }
      found = next;
      revision += 1;
    }
  }

  function cutOff(model: string, revision: number): StoreError {
    return new StoreError(
      'corrupt',
      `${model}/${DEPLOYMENT_FILE} of ${store.url} points to ${releasePath(model, revision)}, which is gone. "ternion history ${model} --verify" says what else is missing, and "ternion restore" brings it back from a mirror.`,
    );
  }

  /** A model without any change: as its files and its `deployment.json` have it. */
  async function stateBefore({ bytes }: Pick<Pointer, 'bytes'>) {
    const given: Pick<Deployment, 'aliases'> =
      bytes.length > 0 ? await parseDeployment(bytes.toString()) : { aliases: {} };
    return {
      revision: 0,
      serving: { ...NONE, aliases: given.aliases },
      card: EMPTY_CARD,
      hash: hashOf(bytes),
    };
  }

  /** Writes what points to a change. The change counts without it, so a failure is only reported. */
  async function point(model: string, release: Release, hash: string, pointer: Pointer): Promise<void> {
    try {
      await updateIndex(store, [model]);
      // The last file: as long as it points to an earlier change, the next reader repairs both.
      if (release.revision > pointer.revision) await writePointer(model, release, hash, pointer);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      onProblem?.(
        `revision ${release.revision} of model "${model}" is committed, but not every server sees it yet`,
        error,
      );
    }
  }

  async function writePointer(
    model: string,
    release: Pick<Release, 'revision' | 'serving'>,
    hash: string,
    pointer: Pointer,
  ): Promise<void> {
    const { revision, serving } = release;
    const members = { ...pointer.members, aliases: serving.aliases, revision, sha256: hash };
    const content = contentOf(Buffer.from(`${JSON.stringify(members, null, 2)}\n`));
    try {
      await store.write(`${model}/${DEPLOYMENT_FILE}`, content, pointer.etag);
    } catch (error) {
      if (!(error instanceof StoreError) || error.reason !== 'changed') throw error;
      // Another writer points to this change, or to a later one.
      const found = await readPointer(model);
      if (found.revision < revision) await writePointer(model, release, hash, found);
    }
  }

  /** The bytes that revision 1 vouches for, which its pointer replaces. */
  async function keepOriginal(model: string, { bytes }: Pointer): Promise<void> {
    if (bytes.length > 0) await writeOnce(releasePath(model, 0), bytes);
  }

  /** @returns whether this call has written it */
  async function writeOnce(path: string, bytes: Buffer): Promise<boolean> {
    try {
      await store.write(path, contentOf(bytes));
      return true;
    } catch (error) {
      if (error instanceof StoreError && error.reason === 'changed') return false;
      throw error;
    }
  }

  /**
   * Writes the next revision. An answer can be lost although the change was written, so a refusal or a failure is
   * followed by a look at what is there.
   *
   * @returns undefined if another change is there
   */
  async function commit(release: Release, bytes: Buffer): Promise<Release | undefined> {
    const { model, revision, id } = release;
    const isThere = async () => (await loadRelease(model, revision)).release?.id === id;
    try {
      if (await writeOnce(releasePath(model, revision), bytes)) return release;
    } catch (error) {
      if (await isThere().catch(() => false)) return release;
      throw error;
    }
    return (await isThere()) ? release : undefined;
  }

  async function listRevisions(model: string): Promise<readonly number[]> {
    const files = await store.list(`releases/${model}`).catch((error: unknown) => {
      if (error instanceof StoreError && error.reason === 'missing') return [];
      throw error;
    });
    const revisions = files.flatMap(({ path }) => revisionOf(path)?.revision ?? []);
    // 0 is what was there before the first change.
    return revisions.filter((revision) => revision > 0).sort((a, b) => a - b);
  }

  return {
    read: async (model) => {
      const { pointer, hash, storeMs: _, ...current } = await findNewest(model);
      if (current.release && current.revision > pointer.revision)
        await point(model, current.release, hash, pointer);
      return current;
    },
    change: async (model, { expected, by, why, action }, make) => {
      for (let attempt = 1; ; attempt++) {
        const newest = await findNewest(model);
        if (expected !== undefined && newest.revision !== expected)
          throw newest.release ? new ConflictError(newest.release) : cutOff(model, expected);
        const { serving = newest.serving, card = newest.card } = await make(newest);
        const release: Release = {
          model,
          revision: newest.revision + 1,
          id: randomUUID(),
          at: new Date(newest.storeMs).toISOString(),
          by: oneLine(by),
          why: oneLine(why),
          action: oneLine(action),
          previous: newest.hash,
          serving,
          card,
        };
        const bytes = Buffer.from(`${JSON.stringify(release, null, 2)}\n`);
        if (newest.revision === 0) await keepOriginal(model, newest.pointer);
        if ((await commit(release, bytes)) !== undefined) {
          await point(model, release, hashOf(bytes), newest.pointer);
          return release;
        }
        if (attempt >= ATTEMPTS) {
          const { release: winner } = await findNewest(model);
          if (winner) throw new ConflictError(winner);
        }
        // Those who lost together do not try it again at the same moment.
        await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, 10 * 2 ** attempt));
      }
    },
    revisions: listRevisions,
    history: async (model, revisions) => {
      const limit = createLimiter(READS);
      const found = await Promise.all(
        (revisions ?? (await listRevisions(model))).map((revision) =>
          limit(async () => (await readable(model, revision)) ?? []),
        ),
      );
      return found.flat();
    },
    stateAt: async (model, revision) => {
      if (revision > 0) return await readable(model, revision);
      const [first, original] = [await load(releasePath(model, 1)), await load(releasePath(model, 0))];
      // Before the first change, `deployment.json` is the original.
      if (first.is !== 'there') return await stateBefore(await readPointer(model));
      return await stateBefore({ bytes: original.is === 'there' ? original.content : Buffer.alloc(0) });
    },
    verify: async (model) => {
      const pointer = await readPointer(model);
      const revisions = new Set(await listRevisions(model));
      const last = Math.max(0, pointer.revision, ...revisions);
      const original = await store.load(releasePath(model, 0));
      const flaws: Flaw[] = [];
      let before: string | undefined = hashOf(
        original.is === 'there' ? original.content : last === 0 ? pointer.bytes : Buffer.alloc(0),
      );
      for (let revision = 1; revision <= last; revision++) {
        const { problem, hash } = await check(model, revision, before);
        if (problem !== undefined) flaws.push({ revision, problem });
        if (revision === pointer.revision && hash !== undefined && hash !== pointer.hash)
          flaws.push({ revision, problem: `has other bytes than ${DEPLOYMENT_FILE} vouches for` });
        before = hash;
      }
      return flaws;
    },
  };

  /** What is wrong with one change; `hash` is undefined if nothing can be said about the change after it. */
  async function check(
    model: string,
    revision: number,
    before: string | undefined,
  ): Promise<{ readonly problem?: string | undefined; readonly hash?: string | undefined }> {
    const loaded = await store.load(releasePath(model, revision));
    if (loaded.is !== 'there') return { problem: 'is missing' };
    const hash = hashOf(loaded.content);
    const parsed = await checkTextOf(releaseSchema, loaded.content.toString());
    if (!parsed.success) return { problem: parsed.problem, hash };
    const { data } = parsed;
    if (data.model !== model || data.revision !== revision)
      return { problem: `is revision ${data.revision} of model "${data.model}"`, hash };
    if (before !== undefined && data.previous !== before)
      return {
        problem: `does not follow from revision ${revision - 1}: that one, or this one, was edited`,
        hash,
      };
    return { hash };
  }
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
