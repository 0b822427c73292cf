import type * as z from 'zod';
import { InferenceError } from '../errors.ts';
import type { Inference } from '../inference/inference.ts';
import type { Model } from '../inference/load-model.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { AnswerForm } from '../models/answer-forms.ts';
import { type ModelListing, type ModelReference, pathOf } from '../models/model-reference.ts';
import type { Label } from '../processing/classification.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { OutputKind, TextInput } from '../values/contract.ts';
import type { InputKind } from '../values/input.ts';
import type { RowFormat } from '../values/row.ts';

/** What is known of a model once it was loaded. It stays true: versions do not change. */
export interface ModelFacts {
  readonly reference: ModelReference;
  readonly task: string;
  readonly kind: InputKind;
  /** What its task gives for each instance. */
  readonly gives: OutputKind;
  /** In which form it answers on Ternion's own routes. */
  readonly form: AnswerForm;
  /** What an answer looks like, where the task gives values of its own. */
  readonly answer: z.ZodType | undefined;
  readonly description: string | undefined;
  readonly inputs: readonly TensorSpec[];
  /** How it takes texts, where it does. */
  readonly textInput: TextInput | undefined;
  readonly outputs: readonly TensorSpec[];
  /** What a row looks like, where the model takes rows. */
  readonly features: RowFormat | undefined;
  /** Names of the classes; undefined where they are only counted. */
  readonly labels: readonly Label[] | undefined;
  /** Whether a classifier's scores are known to be probabilities. */
  readonly areProbabilities: boolean;
  /** Body of a predict request that is answered; undefined where there is none, or it is long. */
  readonly example: JsonObject | undefined;
}

/** A model that is served: what it takes and gives, or why that is not known. */
export interface DescribedModel {
  readonly reference: ModelReference;
  readonly facts?: ModelFacts;
  readonly problem?: string;
}

/** Says what the models of a listing take and give. */
export type ModelReader = (models: readonly ModelListing[]) => Promise<readonly DescribedModel[]>;

/** Longest example that is shown, in characters of JSON. */
const LONGEST_EXAMPLE = 16_384;

/**
 * A reader that remembers. It loads no model: anybody can ask for the description, and a repository can have a thousand
 * models that would take all memory and minutes. A model is described once it has been loaded for a request; a look at
 * `/models/{model}` loads one as well. It never rejects.
 */
export function createModelReader(inference: Inference): ModelReader {
  let known = new Map<string, ModelFacts>();

  async function read(reference: ModelReference): Promise<DescribedModel> {
    const facts = known.get(pathOf(reference));
    if (facts) return { reference, facts };
    const state = inference.state(reference);
    if (state === 'failed') return { reference, problem: FAILED };
    if (state !== 'loaded') return { reference, problem: NOT_LOADED };
    try {
      const { value: found } = await inference.use({ reference }, {}, ({ model }) => factsOf(model));
      known.set(pathOf(reference), found);
      return { reference, facts: found };
    } catch (error) {
      return { reference, problem: error instanceof InferenceError ? error.message : UNKNOWN_PROBLEM };
    }
  }

  return async (models) => {
    const described: DescribedModel[] = [];
    for (const { name, liveVersion } of models) {
      described.push(await read({ name, version: liveVersion }));
    }
    // Versions that are no longer live are forgotten.
    known = new Map(described.flatMap(({ facts }) => (facts ? [[pathOf(facts.reference), facts]] : [])));
    return described;
  };
}

const NOT_LOADED =
  'The model is not loaded; its own description appears after the first request to it, or after GET /models/{model}.';
const FAILED = 'The model could not be loaded; a request to it says why.';
const UNKNOWN_PROBLEM = 'The model cannot be described; the log says why.';

function factsOf({ reference, config, contract, session, task, answer, example }: Model): ModelFacts {
  const isNamed = config.labels !== undefined;
  const isText = task.labels?.some((label) => typeof label === 'string') ?? false;
  const isShort = example !== undefined && JSON.stringify(example).length <= LONGEST_EXAMPLE;
  return {
    reference,
    task: config.task,
    kind: contract.kind,
    gives: contract.gives,
    form: contract.answering(['ternion']).form,
    answer,
    description: config.description,
    inputs: session.inputs,
    textInput: contract.textInput,
    outputs: session.outputs,
    features: task.preprocessor?.features,
    labels: isNamed || isText ? task.labels : undefined,
    areProbabilities: task.postprocessor?.areProbabilities ?? false,
    example: isShort ? example : undefined,
  };
}
