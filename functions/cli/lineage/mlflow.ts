import { join } from 'node:path';
import * as z from 'zod/mini';
import { MLMODEL_FILE } from '../../../shared/models/formats/format-folder.ts';
import { readYaml, YamlError } from '../../../shared/models/formats/yaml.ts';
import type { Lineage } from '../../../shared/models/lineage.ts';
import { type ModelPlace, readIfThere } from './place.ts';

/** What MLflow writes into the folder of a version that it has downloaded from the registry. */
const META_FILE = 'registered_model_meta';

const mlmodelSchema = z.looseObject({ run_id: z.nullish(z.string()), model_uuid: z.nullish(z.string()) });
const metaSchema = z.looseObject({
  model_name: z.optional(z.string()),
  model_version: z.optional(z.union([z.string(), z.int()])),
});

/** The run that has logged a model, and its name and version in the registry. Source: MLflow 3.17. */
export async function findMlflow({ folder }: ModelPlace): Promise<Lineage> {
  const mlmodel = await readFields(folder, MLMODEL_FILE, mlmodelSchema);
  const meta = await readFields(folder, META_FILE, metaSchema);
  const mlflow = {
    ...(mlmodel?.run_id && { runId: mlmodel.run_id }),
    ...(mlmodel?.model_uuid && { modelUuid: mlmodel.model_uuid }),
    ...(meta?.model_name && { name: meta.model_name }),
    ...(meta?.model_version !== undefined && { version: String(meta.model_version) }),
  };
  return Object.keys(mlflow).length === 0 ? {} : { mlflow };
}

async function readFields<T>(folder: string, name: string, schema: z.ZodMiniType<T>): Promise<T | undefined> {
  const text = await readIfThere(join(folder, name));
  if (text === undefined) return undefined;
  try {
    const parsed = schema.safeParse(readYaml(text));
    if (parsed.success) return parsed.data;
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
  }
  throw new Error(`${join(folder, name)} is not a file of MLflow`);
}
