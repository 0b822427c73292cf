import type { Budget } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import type { JsonValue } from '../json/json-value.ts';
import type { ModelConfig } from '../models/model-config.ts';
import type { ModelReference } from '../models/model-reference.ts';
import {
  bindProcessors,
  type ProcessorRun,
  type ProcessorScope,
  type Processors,
  takesOf,
} from '../processors/bind-processors.ts';
import { createMeasurements, type Measurements } from '../processors/measurements.ts';
import type { Processor, Takes } from '../processors/processor.ts';
import { ReturnedError, toJson } from '../processors/returned.ts';
import type { NamedTensors, TensorSpec } from '../runtime/session.ts';
import type { ModelContract } from '../values/contract.ts';
import type { EmbeddingOptions, InferenceInput } from '../values/input.ts';
import type { NamedInputs } from '../values/named-inputs.ts';
import { jsonTexts } from '../values/nested-values.ts';
import type { BoundGraph } from './bound-graph.ts';
import type { Sent } from './count-values.ts';
import { countInstances, inferOutput, inferTensors, type TensorOptions } from './infer-tensors.ts';
import { blameMaker, graphInputsOf, type Made, taskInputOf } from './made-inputs.ts';
import type { InferenceOutput } from './output.ts';
import { resultsOf } from './prediction-results.ts';
import type { Runner } from './run-batch.ts';
import { instancesOf, readInstances } from './sent-instances.ts';
import type { TaskRunner } from './task.ts';
import { readFeeds } from './tasks/tensor.ts';
import { checkFetches } from './text-tensors.ts';

/** A model with steps of own code, as requests use it. */
export interface ProcessedModel {
  /** The model that the steps are around. */
  readonly inner: BoundGraph;
  /**
   * @param logOf makes the log of a step
   * @param trace the place of the request in a trace; undefined if there is no request
   * @param onMade is called with what the steps have made for the graph
   */
  open(logOf: ProcessorScope['log'], trace: ProcessorScope['trace'], onMade: OnMade): ProcessedUse;
}

type OnMade = (made: Sent) => void;

/** A model with steps of own code in one request. The runner runs the graph. */
export interface ProcessedUse {
  readonly measured: Pick<Measurements, 'counts' | 'observations'>;
  predict(input: InferenceInput, run: Runner, budget: Budget): Promise<InferenceOutput>;
  run(inputs: NamedInputs, options: TensorOptions, run: Runner, budget: Budget): Promise<NamedTensors>;
}

/** The model as protocols see it, with the inputs of its first step and the outputs of its last. */
export interface OuterModel extends BoundGraph {
  readonly processed: ProcessedModel;
}

/**
 * Puts the steps that a config names around a model.
 *
 * @throws ModelError for a step that does not exist, and for options that its schema refuses
 */
export type AddSteps = (
  reference: ModelReference,
  named: NonNullable<ModelConfig['processors']>,
  graph: BoundGraph,
) => Promise<OuterModel>;

/** @param known the steps of a project */
export function createAddSteps(known: readonly Processor[]): AddSteps {
  return async (reference, named, graph) =>
    processModel(graph, await bindProcessors(named, known, reference));
}

/** The name of the only input of a model whose instances own code reads: JSON, or its texts in tensors. */
const INSTANCES = 'instances';
/** The name of the only output of a model whose predictions own code makes: JSON, or its texts in tensors. */
const PREDICTION = 'prediction';

/** Puts steps of own code around a model. */
function processModel(inner: BoundGraph, processors: Processors): OuterModel {
  const { first, hasAfter } = processors;
  const takes = first && takesOf(first, inner.contract.kind);
  const form: Form = { takes, hasAfter };
  const inputs = takes === undefined ? inner.session.inputs : [inputOf(takes)];
  const outputs = hasAfter ? [jsonSpec(PREDICTION)] : inner.session.outputs;
  return {
    session: { ...inner.session, inputs, outputs, run: refuseToRun },
    task: taskOf(inner.task, takes, hasAfter),
    contract: contractOf(inner.contract, takes, hasAfter, inputs),
    processed: {
      inner,
      open: (log, trace, onMade) => {
        const measurements = createMeasurements();
        const answer = async <R>(
          run: Runner,
          budget: Budget,
          work: (call: Call) => Promise<R>,
        ): Promise<R> => {
          const steps = processors.start({ budget, measurements, log, trace });
          try {
            return await work({ inner, run, budget, steps, onMade });
          } finally {
            steps.end();
          }
        };
        return {
          measured: { counts: measurements.counts, observations: measurements.observations },
          predict: (input, run, budget) => answer(run, budget, (call) => predict(call, input, form)),
          run: (sent, options, run, budget) =>
            answer(run, budget, (call) => runTensors(call, sent, options, form)),
        };
      },
    },
  };
}

function refuseToRun(): never {
  throw new Error('a graph with steps around it was run without them');
}

function jsonSpec(name: string): TensorSpec {
  return { name, datatype: 'BYTES', shape: [-1], isJson: true, batchAxis: 0 };
}

/** Clients send the instances of the first step, and not tensors of the graph. */
function inputOf(takes: Takes): TensorSpec {
  if (takes === 'features') return jsonSpec(INSTANCES);
  return { name: takes, datatype: 'BYTES', shape: [-1], batchAxis: 0 };
}

