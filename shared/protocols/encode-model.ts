import { nameAxes } from '../inference/batch-axes.ts';
import type { Model } from '../inference/load-model.ts';
import type { WritableJson } from '../json/write-json.ts';
import { ModelError } from '../models/model-config.ts';
import { type ModelReference, pathOf } from '../models/model-reference.ts';
import type { ModelRepository } from '../models/model-repository.ts';
import type { TensorSpec } from '../runtime/session.ts';
import { StoreError } from '../stores/model-store.ts';
import type { Column } from '../values/cell.ts';
import { columnAt, type RowFormat } from '../values/row.ts';

/**
 * When this process started, in ISO 8601. Clients read it where other servers give the time at which a model was
 * loaded.
 */
export const STARTED = new Date(performance.timeOrigin).toISOString();

/** The full description of a model version. */
export function encodeModel(
  { reference, config, format, modelFile, session, task, contract, example }: Model,
  versions: readonly string[],
): WritableJson {
  const row = task.preprocessor?.features;
  return {
    name: reference.name,
    version: reference.version,
    versions,
    format,
    task: config.task,
    input: contract.kind,
    description: config.description,
    labels: task.labels,
    features: row?.named?.map((feature) => ({ ...feature })),
    columns: row && encodeColumns(row),
    processors: config.processors?.map(({ step }) => step),
    inputs: session.inputs.map(encodeAxes),
    outputs: session.outputs.map(encodeAxes),
    metrics: config.metrics,
    example,
    ...encodeNames(reference, modelFile),
  };
}

/** Neighbouring columns that hold the same kind of values share one entry. */
function encodeColumns({ named, width, columns }: RowFormat): WritableJson {
  const [first] = columns;
  if (columns.length === 1) return [encodeColumn(first, named?.length ?? width ?? -1)];
  const starts = columns.flatMap((column, index) => {
    const before = columns[index - 1];
    return before && isAlike(before, column) ? [] : [index];
  });
  return starts.map((start, index) =>
    encodeColumn(columnAt(columns, start), (starts[index + 1] ?? columns.length) - start),
  );
}

function isAlike(one: Column, other: Column): boolean {
  return one.type === other.type && one.allowsMissing === other.allowsMissing;
}

function encodeColumn({ type, allowsMissing = false }: Column, count: number): WritableJson {
  return { type, count, ...(allowsMissing && { nullable: true }) };
}

/**
 * The name and the location of a model, as TorchServe and SageMaker's multi-model endpoints give them: its file inside
 * the repository, or its folder if there is no such file. This does not load the model.
 */
export async function readNames(reference: ModelReference, repository: ModelRepository) {
  try {
    return encodeNames(reference, await repository.locate(reference));
  } catch (error) {
    if (error instanceof ModelError || error instanceof StoreError) return encodeNames(reference, undefined);
    throw error;
  }
}

function encodeNames(reference: ModelReference, modelFile: string | undefined) {
  const folder = pathOf(reference);
  const modelUrl = modelFile === undefined ? folder : `${folder}/${modelFile}`;
  return { modelName: reference.name, modelUrl };
}

/** A tensor of a graph with the names of its axes, as `ternion inspect` shows them. */
function encodeAxes(spec: TensorSpec): WritableJson {
  return { name: spec.name, datatype: spec.datatype, shape: spec.shape, axes: nameAxes(spec) };
}

/** A tensor of a graph, as the Open Inference Protocol has it. */
export function encodeSpec({ name, datatype, shape }: TensorSpec): WritableJson {
  return { name, datatype, shape };
}
