import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Artifact, checkContent } from './file-manifest.ts';

/** Which files this process has seen to hold what they should. */
export interface CheckedFiles {
  /**
   * Reads a file and compares it with its sha256, where that is known.
   * @param open gives its content, where that is not simply to be read
   * @throws DamageError when the file holds something else
   */
  check(artifact: Artifact, path: string, open?: () => Promise<Readable>): Promise<void>;
  /** Notes what the caller has checked itself, such as a file that was renamed since. */
  note(artifact: Artifact, path: string): Promise<void>;
  /** Whether a file is as it was when it was checked or noted last. It costs no more than a look at its facts. */
  isUnchanged(artifact: Artifact, path: string): Promise<boolean>;
}

const READ_BYTES = 1024 * 1024;

/** Knows a file by its place on the disk, its size and its times. Only the time of change cannot be set by a program. */
export function createCheckedFiles(): CheckedFiles {
  const seen = new WeakMap<Artifact, string>();
  return {
    check: async (
      artifact,
      path,
      open = async () => createReadStream(path, { highWaterMark: READ_BYTES }),
    ) => {
      // Before it is read: what changes it meanwhile gives it other facts.
      const facts = await readFacts(path);
      await checkContent(artifact, open);
      if (facts !== undefined) seen.set(artifact, facts);
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
