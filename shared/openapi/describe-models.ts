import type * as z from 'zod/mini';
import { InferenceError } from '../errors.ts';
import type { Inference } from '../inference/inference.ts';
import type { Model } from '../inference/load-model.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { AnswerForm } from '../models/answer-forms.ts';
import { folderOf, type ModelListing, type ModelReference } from '../models/model-reference.ts';
import type { Label } from '../processing/classification.ts';
import type { TensorSpec } from '../runtime/session.ts';
import type { OutputKind, TextInput } from '../values/contract.ts';
import type { InputKind } from '../values/input.ts';
import type { RowFormat } from '../values/row.ts';

/** What is known about a model once it has been loaded. It stays true, as versions do not change. */
export interface ModelFacts {
  /** With the name that it has now. */
  readonly reference: ModelReference;
  readonly task: string;
  readonly kind: InputKind;
  /** The kind of prediction for each instance. */
  readonly gives: OutputKind;
  /** The form of its answers on Ternion's own routes. */
  readonly form: AnswerForm;
  /** The schema of an answer, if the task has its own kind of values. */
  readonly answer: z.ZodMiniType | undefined;
  readonly description: string | undefined;
  readonly inputs: readonly TensorSpec[];
  /** How it takes texts, if it does. */
  readonly textInput: TextInput | undefined;
  readonly outputs: readonly TensorSpec[];
  /** The columns of a row, if the model takes rows. */
  readonly features: RowFormat | undefined;
  /** Names of the classes; undefined if only their number is known. */
  readonly labels: readonly Label[] | undefined;
  /** Whether a classifier's scores are known to be probabilities. */
  readonly areProbabilities: boolean;
  /** Body of a predict request that the model answers; undefined if it is unknown or long. */
  readonly example: JsonObject | undefined;
}

/** A served model: its inputs and outputs, or why they are unknown. */
export interface DescribedModel {
  readonly reference: ModelReference;
  readonly facts?: ModelFacts;
  readonly problem?: string;
}

/** Describes the inputs and outputs of the models in a listing. */
export type ModelReader = (models: readonly ModelListing[]) => Promise<readonly DescribedModel[]>;

/** Longest example that is shown, in characters of JSON. */
const LONGEST_EXAMPLE = 16_384;

/**
 * A reader with a cache. It does not load models: anybody can request the description, and loading a thousand models
 * would take minutes and all memory. A model is described once a request has loaded it; `GET /models/{model}` loads one
 * too. The reader never rejects.
 */
export function createModelReader(inference: Inference): ModelReader {
  /** By the folders of the versions, as another model can get the name. */
  let known = new Map<string, ModelFacts>();

  async function read(reference: ModelReference, folder: string): Promise<DescribedModel> {
    const facts = known.get(folder);
    if (facts) return { reference, facts: { ...facts, reference } };
    const state = inference.state(reference);
    if (state === 'failed') return { reference, problem: FAILED };
    if (state !== 'loaded') return { reference, problem: NOT_LOADED };
    try {
      const { value: found } = await inference.use({ reference }, {}, ({ model }) =>
        factsOf(model, reference),
      );
      return { reference, facts: found };
    } catch (error) {
      return { reference, problem: error instanceof InferenceError ? error.message : UNKNOWN_PROBLEM };
    }
  }

  return async (models) => {
    const described: DescribedModel[] = [];
    const live = new Map<string, ModelFacts>();
    for (const model of models) {
      const { name, liveVersion } = model;
      const folder = folderOf(model, liveVersion);
      const found = await read({ name, version: liveVersion }, folder);
      described.push(found);
      if (found.facts) live.set(folder, found.facts);
    }
    // Drops versions that are no longer live.
    known = live;
    return described;
  };
}

const NOT_LOADED =
  'The model is not loaded; its own description appears after the first request to it, or after GET /models/{model}.';
const FAILED = 'The model could not be loaded; a request to it says why.';
const UNKNOWN_PROBLEM = 'The model cannot be described; the log says why.';

function factsOf(
  { config, contract, session, task, answer, example }: Model,
  reference: ModelReference,
): ModelFacts {
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
