import { join } from 'node:path';
import { type Model, readModelFile } from '../../../shared/inference/load-model.ts';
import { type WritableJson, writeJson } from '../../../shared/json/write-json.ts';
import type { ModelFolder } from '../../../shared/models/model-repository.ts';

import type { Graph, ValueInfo } from '../../../shared/onnx/graph.ts';
import { readInitializers } from '../../../shared/onnx/initializers.ts';
import { withFileSource } from '../../../shared/onnx/protobuf.ts';
import { datatypeOfOnnxCode, isDatatype } from '../../../shared/tensor/datatype.ts';
import { type Console, describeFailure } from '../console.ts';
import { describeConfig } from '../describe-config.ts';
import { openModel } from '../open-model.ts';

export interface InspectOptions {
  readonly repository?: string;
}

/** What the file alone tells. */
type FileFacts = {
  readonly file: string;
  readonly size_bytes: number;
  readonly parameters: number;
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
};

type Value = {
  readonly name: string;
  readonly datatype: string;
  /** Null where even the number of axes is open. */
  readonly shape: readonly (number | string)[] | null;
};

/** What it is taken for, or why it cannot be served. */
type Verdict =
  | {
      readonly format: string;
      readonly task: string;
      readonly model_json: WritableJson;
      readonly warnings: readonly string[];
    }
  | { readonly problem: string };

/** `ternion inspect`: what a model takes and gives, and what it is taken for. */
export async function inspect(argument: string, options: InspectOptions, output: Console): Promise<void> {
  const { app, reference } = await openModel(argument, options.repository);
  const folder = await app.inference.repository.open(reference);
  const path = join(folder.path, folder.modelFile);
  const graph = readModelFile(path);
  const facts = describeFile(folder, path, graph);
  const verdict = await app.inference
    .describe(reference, (model): Verdict => describeModel(model, graph))
    .catch((error: unknown): Verdict => ({ problem: describeFailure(error).text }));
  await app.close();
  output.result({ ...facts, ...verdict }, () =>
    [...describeFacts(argument, facts), ...describeVerdict(verdict)].join('\n'),
  );
  if ('problem' in verdict) process.exitCode = 1;
}

function describeFile(folder: ModelFolder, path: string, graph: Graph): FileFacts {
  const initializers = withFileSource(path, readInitializers);
  return {
    file: folder.modelFile,
    size_bytes: folder.sizeBytes,
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
    elementType === undefined ? kind : (datatypeOfOnnxCode(elementType) ?? `type ${elementType}`);
  return { name, datatype, shape: shape?.map((size) => (size === '' ? '?' : size)) ?? null };
}

function describeFacts(title: string, facts: FileFacts): readonly string[] {
  const { file, size_bytes, parameters, opsets, inputs, outputs } = facts;
  const operators = Object.entries(opsets).map(([domain, version]) => `${domain} ${version}`);
  return [
    title,
    row('file', `${file}, ${inFigures(size_bytes)} bytes, ${inFigures(parameters)} parameters`),
    row('operators', operators.join(', ')),
    ...inputs.map((value) => row('input', inWords(value))),
    ...outputs.map((value) => row('output', inWords(value))),
  ];
}

function describeVerdict(verdict: Verdict): readonly string[] {
  if ('problem' in verdict) return [row('problem', verdict.problem)];
  return [
    row('format', verdict.format),
    row('task', verdict.task),
    row('model.json', writeJson(verdict.model_json)),
    ...verdict.warnings.map((warning) => row('warning', warning)),
  ];
}

function row(title: string, content: string): string {
  return `  ${title.padEnd(11)}${content}`;
}

function inWords({ name, datatype, shape }: Value): string {
  const isTensor = isDatatype(datatype);
  return `${name}  ${datatype} ${shape ? `[${shape.join(', ')}]` : isTensor ? 'of any rank' : ''}`.trimEnd();
}

function inFigures(value: number): string {
  return value.toLocaleString('en');
}
