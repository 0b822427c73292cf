import { dirname } from 'node:path';
import { withFileSource } from '../onnx/protobuf.ts';
import { type Rewriting, rewriteModel } from '../onnx/rewrite-model.ts';
import { createSession, type ModelBytes, type Session, type SessionOptions } from './session.ts';

/** The changes that a model needs before the runtime can run it correctly. */
const REWRITINGS = {
  irVersion: async () => (await import('../onnx/novelty.ts')).lowerIrVersion,
  zipMaps: async () => (await import('../onnx/zipmap.ts')).replaceZipMaps,
  sequences: async () => (await import('../onnx/sequences.ts')).splitSequences,
  guards: async ({ mostElements = Number.POSITIVE_INFINITY }) =>
    (await import('../onnx/guard-operators.ts')).guardOperators(mostElements),
  locales: async () => (await import('../onnx/locales.ts')).renameLocales,
} satisfies Record<string, (file: ModelFile) => Promise<Rewriting>>;

export type RewritingName = 'irVersion' | 'zipMaps' | 'sequences' | 'guards' | 'locales';

/** A model file, and the changes that its graph needs. */
export interface ModelFile {
  readonly path: string;
  readonly rewritings: readonly RewritingName[];
  /** Most elements of a tensor whose size a client chooses; no limit by default. */
  readonly mostElements?: number;
}

/** The runtime's error if the host lacks the locale of a graph's StringNormalizer. */
export const LACKS_LOCALE = /construct locale/i;

/** Creates the session of a model file: in this process, or in another one that keeps sessions. */
export type OpenSession = (file: ModelFile, options: SessionOptions) => Promise<Session>;

/**
 * Creates a session from a model file. If nothing needs to change, the runtime reads the file itself; otherwise the
 * file is read into memory. If the host lacks a locale, an equivalent one is used.
 */
export async function openModelFile(file: ModelFile, options: SessionOptions): Promise<Session> {
  try {
    return await createSession(await sourceOf(file), options);
  } catch (error) {
    const canRename = error instanceof Error && LACKS_LOCALE.test(error.message);
    if (!canRename || file.rewritings.includes('locales')) throw error;
    return await openModelFile({ ...file, rewritings: [...file.rewritings, 'locales'] }, options);
  }
}

async function sourceOf(file: ModelFile): Promise<string | ModelBytes> {
  const { path, rewritings } = file;
  if (rewritings.length === 0) return path;
  const changes = await Promise.all(rewritings.map((name) => REWRITINGS[name](file)));
  return { bytes: withFileSource(path, (source) => rewriteModel(source, changes)), folder: dirname(path) };
}
