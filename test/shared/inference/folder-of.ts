import { join } from 'node:path';
import type { ModelFolder } from '../../../shared/models/version-folder.ts';

/** A model's folder on this machine that says nothing of the model: it holds the graph, and whatever else is named. */
export function folderOf(path: string, files: readonly string[] = ['model.onnx']): ModelFolder {
  return {
    path,
    files,
    modelFile: 'model.onnx',
    modelPath: join(path, 'model.onnx'),
    sizeBytes: 0,
    config: undefined,
    example: undefined,
    release: async () => undefined,
    read: async () => undefined,
    readShared: async () => undefined,
    readLarge: async () => undefined,
  };
}
