import * as z from 'zod/mini';
import { isPlainPath } from '../file-manifest.ts';
import { ModelError } from '../model-config.ts';
import { type FormatFolder, readJsonFile } from './format-folder.ts';

/** The manifest of an unpacked TorchServe model archive (.mar). */
export const ARCHIVE_FILE = 'MAR-INF/MANIFEST.json';

const archiveSchema = z.object({ model: z.object({ serializedFile: z.string() }) });

/**
 * The file with the graph in an unpacked model archive.
 * Source: pytorch/serve, model-archiver/README.md.
 *
 * @returns undefined if the folder is not a model archive
 * @throws ModelError when it holds another kind of model, or the file does not exist
 */
export async function locateArchivedModel(folder: FormatFolder): Promise<string | undefined> {
  const archive = await readJsonFile(folder, ARCHIVE_FILE, archiveSchema);
  if (!archive) return undefined;
  const { serializedFile: path } = archive.model;
  const shown = JSON.stringify(path.slice(0, 100));
  if (!/\.onnx$/i.test(path)) {
    throw new ModelError(`its ${ARCHIVE_FILE} names the model ${shown}; only ONNX files can be served`);
  }
  if (isPlainPath(path) && folder.files.includes(path)) return path;
  throw new ModelError(`its ${ARCHIVE_FILE} names the file ${shown}, which does not exist`);
}
