import { dirname } from 'node:path';
import { guardOperators } from '../onnx/guard-operators.ts';
import { lowerIrVersion } from '../onnx/ir-version.ts';
import { renameLocales } from '../onnx/locales.ts';
import { withFileSource } from '../onnx/protobuf.ts';
import { type Rewriting, rewriteModel } from '../onnx/rewrite-model.ts';
import { splitSequences } from '../onnx/sequences.ts';
import { replaceZipMaps } from '../onnx/zipmap.ts';
import { createSession, type ModelBytes, type Session, type SessionOptions } from './session.ts';

/** What has to be changed in a model for the runtime to run it as it should. */
const REWRITINGS = {
  irVersion: () => lowerIrVersion,
  zipMaps: () => replaceZipMaps,
  sequences: () => splitSequences,
  guards: ({ mostElements = Number.POSITIVE_INFINITY }) => guardOperators(mostElements),
  locales: () => renameLocales,
} satisfies Record<string, (file: ModelFile) => Rewriting>;

export type RewritingName = 'irVersion' | 'zipMaps' | 'sequences' | 'guards' | 'locales';

/** A model file, and what has to be changed in its graph. */
export interface ModelFile {
  readonly path: string;
  readonly rewritings: readonly RewritingName[];
  /** Most elements of a tensor whose size a client chooses; no limit by default. */
  readonly mostElements?: number;
}

/** What the runtime says where the host lacks the locale of a graph's StringNormalizer. */
export const LACKS_LOCALE = /construct locale/i;

/** Creates the session of a model file: in this process, or wherever sessions are kept. */
export type OpenSession = (file: ModelFile, options: SessionOptions) => Promise<Session>;

/**
 * Creates a session from a model file. One with nothing to change is left to the runtime, which reads it itself; any
 * other is read into memory. Where the host lacks a locale, another one that gives the same letters is taken.
 */
export async function openModelFile(file: ModelFile, options: SessionOptions): Promise<Session> {
  try {
    return await createSession(sourceOf(file), options);
  } catch (error) {
    const canRename = error instanceof Error && LACKS_LOCALE.test(error.message);
    if (!canRename || file.rewritings.includes('locales')) throw error;
    return await openModelFile({ ...file, rewritings: [...file.rewritings, 'locales'] }, options);
  }
}

function sourceOf(file: ModelFile): string | ModelBytes {
  const { path, rewritings } = file;
  if (rewritings.length === 0) return path;
  const changes = rewritings.map((name) => REWRITINGS[name](file));
  return { bytes: withFileSource(path, (source) => rewriteModel(source, changes)), folder: dirname(path) };
}
