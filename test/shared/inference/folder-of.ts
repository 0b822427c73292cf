import { join } from 'node:path';
import type { ModelFolder } from '../../../shared/models/version-folder.ts';

/** A model's folder on this machine without a description of the model: it holds the graph and the files that are named. */
export function folderOf(path: string, files: readonly string[] = ['model.onnx']): ModelFolder {
  return {
    path,
    files,
    modelFile: 'model.onnx',
    modelPath: join(path, 'model.onnx'),
    sizeBytes: 0,
    config: undefined,
    example: undefined,
    isTried: false,
    checked: async () => undefined,
    release: async () => undefined,
    read: async () => undefined,
    readShared: async () => undefined,
    readLarge: async () => undefined,
  };
}
