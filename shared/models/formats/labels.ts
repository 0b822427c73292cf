import type { Label } from '../../processing/classification.ts';
import type { TensorSpec } from '../../runtime/session.ts';
import { DATATYPES } from '../../tensor/datatype.ts';
import { type ConfigReader, type ModelConfig, ModelError } from '../model-config.ts';
import type { FormatFolder, GraphView } from './format-folder.ts';

/** The usual names of label files; the first one that exists counts. */
const LABELS_FILES = ['labels.txt', 'classes.txt', 'synset.txt'];

/**
 * The labels of a file with one per line. If all lines are numbered by their index, such as `0,tench` and `1 goldfish`,
 * the numbers are removed.
 */
export function parseLabels(text: string): string[] {
  const lines = readLabelLines(text);
  const named = lines.map((line, index) => {
    const [, number, name] = /^(\d+)(?:[,:;]\s*|\s+)(.+)$/.exec(line) ?? [];
    return number === String(index) ? name : undefined;
  });
  const labels = named.every((name) => name !== undefined) ? named : lines;
  return labels.map((label) => label.trim());
}

/** The unchanged lines of a file, without empty ones at its end. */
export function readLabelLines(text: string): string[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  while (lines.at(-1)?.trim() === '') lines.pop();
  return lines;
}

/**
 * Adds the labels of a `labels.txt` (`classes.txt`, `synset.txt`) to a config that has none. They name the scores of
 * the output that the config names, or of the only output. If there are no scores, or the graph names its classes, the
 * file is ignored.
 *
 * @throws ModelError when the graph has a different number of classes
 */
export async function withLabelsFile(
  config: ModelConfig,
  folder: FormatFolder,
  view: GraphView,
  reader: ConfigReader,
): Promise<ModelConfig> {
  const file = LABELS_FILES.find((name) => folder.files.includes(name));
  const scores = file === undefined ? undefined : findUnnamedScores(config, view, reader);
  const text = file === undefined || !scores ? undefined : await folder.read(file);
  if (file === undefined || !scores || text === undefined) return config;
  const labels = parseLabels(text);
  if (isRow(scores)) checkLabelCount(labels, scores, file);
  const fits = labels.length > 0 && suits(labels, widthOf(scores));
  return fits ? addLabels(config, labels, reader) : config;
}

/**
 * The scores of a model that can have labels but has none: those of the output that the config names, or of the only
 * output. Undefined if the graph names its classes.
 */
export function findUnnamedScores(
  config: ModelConfig,
  view: GraphView,
  reader: ConfigReader,
): TensorSpec | undefined {
  if (!lacksLabels(config, reader) || namesClasses(view)) return undefined;
  return findNamed(config, view) ?? findScores(view);
}

/** How many classes an output has scores for; undefined if that is open, or if it has scores for many positions. */
export function countClasses(scores: TensorSpec, { graph }: GraphView): number | undefined {
  const listed = graph.zipMaps.find(({ output }) => output === scores.name)?.labels.length;
  return isRow(scores) ? (widthOf(scores) ?? listed) : undefined;
}

/** Adds labels that certainly belong to the model to a config that can have labels but has none. */
export function addLabels(config: ModelConfig, labels: readonly Label[], reader: ConfigReader): ModelConfig {
  return lacksLabels(config, reader) ? { ...config, labels: [...labels] } : config;
}

function lacksLabels({ task, labels }: ModelConfig, { canHaveLabels }: ConfigReader): boolean {
  return canHaveLabels(task) && labels === undefined;
}

/** @throws ModelError when the number of labels in a file differs from the number of scores of an output */
export function checkLabelCount(
  labels: readonly Label[],
  output: TensorSpec | undefined,
  file: string,
): void {
  const classes = output && widthOf(output);
  if (!output || classes === undefined || suits(labels, classes)) return;
  const scores = classes === 1 ? '1 score' : `${classes} scores`;
  throw new ModelError(`its ${file} names ${labels.length} labels, output "${output.name}" has ${scores}`);
}

/**
 * One label per score. A single score can also be that of the second of two labels, as in a network that ends in one
 * sigmoid.
 */
function suits({ length }: readonly Label[], classes: number | undefined): boolean {
  return length === classes || (length === 2 && classes === 1);
}

/** The only output that can hold scores. */
export function findScores({ outputs, graph }: GraphView): TensorSpec | undefined {
  const floats = outputs.filter(({ datatype }) => DATATYPES[datatype].kind === 'float');
  const zipMaps = new Set(graph.zipMaps.map(({ output }) => output));
  const zipped = floats.filter(({ name }) => zipMaps.has(name));
  const likely = zipped.length === 1 ? zipped : floats;
  return likely.length === 1 ? likely[0] : undefined;
}

function findNamed({ output }: ModelConfig, { outputs }: GraphView): TensorSpec | undefined {
  const stated = typeof output === 'object' && output !== null && 'probabilities' in output;
  const wanted = stated ? output.probabilities : output;
  return outputs.find(({ name }) => name === wanted);
}

/** One score per class. Detectors also come with label files, but have several numbers for each of many positions. */
function isRow({ shape }: TensorSpec): boolean {
  return shape.slice(1).filter((size) => size !== 1).length <= 1;
}

/** All axes except the first, if the graph says how long they are. */
function widthOf({ shape }: TensorSpec): number | undefined {
  const classes = shape.slice(1);
  if (classes.length === 0 || classes.includes(-1)) return undefined;
  return classes.reduce((product, size) => product * size, 1);
}

/** Whole numbers are not names: they are what the labels name. */
function namesClasses({ graph }: GraphView): boolean {
  const known = [...graph.zipMaps.map(({ labels }) => labels), ...graph.classLabels.values()];
  return known.some((labels) => typeof labels[0] === 'string');
}
