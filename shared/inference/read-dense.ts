import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { ModelError } from '../models/model-config.ts';
import { createDenseLayer, type DenseLayer } from '../processing/text/dense.ts';

/**
 * Reads the dense layers of a model, each out of its own folder.
 *
 * @throws ModelError when one is missing or broken
 */
export async function readDenseLayers(folder: string, paths: readonly string[] = []): Promise<DenseLayer[]> {
  return Promise.all(paths.map((path) => readLayer(folder, path)));
}

async function readLayer(folder: string, path: string): Promise<DenseLayer> {
  const [config, weights] = await Promise.all(
    ['config.json', 'model.safetensors'].map((file) => readPart(folder, `${path}/${file}`)),
  );
  try {
    return createDenseLayer(JSON.parse(String(config)), Buffer.from(weights ?? []));
  } catch (error) {
    const reason = error instanceof RangeError ? error.message : 'its config.json is not valid JSON';
    throw new ModelError(`its dense layer ${path} cannot be used: ${reason}`, { cause: error });
  }
}

async function readPart(folder: string, file: string): Promise<Buffer> {
  try {
    return await readFile(join(folder, file));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') throw new ModelError(`its ${file} is missing`, { cause: error });
    throw error;
  }
}
