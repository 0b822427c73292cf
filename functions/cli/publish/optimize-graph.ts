import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readModelFile } from '../../../shared/inference/load-model.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../shared/json/json-value.ts';
import type { Graph } from '../../../shared/onnx/graph.ts';
import { openModelFile } from '../../../shared/runtime/open-model-file.ts';
import { dataFilesOf } from '../other-graphs.ts';

type Level = 'basic' | 'extended';

/** Weights of fewer bytes stay in the graph: a second file would not load faster. */
const LEAST_WEIGHTS_BYTES = 1024 * 1024;

/**
 * Saves a graph as the runtime simplifies it for any processor, with large weights in a second file, which the runtime
 * maps into memory instead of copying it.
 *
 * @param path the graph; its own data files are removed if the new graph does not need them
 * @param asked the level in its model.json: simplifying may go wrong for a graph
 * @returns whether it was saved
 */
export async function optimizeGraph(path: string, asked: JsonValue | undefined): Promise<boolean> {
  if (asked === 'disabled') return false;
  const graph = await readModelFile(path);
  const levels: readonly Level[] = asked === 'basic' ? ['basic'] : ['extended', 'basic'];
  for (const level of levels) {
    const folder = await saveOptimized(path, level);
    try {
      if (!showsTheSame(graph, await readModelFile(join(folder, basename(path))))) continue;
      await replaceGraph(path, folder);
      return true;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return false;
}

/** The level that a model.json asks for. */
export function optimizationOf({ session }: JsonObject): JsonValue | undefined {
  return isJsonObject(session) ? session.graphOptimization : undefined;
}

/**
 * The settings of a session whose graph was simplified when it was published: nothing is left to do at each load. On
 * x86 processors, the level `all` also arranges the weights of convolutions for the processor, which makes a run faster
 * and a load slower. It stays if the model.json asks for it.
 */
export function sessionOfOptimized(session: JsonValue | undefined): JsonObject {
  const said = isJsonObject(session) ? session : {};
  return { ...said, graphOptimization: said.graphOptimization === 'all' ? 'all' : 'disabled' };
}

/** @returns the folder with the new files, beside the graph */
async function saveOptimized(path: string, level: Level): Promise<string> {
  const folder = join(dirname(path), `.${level}`);
  await mkdir(folder);
  const name = basename(path);
  const save = async (weights: string | undefined) => {
    const optimizedModel = { path: join(folder, name), weights };
    const options = { intraOpThreads: 1, graphOptimization: level, optimizedModel };
    const session = await openModelFile({ path, rewritings: [] }, options);
    await session.release();
  };
  await save(`${name}.data`);
  const weights = join(folder, `${name}.data`);
  const { size } = await stat(weights).catch(() => ({ size: 0 }));
  if (size < LEAST_WEIGHTS_BYTES) {
    await rm(weights, { force: true });
    await save(undefined);
  }
  return folder;
}

/** Whether Ternion finds out the same about both forms of a graph: not every operator of the runtime is known to it. */
function showsTheSame(before: Graph, after: Graph): boolean {
  const describe = (graph: Graph) => {
    const { guards, probabilities, inputs, outputs } = graph;
    const { classLabels, swappedScores, regressions, missingInputs } = graph;
    const found = [probabilities, classLabels, swappedScores, regressions, missingInputs];
    return JSON.stringify([
      guards.refusals,
      [inputs, outputs].map((values) => values.map(({ name }) => name)),
      found.map((each) => [...each].map((item) => JSON.stringify(item)).sort()),
    ]);
  };
  return describe(before) === describe(after);
}

/** Small weights stay in the data files that they were in. */
async function replaceGraph(path: string, folder: string): Promise<void> {
  const home = dirname(path);
  const kept = new Set(dataFilesOf(join(folder, basename(path))));
  for (const file of dataFilesOf(path)) if (!kept.has(file)) await rm(join(home, file), { force: true });
  for (const file of await readdir(folder)) await rename(join(folder, file), join(home, file));
}
