import * as z from 'zod';
import { isPlainPath } from '../file-manifest.ts';
import { ModelError } from '../model-config.ts';
import { type FormatFolder, readJsonFile } from './format-folder.ts';

/** What an unpacked model archive of TorchServe (.mar) has. */
export const ARCHIVE_FILE = 'MAR-INF/MANIFEST.json';

const archiveSchema = z.object({ model: z.object({ serializedFile: z.string() }) });

/**
 * The file of an unpacked model archive that holds the graph.
 * Source: pytorch/serve, model-archiver/README.md.
 *
 * @returns undefined where the folder is none
 * @throws ModelError when it holds another kind of model, or the file is not there
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
  throw new ModelError(`its ${ARCHIVE_FILE} names the file ${shown}, which is not there`);
}
