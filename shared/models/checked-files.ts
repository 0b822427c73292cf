import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createLimiter } from '../limiter.ts';
import { type Artifact, checkContent, checkHash } from './file-manifest.ts';
import { hashFile } from './hash-file.ts';

/** The files whose content this process has checked. */
export interface CheckedFiles {
  /**
   * Reads a file and, if its sha256 is known, compares it.
   * @param open opens its content, if a plain read is not enough
   * @throws DamageError when the content differs
   */
  check(artifact: Artifact, path: string, open?: () => Promise<Readable>): Promise<void>;
  /**
   * Begins to compare a file in a thread of its own. Until that thread finds a difference, the file counts as checked.
   * @returns `done` resolves once the content is known to be the same, and rejects with a DamageError when it differs
   */
  begin(artifact: Artifact, path: string): Promise<{ readonly done: Promise<void> }>;
  /** Records a file that the caller has checked itself, such as one that was renamed since. */
  note(artifact: Artifact, path: string): Promise<void>;
  /** Whether a file is unchanged since it was last checked or recorded. This only costs a `stat`. */
  isUnchanged(artifact: Artifact, path: string): Promise<boolean>;
}

const READ_BYTES = 1024 * 1024;
/** One thread hashes 1.5 GB/s, more than most disks give. */
const HASHING_THREADS = 2;

/**
 * Recognises a file by its inode, its size and its times. Of these, only the change time (ctime) cannot be set by a
 * program.
 */
export function createCheckedFiles(): CheckedFiles {
  const seen = new WeakMap<Artifact, string>();
  const inThread = createLimiter(HASHING_THREADS);
  return {
    check: async (
      artifact,
      path,
      open = async () => createReadStream(path, { highWaterMark: READ_BYTES }),
    ) => {
      // Taken before reading: if the file changes meanwhile, its facts change too.
      const facts = await readFacts(path);
      await checkContent(artifact, open);
      if (facts !== undefined) seen.set(artifact, facts);
    },
    begin: async (artifact, path) => {
      const facts = await readFacts(path);
      if (facts !== undefined) seen.set(artifact, facts);
      const done = inThread(async () => {
        try {
          const hash = await hashFile(path, artifact.sizeBytes, artifact.sizeBytes);
          checkHash(artifact, await hash.digest());
        } catch (error) {
          seen.delete(artifact);
          throw error;
        }
      });
      // The caller may fail before it waits.
      done.catch(() => undefined);
      return { done };
    },
    note: async (artifact, path) => {
      const facts = await readFacts(path);
      if (facts !== undefined) seen.set(artifact, facts);
    },
    isUnchanged: async (artifact, path) => {
      const facts = await readFacts(path);
      return facts !== undefined && seen.get(artifact) === facts;
    },
  };
}

async function readFacts(path: string): Promise<string | undefined> {
  const facts = await stat(path, { bigint: true }).catch(() => undefined);
  if (!facts?.isFile()) return undefined;
  return [facts.dev, facts.ino, facts.size, facts.mtimeNs, facts.ctimeNs].join(' ');
}
