import { posix } from 'node:path';
import { parseMembers } from '../../../shared/json/members.ts';
import { isPlainPath } from '../../../shared/models/file-manifest.ts';
import { MLMODEL_FILE } from '../../../shared/models/formats/format-folder.ts';
import { graphsIn, locateModel } from '../../../shared/models/formats/locate.ts';
import { LINEAGE_FILE } from '../../../shared/models/lineage.ts';
import { CONFIG_FILE } from '../../../shared/models/version-folder.ts';
import { CommandError } from '../console.ts';
import { listOf } from '../model-path.ts';

/** Files that describe a model, and those that texts and answers need. Weights of other frameworks are in none of them. */
const DESCRIPTIONS = /\.(?:json|txt|model|spm|ya?ml|jinja|pbtxt|tsv|csv)$/i;
const NAMES: ReadonlySet<string> = new Set([MLMODEL_FILE, 'LICENSE', 'LICENCE', 'NOTICE']);

/** What is in a source, before anything large is downloaded. */
export interface Listing {
  /** Paths below the folder of the model. */
  readonly paths: readonly string[];
  /** The text of a small file; undefined when it does not exist. */
  read(path: string): Promise<string | undefined>;
  /** What the user called the source. */
  readonly title: string;
}

export interface Chosen {
  readonly paths: readonly string[];
  /** Undefined for a model of MLflow without a graph, which is refused when its `MLmodel` is read. */
  readonly graph: string | undefined;
}

/**
 * The files that are needed to serve a model: one graph with its data, and what describes it. The graph is the one that
 * the same folder on a disk would be published with.
 *
 * @param file the graph that the user wants
 * @throws CommandError, ModelError when there is no graph, or none of several is meant
 */
export async function chooseFiles({ paths, read, title }: Listing, file?: string): Promise<Chosen> {
  const seen = paths.filter((path) => !path.split('/').some((part) => part.startsWith('.')));
  const graph = await findGraph({ paths: seen, read, title }, file);
  const others = seen.filter((path) => /\.onnx$/i.test(path) && path !== graph);
  const isWanted = (path: string) =>
    path === graph ||
    (graph !== undefined && isDataOf(graph, path)) ||
    (isDescription(path) && !others.some((other) => isDataOf(other, path)));
  return { paths: seen.filter(isWanted), graph };
}

function isDescription(path: string): boolean {
  const name = posix.basename(path);
  return path !== LINEAGE_FILE && (DESCRIPTIONS.test(name) || NAMES.has(name));
}

/** As exporters name the files with the weights of a graph. Others are found in the graph. */
function isDataOf(graph: string, path: string): boolean {
  return path.startsWith(`${graph}.`) || path.startsWith(`${graph}_`);
}

async function findGraph({ paths, read, title }: Listing, file?: string): Promise<string | undefined> {
  const graphs = graphsIn(paths);
  if (file !== undefined) {
    const chosen = posix.normalize(file);
    if (graphs.includes(chosen)) return chosen;
    throw new CommandError(
      `--file ${JSON.stringify(file)} is not a graph in ${JSON.stringify(title)}; its graphs are: ${listOf(graphs) || 'none'}.`,
      2,
    );
  }
  if (graphs.length === 0) {
    if (paths.includes(MLMODEL_FILE)) return undefined;
    throw new CommandError(
      `${JSON.stringify(title)} holds no model: no *.onnx and no onnx/*.onnx.${hint(paths)}`,
    );
  }
  const { task, file: named } = parseMembers((await read(CONFIG_FILE)) ?? '');
  const config =
    typeof task === 'string' ? { task, ...(typeof named === 'string' && { file: named }) } : undefined;
  const folder = {
    files: paths,
    read: async (path: string) => (isPlainPath(path) ? await read(path) : undefined),
    readShared: async () => undefined,
  };
  return await locateModel(folder, config);
}

/** What the user may have meant. */
function hint(paths: readonly string[]): string {
  const folders = [
    ...new Set(paths.filter((path) => /\.onnx$/i.test(path)).map((path) => posix.dirname(path))),
  ];
  if (folders.length > 0)
    return ` It has graphs in other folders; name one of them: ${listOf(folders.sort())}.`;
  const weights = paths.find((path) => /\.(?:safetensors|bin|h5|msgpack|pt|pth|ckpt|gguf|pkl)$/i.test(path));
  if (weights === undefined) return ` Its files are: ${listOf([...paths].sort()) || 'none'}.`;
  return ` Its ${weights} has weights that are not in ONNX; export it first, for example with optimum-cli export onnx.`;
}
