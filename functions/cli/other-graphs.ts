import { posix } from 'node:path';
import { isPlainPath } from '../../shared/models/file-manifest.ts';
import { readExternalLocations } from '../../shared/onnx/external-data.ts';
import { ProtobufError, withFileSource } from '../../shared/onnx/protobuf.ts';

/**
 * The files of a folder with only one of its graphs, without the files that belong to the other graphs alone: exporters
 * leave a graph of each precision in a folder.
 *
 * @param files paths below the folder
 * @param graph one of them
 * @param pathOf where a file is
 */
export function withoutOtherGraphs(
  files: readonly string[],
  graph: string,
  pathOf: (file: string) => string,
): ReadonlySet<string> {
  const own = new Set([graph, ...dataBeside(graph, pathOf)]);
  const others = files.filter((file) => file !== graph && /\.onnx$/i.test(file));
  const theirs = new Set(others.flatMap((other) => [other, ...dataBeside(other, pathOf)]));
  const isTheirs = (file: string) =>
    theirs.has(file) || others.some((other) => file.startsWith(`${other}.`) || file.startsWith(`${other}_`));
  return new Set(files.filter((file) => own.has(file) || !isTheirs(file)));
}

function dataBeside(graph: string, pathOf: (file: string) => string): string[] {
  return dataFilesOf(pathOf(graph)).map((file) => posix.join(posix.dirname(graph), file));
}

/** Paths of a graph's data files below its folder; the runtime accepts no other places. */
export function dataFilesOf(path: string): readonly string[] {
  try {
    const locations = [...withFileSource(path, readExternalLocations)].map((each) => posix.normalize(each));
    return locations.filter((each) => isPlainPath(each));
  } catch (error) {
    // Mistakes in it are reported when it is loaded.
    if (error instanceof ProtobufError) return [];
    throw error;
  }
}
