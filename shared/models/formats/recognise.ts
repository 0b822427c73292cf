import type { JsonObject } from '../../json/json-value.ts';
import { type Flavour, formsOf } from '../answer-forms.ts';
import { type ConfigReader, type ModelConfig, ModelError } from '../model-config.ts';
import { findFlavour, listFlavours } from './flavour.ts';
import { type FormatFolder, type GraphView, SETTINGS_FILE } from './format-folder.ts';
import { recogniseKserve } from './kserve.ts';
import { addLabels, withLabelsFile } from './labels.ts';
import { withMetadata } from './metadata.ts';
import { readMlflowExample, recogniseMlflow } from './mlflow.ts';
import { recogniseMlserver } from './mlserver.ts';
import { configOf } from './onnx.ts';
import { recogniseOptimum } from './optimum.ts';
import { recogniseTimm } from './timm.ts';
import { recogniseTorchServe } from './torchserve.ts';
import { recogniseTriton } from './triton.ts';

/** The kind of model that a folder holds. */
export interface Recognised {
  /** The source of its config; `model.json` is Ternion's own. */
  readonly format: Format;
  readonly config: ModelConfig;
  /** What it was before it became ONNX, according to its files; undefined if they do not say. */
  readonly flavour?: Flavour | undefined;
  /** Body of a predict request that came with the model. */
  readonly example?: JsonObject | undefined;
}

export type Format = 'ternion' | keyof typeof RECOGNISERS;

/**
 * Looks for the files of one format. Returns undefined for folders of other formats. Throws a ModelError that says what
 * is missing if a folder has this format but is broken.
 */
type Recogniser = (
  folder: FormatFolder,
  view: GraphView,
  reader: ConfigReader,
) => Promise<ModelConfig | undefined>;

/** All formats; the first one that fits counts. The last one fits every graph. */
const RECOGNISERS = {
  mlflow: recogniseMlflow,
  timm: recogniseTimm,
  optimum: recogniseOptimum,
  torchserve: recogniseTorchServe,
  triton: recogniseTriton,
  mlserver: recogniseMlserver,
  kserve: recogniseKserve,
  onnx: async (_, view) => configOf(view),
} as const satisfies Record<string, Recogniser>;

/**
 * Determines what kind of model a folder without `model.json` holds. A folder can be of several formats, such as an
 * export of Optimum in a repository of Triton: the first one counts, and the others add what it does not say. A file of
 * labels, or the metadata of the graph, adds what none of them says.
 *
 * @throws ModelError when the folder has a format but lacks something, or contradicts its graph or itself
 */
export async function recogniseModel(
  folder: FormatFolder,
  view: GraphView,
  reader: ConfigReader,
): Promise<Recognised> {
  const found: Recognised[] = [];
  for (const format of FORMATS) {
    // The last format fits every graph.
    if (format === 'onnx' && found.length > 0) continue;
    const config = await RECOGNISERS[format](folder, view, reader);
    if (config) found.push({ format, config });
  }
  const [first, ...others] = found;
  if (!first) throw new ModelError('its format is unknown');
  checkAgreement(found);
  const { format } = first;
  const merged = others.reduce(
    (all, other) => withLimits(withLabels(all, other.config, reader), other.config),
    first.config,
  );
  const labelled = await withLabelsFile(merged, folder, view, reader);
  const flavour = await readFlavour(folder);
  const isOfMlserver = found.some((each) => each.format === 'mlserver');
  const config = await reader.check(withAnswers(withMetadata(labelled, view, reader), flavour, isOfMlserver));
  const example = format === 'mlflow' ? await readMlflowExample(folder, config) : undefined;
  return { format, config, flavour, example };
}

/**
 * A `model.json` that does not say how rows are answered, with the answers of the server that the other files name. They
 * are not checked: it is `model.json` that counts.
 */
export async function withServerAnswers(folder: FormatFolder, config: ModelConfig): Promise<Recognised> {
  try {
    const flavour = await findFlavour(folder);
    const isOfMlserver = folder.files.includes(SETTINGS_FILE);
    return { format: 'ternion', config: withAnswers(config, flavour, isOfMlserver), flavour };
  } catch (error) {
    if (error instanceof ModelError) return { format: 'ternion', config };
    throw error;
  }
}

/** What the files of a folder say of its answers, and its graph does not. */
function withAnswers(config: ModelConfig, flavour: Flavour | undefined, isOfMlserver: boolean): ModelConfig {
  const isTable = config.task.startsWith('tabular');
  const answers = flavour && formsOf(flavour, isTable, isOfMlserver);
  return answers ? { ...config, answers } : config;
}

/** The original kind of the model decides the form of its answers; this is not guessed either. */
async function readFlavour(folder: FormatFolder): Promise<Flavour | undefined> {
  const named = await listFlavours(folder);
  const [first] = named;
  const other = named.find(({ library }) => library !== first?.library);
  if (!first || !other) return first?.flavour;
  throw new ModelError(
    `its ${first.file} names ${first.library}, its ${other.file} names ${other.library}: remove the wrong file, or write a model.json`,
  );
}

/** Which labels are right is not guessed. */
function checkAgreement(found: readonly Recognised[]): void {
  const named = found.filter(({ config }) => config.labels !== undefined);
  const lists = new Set(named.map(({ config }) => JSON.stringify(config.labels)));
  if (lists.size < 2) return;
  const formats = named.map(({ format }) => format).join(' and ');
  throw new ModelError(
    `its files of ${formats} name different labels: write a model.json with the right ones`,
  );
}

function withLabels(config: ModelConfig, { labels }: ModelConfig, reader: ConfigReader): ModelConfig {
  return labels ? addLabels(config, labels, reader) : config;
}

function withLimits(config: ModelConfig, { task, maxBatchSize, shapes, features }: ModelConfig): ModelConfig {
  return {
    ...config,
    ...(config.features === undefined && config.task === task && features !== undefined && { features }),
    ...(config.maxBatchSize === undefined && maxBatchSize !== undefined && { maxBatchSize }),
    ...(config.shapes === undefined && shapes !== undefined && { shapes }),
  };
}

const FORMATS = Object.keys(RECOGNISERS).filter((name) => isFormat(name));

function isFormat(name: string): name is keyof typeof RECOGNISERS {
  return Object.hasOwn(RECOGNISERS, name);
}

/**
 * What the small files of a folder say without the graph, which may not be on this machine.
 *
 * @returns undefined if only the graph says it
 * @throws ModelError when the folder is broken
 */
export async function recogniseFiles(
  folder: FormatFolder,
  reader: ConfigReader,
): Promise<ModelConfig | undefined> {
  const config = (await recogniseTimm(folder, undefined)) ?? (await recogniseOptimum(folder, undefined));
  return config && (await reader.check(config));
}
