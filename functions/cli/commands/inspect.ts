import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Model, readModelFile } from '../../../shared/inference/load-model.ts';
import type { ModelFolder } from '../../../shared/models/model-repository.ts';

import type { Graph, ValueInfo } from '../../../shared/onnx/graph.ts';
import { readInitializers } from '../../../shared/onnx/initializers.ts';
import { withFileSource } from '../../../shared/onnx/protobuf.ts';
import { datatypeOfOnnxCode } from '../../../shared/tensor/datatype.ts';
import { type Console, describeFailure } from '../console.ts';
import { describeConfig } from '../describe-config.ts';
import {
  describeInspection,
  type FileFacts,
  type Value,
  type Verdict,
} from '../inspect/describe-inspection.ts';
import { openModel } from '../open-model.ts';

export interface InspectOptions {
  readonly repository?: string;
}

/** `ternion inspect`: what a model takes and gives, and what it is taken for. */
export async function inspect(argument: string, options: InspectOptions, output: Console): Promise<void> {
  const { app, reference, file } = await openModel(argument, options.repository);
  const folder = await app.inference.repository.open(reference);
  const path = join(folder.path, folder.modelFile);
  const graph = readModelFile(path);
  const facts = describeFile(folder, file ?? folder.modelFile, path, graph);
  const verdict = await app.inference
    .describe(reference, (model): Verdict => describeModel(model, graph))
    .catch((error: unknown): Verdict => ({ problem: describeFailure(error).text }));
  await app.close();
  output.result({ ...facts, ...verdict }, () => describeInspection(argument, facts, verdict));
  if ('problem' in verdict) process.exitCode = 1;
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
    // Weights of old files stand among the inputs as well.
    inputs: graph.inputs.filter(({ name }) => !initializers.has(name)).map(describeValue),
    outputs: graph.outputs.map(describeValue),
  };
}

function describeModel(model: Model, graph: Graph): Verdict {
  return {
    format: model.format,
    task: model.config.task,
    model_json: describeConfig(model),
    warnings: findWarnings(model, graph),
  };
}

/** What will surprise who serves the model. */
function findWarnings({ config, format, session, task }: Model, graph: Graph): readonly string[] {
  const dropped = graph.outputs.filter(({ name }) => !session.outputs.some((output) => output.name === name));
  const [fixed] = session.inputs.flatMap(({ shape: [size = -1] }) => (size > 0 ? [size] : []));
  const isClassifier = config.task.endsWith('-classification');
  return [
    ...dropped.map(({ name, kind }) => `output "${name}" is a ${kind}, which cannot be sent to clients`),
    ...(fixed !== undefined && config.task !== 'tensor'
      ? [
          `its batch size is fixed: requests are run in portions of ${fixed}; export it with a dynamic batch axis`,
        ]
      : []),
    ...(isClassifier && !task.labels?.some((label) => typeof label === 'string')
      ? ['its classes have no names: give "labels" in model.json, or labels.txt']
      : []),
    ...(config.task === 'tensor' && format === 'onnx'
      ? ['nothing tells what its tensors mean, so clients send and get tensors: a model.json can name a task']
      : []),
  ];
}

function describeValue({ name, kind, elementType, shape }: ValueInfo): Value {
  const datatype =
    elementType === undefined
      ? kind
      : (datatypeOfOnnxCode(elementType) ?? UNSUPPORTED[elementType] ?? `type ${elementType}`);
  return { name, datatype, shape: shape?.map((size) => (size === '' ? '?' : size)) ?? null };
}

/** Names of `TensorProto.DataType` (onnx.proto) that no protocol can carry; files can have them all the same. */
const UNSUPPORTED: Readonly<Record<number, string>> = {
  14: 'COMPLEX64',
  15: 'COMPLEX128',
  16: 'BFLOAT16',
  17: 'FLOAT8E4M3FN',
  18: 'FLOAT8E4M3FNUZ',
  19: 'FLOAT8E5M2',
  20: 'FLOAT8E5M2FNUZ',
  21: 'UINT4',
  22: 'INT4',
  23: 'FLOAT4E2M1',
  24: 'FLOAT8E8M0',
};
