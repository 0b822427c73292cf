import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readModelFile } from '../../../shared/inference/load-model.ts';
import type { JsonObject } from '../../../shared/json/json-value.ts';
import { writeJson } from '../../../shared/json/write-json.ts';
import { type FileManifest, MANIFEST_FILE } from '../../../shared/models/file-manifest.ts';
import { LINEAGE_FILE, type Lineage } from '../../../shared/models/lineage.ts';
import { CONFIG_FILE, REFERENCE_FILE } from '../../../shared/models/version-folder.ts';
import { isNewer } from '../../../shared/onnx/ir-version.ts';
import { lowerIrVersion } from '../../../shared/onnx/novelty.ts';
import { withFileSource } from '../../../shared/onnx/protobuf.ts';
import { rewriteModel } from '../../../shared/onnx/rewrite-model.ts';
import { splitSequences } from '../../../shared/onnx/sequences.ts';
import { replaceZipMaps } from '../../../shared/onnx/zipmap.ts';
import { describeConfig } from '../describe-config.ts';
import { type FoundModel, look } from '../find-model.ts';
import { withoutOtherGraphs } from '../other-graphs.ts';
import { optimizationOf, optimizeGraph, sessionOfOptimized } from './optimize-graph.ts';
import { type Trial, withoutModel } from './try-model.ts';

export interface StageOptions {
  readonly optimize: boolean;
  readonly lineage: Lineage;
}

/**
 * Writes a model version as it is published: its files, the graph without outputs that cannot be sent to clients, a
 * model.json with everything that was found out, its example with the answer, its lineage if something is known, and the
 * manifest with the hash of each file.
 */
export async function stageVersion(
  { app, reference, store }: FoundModel,
  target: string,
  trial: Trial,
  { optimize, lineage }: StageOptions,
): Promise<FileManifest> {
  const modelFile = await app.inference.repository.locate(reference);
  const prefix = `${reference.name}/${reference.version}/`;
  const stored = await store.list(prefix.slice(0, -1));
  const paths = stored.map(({ path }) => path.slice(prefix.length));
  const pathOf = (path: string) => store.localPath?.(`${prefix}${path}`) ?? path;
  const published = withoutOtherGraphs(paths, modelFile, pathOf);
  for (const file of stored) {
    const path = file.path.slice(prefix.length);
    if (WRITTEN.has(path) || !published.has(path)) continue;
    const copy = join(target, path);
    await mkdir(dirname(copy), { recursive: true });
    await pipeline(await store.read(file, 0, file.sizeBytes), createWriteStream(copy));
  }
  const graph = join(target, modelFile);
  await rewriteGraph(graph);
  const config = await look({ app, reference }, describeConfig);
  if (trial.references === 0) await keepExample(target, trial);
  const isOptimized = optimize && (await optimizeGraph(graph, optimizationOf(config)));
  const written = isOptimized ? { ...config, session: sessionOfOptimized(config.session) } : config;
  await writeFile(join(target, CONFIG_FILE), `${writeJson(written)}\n`);
  if (Object.keys(lineage).length > 0)
    await writeFile(join(target, LINEAGE_FILE), `${JSON.stringify(lineage, null, 2)}\n`);
  const manifest = await listFiles(target);
  await writeFile(join(target, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

/** Files that are written for each version, and so not copied from another one. */
const WRITTEN: ReadonlySet<string> = new Set([MANIFEST_FILE, LINEAGE_FILE]);

/** Rewrites the graph once instead of at each load: the runtime can then read it directly from the file. */
async function rewriteGraph(path: string): Promise<void> {
  const { zipMaps, sequences, irVersion } = await readModelFile(path);
  const rewritings = [
    ...(zipMaps.length > 0 ? [replaceZipMaps] : []),
    ...(sequences.length > 0 ? [splitSequences] : []),
    ...(isNewer(irVersion) ? [lowerIrVersion] : []),
  ];
  if (rewritings.length === 0) return;
  await writeFile(
    path,
    withFileSource(path, (source) => rewriteModel(source, rewritings)),
  );
}

/** An example in a format of another server would be lost, so it becomes a reference, with the answer it got. */
async function keepExample(target: string, { exchanges }: Trial): Promise<void> {
  const cases = exchanges.flatMap(({ request, answer }) => {
    const expected = expectedFrom(request, answer);
    return expected ? [{ request, expected }] : [];
  });
  if (cases.length > 0) await writeFile(join(target, REFERENCE_FILE), `${writeJson({ cases })}\n`);
}

function expectedFrom(request: JsonObject, answer: JsonObject): JsonObject | undefined {
  const { prediction, probabilities } = answer;
  if (prediction !== undefined) {
    return probabilities === undefined ? { prediction } : { prediction, probabilities };
  }
  // A row of what the graph gives has the names of the graph, and no prediction.
  return request.features === undefined ? undefined : withoutModel(answer);
}

async function listFiles(folder: string): Promise<FileManifest> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: { path: string; sizeBytes: number; sha256: string }[] = [];
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.push({
      path: path
        .slice(folder.length + 1)
        .split(sep)
        .join('/'),
      sizeBytes: (await stat(path)).size,
      sha256: await hashFile(path),
    });
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** The sha256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest('hex');
}
