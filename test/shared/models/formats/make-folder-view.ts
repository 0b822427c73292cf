import type { FormatFolder, GraphView } from '../../../../shared/models/formats/format-folder.ts';
import { ModelError } from '../../../../shared/models/model-config.ts';
import type { Graph } from '../../../../shared/onnx/graph.ts';
import type { TensorSpec } from '../../../../shared/runtime/session.ts';

/** A folder of small files in memory; `shared` are those next to the versions. */
export function folderOf(
  files: Readonly<Record<string, string | object>>,
  shared: Readonly<Record<string, string>> = {},
): FormatFolder {
  return {
    files: Object.keys(files),
    read: async (path) => {
      const content = files[path];
      return typeof content === 'object' ? JSON.stringify(content) : content;
    },
    readShared: async (path) => shared[path],
  };
}

const NO_GRAPH: Graph = {
  irVersion: 13,
  producer: '',
  novelty: undefined,
  opsets: new Map(),
  inputs: [],
  outputs: [],
  probabilities: new Set(),
  zipMaps: [],
  sequences: [],
  operators: new Set(),
  externalData: [],
  risks: [],
  guards: { edits: [], refusals: [] },
  classLabels: new Map(),
  metadata: [],
  swappedScores: new Set(),
  regressions: new Set(),
  columnExamples: new Map(),
  missingInputs: new Set(),
};

/** The inputs and outputs of a graph: `viewOf([['x', 'FP32', [-1, 3]]], [['y', 'FP32', [-1, 2]]])`. */
export function viewOf(
  inputs: readonly SpecParts[],
  outputs: readonly SpecParts[],
  graph: Partial<Graph> = {},
): GraphView {
  return { graph: { ...NO_GRAPH, ...graph }, inputs: inputs.map(toSpec), outputs: outputs.map(toSpec) };
}

type SpecParts = readonly [name: string, datatype: TensorSpec['datatype'], shape: readonly number[]];

function toSpec([name, datatype, shape]: SpecParts): TensorSpec {
  return { name, datatype, shape };
}

/** The reason why a folder is refused. */
export async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ModelError) return error.message;
  throw new Error(`expected a ModelError, but got ${error}`);
}
