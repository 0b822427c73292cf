import * as z from 'zod/mini';
import { parseJsonFile } from '../models/formats/format-folder.ts';
import { ModelError } from '../models/model-config.ts';
import type { ModelFolder } from '../models/version-folder.ts';
import { createDenseLayer, type DenseLayer } from '../processing/text/embedding/dense.ts';

/**
 * Reads the dense layers of a model, each from its own folder.
 *
 * @throws ModelError when one is missing or broken
 */
export async function readDenseLayers(
  folder: ModelFolder,
  paths: readonly string[] = [],
): Promise<DenseLayer[]> {
  return Promise.all(paths.map((path) => readLayer(folder, path)));
}

async function readLayer(folder: ModelFolder, path: string): Promise<DenseLayer> {
  const names = [`${path}/config.json`, `${path}/model.safetensors`] as const;
  const [config, weights] = await Promise.all([folder.read(names[0]), folder.readLarge(names[1])]);
  if (config === undefined || weights === undefined) {
    throw new ModelError(`its ${names[config === undefined ? 0 : 1]} is missing`);
  }
  const parsed = await parseJsonFile(config, names[0], z.unknown());
  try {
    return createDenseLayer(parsed, weights);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ModelError(`its dense layer ${path} cannot be used: ${error.message}`, { cause: error });
  }
}
