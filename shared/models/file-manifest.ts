import type { Readable } from 'node:stream';
import * as z from 'zod/mini';
import { checkTextOf } from '../json/check-json.ts';
import { nodeCrypto } from '../node-modules.ts';
import { type StoredFile, StoreError } from '../stores/model-store.ts';

/** The file of a model version that lists the others. */
export const MANIFEST_FILE = 'files.json';

/** `files.json`: the list that publishing writes into a model version's folder. */
const fileManifestSchema = z.strictObject({
  files: z
    .array(
      z.strictObject({
        path: z
          .string()
          .check(
            z.refine(
              isPlainPath,
              'must be a relative path below the folder, with forward slashes and without ".."',
            ),
          ),
        sizeBytes: z.int().check(z.minimum(0)),
        sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits')),
      }),
    )
    .check(
      z.minLength(1),
      z.refine(
        (files) => new Set(files.map(({ path }) => path)).size === files.length,
        'must have distinct paths',
      ),
    ),
});

export type FileManifest = z.infer<typeof fileManifestSchema>;

/** One file of a model version, with what is known about its content. */
export interface Artifact {
  /** Path below the version's folder. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Known when the version has a `files.json`. */
  readonly sha256: string | undefined;
  readonly source: StoredFile;
}

/** A `files.json` cannot be used, or the version lacks a file that it lists. */
export class ManifestError extends StoreError {
  /**
   * Which file of the version has which problem, without paths of the host, so that clients may see it. It follows `its
   * `.
   */
  readonly problem: string;

  /** @param prefix the version's folder with a slash at the end, or '' */
  constructor(reason: 'missing' | 'corrupt', prefix: string, problem: string) {
    super(reason, `${prefix}${problem}.`);
    this.problem = problem;
  }
}

/**
 * Reads the text of a `files.json`.
 *
 * @param prefix the version's folder with a slash at the end, for the message
 * @throws ManifestError `corrupt` naming each field that is wrong
 */
export async function parseFileManifest(text: string, prefix: string): Promise<FileManifest> {
  const parsed = await checkTextOf(fileManifestSchema, text);
  if (parsed.success) return parsed.data;
  throw new ManifestError('corrupt', prefix, `${MANIFEST_FILE} ${parsed.problem}`);
}

/**
 * The files that a version consists of: those that its manifest names or, without a manifest, all listed files.
 *
 * @param listed the files below the version's folder
 * @param prefix the version's folder with a slash at the end, or '' for the whole repository
 * @throws ManifestError when the listing lacks a file that the manifest names; StoreError
 */
export function selectArtifacts(
  listed: readonly StoredFile[],
  prefix: string,
  manifest: FileManifest | undefined,
): Artifact[] {
  const byPath = new Map(listed.map((file) => [file.path.slice(prefix.length), file]));
  if (!manifest) return [...byPath].map(([path, source]) => toArtifact(path, source));
  return manifest.files.map(({ path, sizeBytes, sha256 }) => {
    const source = byPath.get(path);
    if (!source) {
      throw new ManifestError('missing', prefix, `${path} is listed in ${MANIFEST_FILE} but is missing`);
    }
    if (source.sizeBytes !== sizeBytes) {
      const problem = `${path} has ${source.sizeBytes} bytes; ${MANIFEST_FILE} says ${sizeBytes}`;
      throw new ManifestError('corrupt', prefix, problem);
    }
    return { path, sizeBytes, sha256, source };
  });
}

/** The content of a file differs from what its manifest says. */
export class DamageError extends StoreError {
  /** Path below the version's folder. */
  readonly file: string;

  constructor({ path, sha256, source }: Artifact, got: string) {
    super('corrupt', `${source.path} is damaged: its sha256 is ${got}; ${MANIFEST_FILE} says ${sha256}.`);
    this.file = path;
  }
}

/** @throws DamageError when the sha256 of the bytes is not the one in the manifest */
export async function checkContent(artifact: Artifact, open: () => Promise<Readable>): Promise<void> {
  if (artifact.sha256 === undefined) return;
  const hash = nodeCrypto().createHash('sha256');
  for await (const chunk of await open()) hash.update(chunk);
  checkHash(artifact, hash.digest('hex'));
}

/** @throws DamageError when the sha256 of a file is known and is not this one */
export function checkHash(artifact: Artifact, got: string): void {
  if (artifact.sha256 !== undefined && got !== artifact.sha256) throw new DamageError(artifact, got);
}

/** Whether a path stays below the folder it is joined to, on every operating system. */
export function isPlainPath(path: string): boolean {
  if (path.includes('\\') || path.includes('\0') || /^[A-Za-z]:/.test(path)) return false;
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

function toArtifact(path: string, source: StoredFile): Artifact {
  if (!isPlainPath(path)) {
    throw new StoreError(
      'corrupt',
      `The model repository has a file with the unsafe path ${JSON.stringify(source.path)}.`,
    );
  }
  return { path, sizeBytes: source.sizeBytes, sha256: undefined, source };
}
