import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nameAxes } from '../../../shared/inference/batch-axes.ts';
import { type Model, readModelFile } from '../../../shared/inference/load-model.ts';
import { MODEL_FILE } from '../../../shared/models/formats/format-folder.ts';
import type { AppliedPolicy } from '../../../shared/models/model-reference.ts';
import { describePolicy } from '../../../shared/models/served-versions.ts';
import { CONFIG_FILE, type ModelFolder } from '../../../shared/models/version-folder.ts';
import type { Graph } from '../../../shared/onnx/graph.ts';
import { readInitializers } from '../../../shared/onnx/initializers.ts';
import { withFileSource } from '../../../shared/onnx/protobuf.ts';
import type { ValueInfo } from '../../../shared/onnx/value-info.ts';
import type { Session } from '../../../shared/runtime/session.ts';
import { datatypeOfOnnxCode, UNSERVED_TYPES } from '../../../shared/tensor/datatype.ts';
import { type Console, describeFailure } from '../console.ts';
import { describeConfig } from '../describe-config.ts';
import { findModel, look } from '../find-model.ts';
import { describeInspection } from '../inspect/describe-inspection.ts';
import { findWarnings } from '../inspect/find-warnings.ts';
import type { FileFacts, Value, Verdict } from '../inspect/inspection.ts';
import { suggestConfig } from '../inspect/suggest-config.ts';
import { isVersionFolder } from '../model-path.ts';

export interface InspectOptions {
  readonly file?: string;
  readonly repository?: string;
}

/** `ternion inspect`: what a model takes and gives, and how it would be served. */
export async function inspect(argument: string, options: InspectOptions, output: Console): Promise<void> {
  const { app, reference, file, warning } = await findModel(argument, options.repository, options.file);
  try {
    const folder = await app.inference.repository.open(reference);
    const path = folder.modelPath;
    try {
      const graph = await readModelFile(path);
      let facts = describeFile(folder, file ?? folder.modelFile, path, graph);
      const place = await placeOfConfig(argument, file);
      const policy = (await app.inference.repository.versions(reference.name))?.policy;
      const config = await folder.read('config.json');
      const verdict = await look({ app, reference }, (model): Verdict => {
        // The graph is described, without the steps of own code around it.
        const inner = { ...model, ...model.processed?.inner };
        facts = withAxes(facts, inner.session);
        return describeModel(inner, graph, facts, { place, policy, warning, config });
      }).catch((error: unknown): Verdict => ({ problem: describeFailure(error).text }));
      output.result({ ...facts, ...verdict }, () => describeInspection(argument, facts, verdict));
      if ('problem' in verdict) process.exitCode = 1;
    } finally {
      await folder.release();
    }
  } finally {
    await app.close();
  }
}

/** Where a model.json is looked for; a graph that is not called `model.onnx` has none beside it. */
async function placeOfConfig(argument: string, file: string | undefined): Promise<string> {
  if (file === MODEL_FILE) return join(dirname(argument), CONFIG_FILE);
  if (file !== undefined) return `${CONFIG_FILE} in a new folder, with the graph as ${MODEL_FILE}`;
  if (await isVersionFolder(argument)) return join(argument, CONFIG_FILE);
  return `${CONFIG_FILE} beside its ${MODEL_FILE}, and add that as a new version`;
}

function describeFile(folder: ModelFolder, file: string, path: string, graph: Graph): FileFacts {
  const initializers = withFileSource(path, readInitializers);
  return {
    file,
    size_bytes: statSync(path).size,
    files: folder.files.length,
    total_bytes: folder.sizeBytes,
    parameters: [...initializers.values()].reduce((total, elements) => total + elements, 0),
    opsets: Object.fromEntries([...graph.opsets].map(([domain, version]) => [domain || 'ai.onnx', version])),
    // Old files list their weights among the inputs, too.
    inputs: graph.inputs.filter(({ name }) => !initializers.has(name)).map(describeValue),
    outputs: graph.outputs.map(describeValue),
    metadata: graph.metadata.map(({ key, value, bytes }) => ({ key, value: cut(value), bytes })),
  };
}

/**
 * The axes as the server lists them: the runtime may know sizes that the file leaves open, and model.json may set them.
 */
function withAxes(facts: FileFacts, session: Session): FileFacts {
  const specs = new Map([...session.inputs, ...session.outputs].map((spec) => [spec.name, spec]));
  const name = (value: Value): Value => {
    const spec = specs.get(value.name);
    return spec && value.datatype === spec.datatype && value.shape
      ? { ...value, shape: nameAxes(spec) }
      : value;
  };
  return { ...facts, inputs: facts.inputs.map(name), outputs: facts.outputs.map(name) };
}

/** Most characters of a text of the metadata that are shown. */
const SHOWN = 200;

function cut(text: string): string {
  const characters = Array.from(text.slice(0, 2 * SHOWN));
  return characters.length > SHOWN ? `${characters.slice(0, SHOWN).join('')}…` : text;
}

interface Surroundings {
  /** Where a model.json would be looked for. */
  readonly place: string;
  readonly policy: AppliedPolicy | undefined;
  /** Which files are ignored. */
  readonly warning: string | undefined;
  /** Text of a `config.json` beside the graph. */
  readonly config: string | undefined;
}

function describeModel(
  model: Model,
  graph: Graph,
  facts: FileFacts,
  { place, policy, warning, config }: Surroundings,
): Verdict {
  const others = [policy && describePolicy(policy), warning].filter((each) => each !== undefined);
  const isOpen = model.format === 'onnx' && model.config.task === 'tensor';
  return {
    format: model.format,
    task: model.config.task,
    processors: model.config.processors?.map(({ step }) => step),
    model_json: describeConfig(model),
    warnings: [...findWarnings(model, graph, config), ...others],
    suggestion: isOpen ? suggestConfig(facts, graph, place, model.task.labels) : undefined,
  };
}

function describeValue({ name, kind, elementType, shape }: ValueInfo): Value {
  const datatype =
    elementType === undefined
      ? kind
      : (datatypeOfOnnxCode(elementType) ??
        UNSERVED_TYPES.get(elementType)?.toUpperCase() ??
        `type ${elementType}`);
  return { name, datatype, shape: shape?.map((size) => (size === '' ? '?' : size)) ?? null };
}
