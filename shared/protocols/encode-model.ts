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

/** When this process started, in ISO 8601: clients are told it where other servers say when a model came up. */
export const STARTED = new Date(performance.timeOrigin).toISOString();

/** All there is to say of a model version. */
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
    inputs: session.inputs.map(encodeAxes),
    outputs: session.outputs.map(encodeAxes),
    metrics: config.metrics,
    example,
    ...encodeNames(reference, modelFile),
  };
}

/** Columns side by side that hold the same are one entry. */
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
 * How TorchServe and SageMaker's multi-model endpoints call a model and where it is: its file inside the repository, or
 * its folder where there is no such file. The model is not loaded for it.
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
