import * as z from 'zod/mini';
import type { TensorSpec } from '../../runtime/session.ts';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { type FormatFolder, type GraphView, readJsonFile } from './format-folder.ts';
import { type ImageModel, readImageSteps } from './image-processor.ts';
import { PROCESSOR_FILE } from './image-processor-kinds.ts';
import { checkLabelCount } from './labels.ts';
import { readSentence } from './sentence-transformers.ts';
import { readTokenLimit } from './token-limit.ts';

const OPTIMUM_FILE = 'config.json';
const TOKENIZER_FILE = 'tokenizer.json';

/** The members of `config.json` that matter. Other files with this name have no `model_type`. */
const configSchema = z.object({
  model_type: z.string(),
  architectures: z.nullish(z.array(z.string())),
  id2label: z.nullish(z.record(z.string(), z.string())),
  problem_type: z.nullish(
    z.enum(['regression', 'single_label_classification', 'multi_label_classification']),
  ),
  num_channels: z.catch(z.optional(z.int().check(z.positive())), undefined),
  max_position_embeddings: z.catch(z.optional(z.int().check(z.positive())), undefined),
  pad_token_id: z.catch(z.nullish(z.int()), undefined),
  transformers_version: z.catch(z.optional(z.string()), undefined),
});

type OptimumConfig = z.infer<typeof configSchema>;
type Goal = 'text-classification' | 'image-classification' | 'text-features' | 'image-features';

/** Outputs that hold embeddings, by the names that Optimum gives them; earlier ones are preferred. */
const EMBEDDINGS = [
  'sentence_embedding',
  'last_hidden_state',
  'token_embeddings',
  'image_embeds',
  'text_embeds',
];

/**
 * A model that Optimum exported from Hugging Face's transformers: its folder has `config.json`, and a tokenizer or an
 * image processor. Models of other tasks take and give tensors.
 *
 * @param view undefined if only the small files are available
 * @throws ModelError when a file is missing or broken, or does not fit the graph
 */
export async function recogniseOptimum(
  folder: FormatFolder,
  view: GraphView | undefined,
): Promise<ModelConfig | undefined> {
  const text = await folder.read(OPTIMUM_FILE);
  if (text === undefined || !looksLikeTransformers(text)) return undefined;
  const config = await readJsonFile(folder, OPTIMUM_FILE, configSchema);
  if (!config) return undefined;
  const goal = view ? goalOfGraph(config, view) : goalOfFiles(config, folder);
  switch (goal) {
    case undefined:
      return view && { task: 'tensor' };
    case 'text-classification':
      return {
        task: goal,
        ...(await readTexts(folder, config)),
        ...classify(config, view),
      };
    case 'image-classification':
      return {
        task: goal,
        preprocess: await readImageSteps(folder, imageModelOf(config)),
        ...classify(config, view),
      };
    case 'text-features':
      return {
        task: 'feature-extraction',
        ...(await readTexts(folder, config)),
        ...(await embed(folder, view)),
      };
    case 'image-features':
      return {
        task: 'feature-extraction',
        preprocess: await readImageSteps(folder, imageModelOf(config)),
        output: view && findEmbedding(view)?.name,
      };
  }
}

function looksLikeTransformers(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'model_type' in value;
  } catch {
    // A later step reads this file again and reports the error.
    return true;
  }
}

/** The files do not record the task of an export; the graph's inputs and outputs show it. */
function goalOfGraph(config: OptimumConfig, view: GraphView): Goal | undefined {
  const names = view.inputs.map(({ name }) => name);
  const isText = names.includes('input_ids');
  if (isText === names.includes('pixel_values')) return undefined;
  if (findEmbedding(view)) return isText ? 'text-features' : 'image-features';
  const logits = findLogits(view);
  if (logits?.shape.length !== 2 || !isNamed(config, /ForSequenceClassification|ForImageClassification/)) {
    return undefined;
  }
  return isText ? 'text-classification' : 'image-classification';
}

/** Without the graph, only the name of the model's class shows it. */
function goalOfFiles(config: OptimumConfig, { files }: FormatFolder): Goal | undefined {
  if (isNamed(config, /ForSequenceClassification/)) return 'text-classification';
  if (isNamed(config, /ForImageClassification/)) return 'image-classification';
  if (!isNamed(config, /Model$/) || files.includes(TOKENIZER_FILE) === files.includes(PROCESSOR_FILE)) {
    return undefined;
  }
  return files.includes(TOKENIZER_FILE) ? 'text-features' : 'image-features';
}

function imageModelOf({ num_channels, transformers_version }: OptimumConfig): ImageModel {
  return { channels: num_channels ?? 3, version: transformers_version };
}

function isNamed({ architectures }: OptimumConfig, pattern: RegExp): boolean {
  return (architectures ?? []).some((name) => pattern.test(name));
}

function findLogits({ outputs }: GraphView): TensorSpec | undefined {
  return outputs.find(({ name }) => name === 'logits');
}

function findEmbedding({ outputs }: GraphView): TensorSpec | undefined {
  const [name] = EMBEDDINGS.filter((candidate) => outputs.some((output) => output.name === candidate));
  return outputs.find((output) => output.name === name);
}

async function readTexts(folder: FormatFolder, config: OptimumConfig) {
  if (!folder.files.includes(TOKENIZER_FILE)) {
    const slow = ['vocab.txt', 'vocab.json', 'spiece.model', 'sentencepiece.bpe.model'].find((file) =>
      folder.files.includes(file),
    );
    const hint = slow ? `; transformers converts its ${slow} if you save a fast tokenizer` : '';
    throw new ModelError(`a text model needs a ${TOKENIZER_FILE} next to it${hint}`);
  }
  return { maxTokens: await readTokenLimit(folder, config) };
}

/** Turns scores into probabilities as the pipelines of transformers do. */
function classify(config: OptimumConfig, view: GraphView | undefined) {
  const labels = readLabels(config);
  const logits = view && findLogits(view);
  if (labels) checkLabelCount(labels, logits, OPTIMUM_FILE);
  const classes = labels?.length ?? logits?.shape[1];
  const isDone = logits !== undefined && view?.graph.probabilities.has(logits.name);
  const isMulti = config.problem_type === 'multi_label_classification';
  const step = isMulti || classes === 1 ? 'sigmoid' : 'softmax';
  return {
    labels,
    output: logits?.name,
    postprocess: config.problem_type === 'regression' || isDone ? [] : [{ step }],
  };
}

function readLabels({ id2label }: OptimumConfig): string[] | undefined {
  if (!id2label) return undefined;
  const count = Object.keys(id2label).length;
  return Array.from({ length: count }, (_, index) => {
    const label = id2label[index];
    if (label !== undefined) return label;
    throw new ModelError(
      `its ${OPTIMUM_FILE} has ${count} labels in "id2label", but none for class ${index}`,
    );
  });
}

/**
 * The prompts and pooling of a sentence-transformers folder; in other folders there is one vector per token, as in
 * transformers.
 */
async function embed(folder: FormatFolder, view: GraphView | undefined) {
  const output = view && findEmbedding(view);
  return { output: output?.name, ...(await readSentence(folder, output?.shape.length === 2)) };
}
