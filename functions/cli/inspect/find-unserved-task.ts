import type { Graph } from '../../../shared/onnx/graph.ts';
import type { ModelContract } from '../../../shared/values/contract.ts';

/** A kind of model without a task in Ternion; only its tensors are served. */
interface UnservedTask {
  readonly name: string;
  /** Matches the end of the name of its class in transformers. */
  readonly architecture: RegExp;
  /** Whether the graph alone shows that kind. */
  readonly isGraph?: (graph: GraphFacts) => boolean;
}

interface GraphFacts {
  readonly inputs: ReadonlySet<string>;
  readonly outputs: ReadonlyMap<string, readonly (number | string)[]>;
  readonly graph: Pick<Graph, 'operators' | 'metadata'>;
}

/** The vocabulary of a tokenizer has at least this many words; a set of tags has fewer. */
const FEWEST_WORDS = 1000;

const UNSERVED: readonly UnservedTask[] = [
  {
    name: 'question answering',
    architecture: /ForQuestionAnswering$/,
    isGraph: ({ outputs }) => outputs.has('start_logits') && outputs.has('end_logits'),
  },
  {
    name: 'token classification, such as named entities',
    architecture: /ForTokenClassification$/,
    isGraph: (facts) => scoresOfTokens(facts) < FEWEST_WORDS,
  },
  {
    name: 'language modelling, such as fill-mask and text generation',
    architecture: /For(?:MaskedLM|PreTraining|CausalLM|ConditionalGeneration)$|LMHeadModel$|WithLMHead$/,
    isGraph: (facts) => scoresOfTokens(facts) >= FEWEST_WORDS,
  },
  { name: 'multiple choice', architecture: /ForMultipleChoice$/ },
  {
    name: 'image segmentation',
    architecture: /For(?:Semantic|Instance|Universal|Image)Segmentation$/,
    isGraph: ({ outputs, graph }) => ultralyticsTask(graph) === 'segment' || outputs.has('pred_masks'),
  },
  { name: 'depth estimation', architecture: /ForDepthEstimation$/ },
  {
    name: 'pose estimation',
    architecture: /ForPoseEstimation$/,
    isGraph: ({ graph }) => ultralyticsTask(graph) === 'pose',
  },
  {
    name: 'object detection',
    architecture: /ForObjectDetection$|ForZeroShotObjectDetection$/,
    isGraph: ({ outputs, graph }) =>
      ['detect', 'obb'].includes(ultralyticsTask(graph) ?? '') ||
      graph.operators.has('NonMaxSuppression') ||
      ['boxes', 'pred_boxes', 'detection_boxes'].some((name) => outputs.has(name)),
  },
  { name: 'speech', architecture: /For(?:CTC|AudioClassification|SpeechSeq2Seq|AudioFrameClassification)$/ },
];

/** How many scores the graph gives for each token of a text; NaN if there are none, or their number is open. */
function scoresOfTokens({ inputs, outputs }: GraphFacts): number {
  const shape = outputs.get('logits');
  return inputs.has('input_ids') && shape?.length === 3 ? Number(shape[2]) : Number.NaN;
}

/** The task that Ultralytics writes into the metadata of its exports. */
function ultralyticsTask({ metadata }: Pick<Graph, 'metadata'>): string | undefined {
  return metadata.find(({ key }) => key === 'task')?.value;
}

/**
 * A warning for a kind of model that Ternion has no task for.
 *
 * @param config text of the `config.json` beside it
 */
export function findUnservedTask(
  {
    kind,
    task,
    inputs,
    outputs,
  }: Pick<ModelContract, 'kind' | 'task'> & {
    readonly inputs: readonly { readonly name: string }[];
    readonly outputs: readonly { readonly name: string; readonly shape: readonly (number | string)[] }[];
  },
  graph: Pick<Graph, 'operators' | 'metadata'>,
  config: string | undefined,
): string | undefined {
  if (kind !== 'tensors' || task !== 'tensor') return undefined;
  const facts = {
    inputs: new Set(inputs.map(({ name }) => name)),
    outputs: new Map(outputs.map(({ name, shape }) => [name, shape])),
    graph,
  };
  const architectures = architecturesIn(config);
  const found =
    UNSERVED.find(({ architecture }) => architectures.some((name) => architecture.test(name))) ??
    UNSERVED.find(({ isGraph }) => isGraph?.(facts) === true);
  if (!found) return undefined;
  const takesTexts = facts.inputs.has('input_ids');
  return `it is a model for ${found.name}, and Ternion has no such task yet: clients send and get its tensors, ${
    takesTexts ? 'and tokenize texts themselves' : 'and prepare the input themselves'
  }`;
}

function architecturesIn(config: string | undefined): readonly string[] {
  try {
    const value: unknown = JSON.parse(config ?? '{}');
    const names = typeof value === 'object' && value !== null ? Reflect.get(value, 'architectures') : [];
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    // A mistake in the file is reported when it is read for the model.
    return [];
  }
}