function taskOf(task: TaskRunner, takes: Takes | undefined, hasAfter: boolean): TaskRunner {
  return {
    ...task,
    preprocessor: takes === undefined ? task.preprocessor : undefined,
    postprocessor: hasAfter ? undefined : task.postprocessor,
    labels: hasAfter ? undefined : task.labels,
  };
}

function contractOf(
  contract: ModelContract,
  takes: Takes | undefined,
  hasAfter: boolean,
  inputs: readonly TensorSpec[],
): ModelContract {
  return {
    ...contract,
    ...(takes !== undefined && {
      kind: takes,
      inputs,
      features: undefined,
      columns: undefined,
      imageInput: takes === 'image' ? takes : undefined,
      textInput: takes === 'text' ? { name: takes, isPrepared: true, takesPairs: true } : undefined,
    }),
    ...(hasAfter && {
      gives: 'values',
      maps: new Map(),
      answering: (protocols) => {
        const answering = contract.answering(protocols);
        return answering.form === 'columns' ? answering : { ...answering, form: 'objects' };
      },
    }),
  };
}

/** What the steps of a model take and change. */
interface Form {
  /** What the first step before the graph takes; undefined if there is none. */
  readonly takes: Takes | undefined;
  readonly hasAfter: boolean;
}

/** One request to a model with steps. */
interface Call {
  readonly inner: BoundGraph;
  readonly steps: ProcessorRun;
  readonly run: Runner;
  readonly budget: Budget;
  readonly onMade: OnMade;
}

/** Answers a request on Ternion's own routes. */
async function predict(
  call: Call,
  input: InferenceInput,
  { takes, hasAfter }: Form,
): Promise<InferenceOutput> {
  const { inner, run, budget } = call;
  if (takes !== undefined) {
    const instances = instancesOf(input, takes);
    const made = { ...(await call.steps.before(instances)), instances };
    const output = await inferMade(call, made, input.kind === 'text' ? input.options : undefined);
    if (hasAfter) return await finish(call, output, instances.length);
    return output.kind === 'tensors' ? valuesOf(resultsOf(output, inner.session, instances.length)) : output;
  }
  if (!hasAfter) return await inner.task.infer(input, run, budget);
  if (input.kind !== 'tensors') return await finish(call, await inner.task.infer(input, run, budget));
  const feeds = readFeeds(input.tensors, inner.session.inputs, budget.limits);
  return await finishTensors(call, feeds, 'whole');
}

/** The task of the model on what the last step before the graph made. */
async function inferMade(
  { inner, run, budget, onMade }: Call,
  made: Made,
  options?: EmbeddingOptions,
): Promise<InferenceOutput> {
  return await blameMaker(made, async () => {
    const input = taskInputOf(inner, made, options);
    if (input !== undefined) {
      onMade(input);
      return await inner.task.infer(input, run, budget);
    }
    const inputs = graphInputsOf(inner, made, budget);
    onMade(inputs);
    return await inferOutput(inner, inputs, 'instances', run, budget);
  });
}

/** Runs the graph on tensors of a client, and the steps after it. */
async function finishTensors(
  call: Call,
  sent: NamedInputs,
  layout: NonNullable<TensorOptions['layout']>,
): Promise<ValuesOutput> {
  const { inner, run, budget } = call;
  const output = await inferOutput(inner, sent, layout, run, budget);
  return await finish(call, output, countInstances(sent, inner.session, layout));
}

type ValuesOutput = Extract<InferenceOutput, { readonly kind: 'values' }> & {
  readonly predictions: readonly JsonValue[];
};

/**
 * Runs the steps after the graph.
 *
 * @param rows how many instances tensors are for, if that is known
 */
async function finish({ steps, inner }: Call, output: InferenceOutput, rows?: number): Promise<ValuesOutput> {
  const changed = await steps.after(resultsOf(output, inner.session, rows));
  return valuesOf(changed);
}

function valuesOf(predictions: readonly unknown[]): ValuesOutput {
  return { kind: 'values', predictions: predictions.map((value, index) => jsonOf(value, index)) };
}

function jsonOf(value: unknown, index: number): JsonValue {
  try {
    return toJson(value, `${PREDICTION} ${index}`);
  } catch (cause) {
    const reason = cause instanceof ReturnedError ? cause.message : 'the log of the server says why';
    const message = `The last step returned what cannot be answered: ${reason}.`;
    throw new InferenceError('PROCESSOR_FAILED', message, { cause });
  }
}

/** Answers tensors of clients, on the routes of other servers. */
async function runTensors(
  call: Call,
  sent: NamedInputs,
  options: TensorOptions,
  { takes, hasAfter }: Form,
): Promise<NamedTensors> {
  const { inner, run, budget, onMade } = call;
  if (hasAfter) checkFetches(options.outputs ?? [], [PREDICTION]);
  if (takes === undefined) {
    if (!hasAfter) return await inferTensors(inner, sent, options, run, budget);
    return predictionTensor(await finishTensors(call, sent, options.layout ?? 'whole'));
  }
  const instances = readInstances(sent, takes, inputOf(takes), budget);
  const made = { ...(await call.steps.before(instances)), instances };
  if (hasAfter) return predictionTensor(await finish(call, await inferMade(call, made), instances.length));
  return await blameMaker(made, async () => {
    const inputs = graphInputsOf(inner, made, budget);
    onMade(inputs);
    return await inferTensors(inner, inputs, { ...options, layout: 'instances' }, run, budget);
  });
}

function predictionTensor({ predictions }: ValuesOutput): NamedTensors {
  return new Map([[PREDICTION, jsonTexts(predictions)]]);
}
