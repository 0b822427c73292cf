import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Limits, parseConfig } from '../../shared/config.ts';
import { createInference, type Inference, type NamedChoice } from '../../shared/inference/inference.ts';
import type { Model } from '../../shared/inference/load-model.ts';
import type { ModelRunOptions } from '../../shared/inference/model-use.ts';
import type { InferenceOutput } from '../../shared/inference/output.ts';
import type { UseContext } from '../../shared/inference/use-context.ts';
import type { JsonValue } from '../../shared/json/json-value.ts';
import { createArtifactCache } from '../../shared/models/artifact-cache.ts';
import type { ModelReference } from '../../shared/models/model-reference.ts';
import { createModelRepository, type ModelRepository } from '../../shared/models/model-repository.ts';
import { createLogger } from '../../shared/monitoring/logger.ts';
import { openModelFile } from '../../shared/runtime/open-model-file.ts';
import type { Trials } from '../../shared/runtime/trial.ts';
import { openFilesystemStore } from '../../shared/stores/filesystem.ts';
import type { FieldValue, InferenceInput } from '../../shared/values/input.ts';
import type { NamedInputs } from '../../shared/values/named-inputs.ts';
import { KNOWN_TASKS } from './known-tasks.ts';
import { makeFolder } from './temporary-folder.ts';
import { makeTrials } from './trials.ts';

export const LIMITS: Limits = parseConfig({}).limits;

interface InferenceSetup {
  readonly limits?: Partial<Limits>;
  readonly defaultModel?: string;
  readonly sessionCacheBytes?: number;
  readonly trials?: Trials;
}

/** Inference over the models of a folder. `log` holds its log lines, parsed. */
export function makeInference(folder: string, setup: InferenceSetup = {}) {
  const store = openFilesystemStore(folder);
  const log: Record<string, unknown>[] = [];
  const inference = createInference({
    repository: createModelRepository({
      store,
      configs: KNOWN_TASKS,
      artifacts: createArtifactCache({ store, folder: join(folder, '.unused') }),
    }),
    limits: { ...LIMITS, ...setup.limits },
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    intraOpThreads: 1,
    trials: setup.trials ?? makeTrials(),
    sessionCacheBytes: setup.sessionCacheBytes ?? 1e9,
    defaultModel: setup.defaultModel,
    logger: createLogger('debug', (line) => log.push(JSON.parse(line))),
  });
  onTestFinished(() => inference.close());
  return { inference, log };
}

/** Inference over a repository, as in a server with the default settings. */
export function createInferenceOf(repository: ModelRepository): Inference {
  return createInference({
    repository,
    limits: LIMITS,
    tasks: KNOWN_TASKS,
    openSession: openModelFile,
    intraOpThreads: 1,
    trials: makeTrials(),
    sessionCacheBytes: 1e9,
    defaultModel: undefined,
    logger: createLogger('silent', () => undefined),
  });
}

/** Inference over one model version `m/1` made of some files. */
export async function serve(
  files: Readonly<Record<string, string | Uint8Array>>,
  setup: InferenceSetup = {},
): Promise<Inference> {
  const folder = await makeFolder(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`m/1/${path}`, content])),
  );
  return makeInference(folder, setup).inference;
}

/** The answer of the only model of an inference to an input. */
export async function inferOutput(inference: Inference, input: InferenceInput): Promise<InferenceOutput> {
  return (await infer(inference, { input })).output;
}

interface TaskRequest extends NamedChoice, UseContext {
  readonly input: InferenceInput;
}

/** The output of the task of a model for an input. */
export async function infer(inference: Inference, { input, budget, ...choice }: TaskRequest) {
  const { value, usage } = await inference.use({ ...choice, kind: input.kind }, { budget }, (model) =>
    model.predict(input),
  );
  return { output: value, ...usage };
}

interface TensorRequest extends ModelRunOptions, UseContext {
  readonly reference: ModelReference;
  readonly inputs: NamedInputs;
}

/** The outputs of the graph of a model for tensors. */
export async function inferTensors(inference: Inference, request: TensorRequest) {
  const { reference, inputs, budget, ...options } = request;
  const { value, usage } = await inference.use({ reference }, { budget }, (model) =>
    model.run(inputs, options),
  );
  return { outputs: value, ...usage };
}

/** A look at a model, which is loaded for it. */
export async function lookAt<R>(
  inference: Inference,
  reference: ModelReference,
  look: (model: Model) => R,
): Promise<R> {
  return (await inference.use({ reference }, {}, ({ model }) => look(model))).value;
}

export function rowsInput(rows: readonly JsonValue[]): InferenceInput {
  return { kind: 'features', rows: rows.map((value, index) => located(value, `instances[${index}]`)) };
}

export function imagesInput(images: readonly Uint8Array[]): InferenceInput {
  return { kind: 'image', images: images.map((value, index) => located(value, `instances[${index}].image`)) };
}

export function textsInput(texts: readonly string[]): InferenceInput {
  return { kind: 'text', texts: texts.map((value, index) => located(value, `instances[${index}].text`)) };
}

export function tensorsInput(tensors: JsonValue): InferenceInput {
  return { kind: 'tensors', tensors: located(tensors, 'inputs') };
}

function located<T>(value: T, field: string): FieldValue<T> {
  return { value, field };
}
