import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Limits, parseConfig } from '../../../shared/config.ts';
import { createInference, type Inference } from '../../../shared/inference/inference.ts';
import type { InferenceInput, InferenceOutput, Located } from '../../../shared/inference/input.ts';
import type { JsonValue } from '../../../shared/json/parse-json.ts';
import { createArtifactCache } from '../../../shared/models/artifact-cache.ts';
import { createModelRepository } from '../../../shared/models/model-repository.ts';
import { createLogger } from '../../../shared/monitoring/logger.ts';
import type { Trials } from '../../../shared/runtime/trial.ts';
import { openFilesystemStore } from '../../../shared/stores/filesystem.ts';
import { makeFolder } from '../temporary-folder.ts';
import { makeTrials } from '../trials.ts';

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
      artifacts: createArtifactCache({ store, folder: join(folder, '.unused') }),
    }),
    limits: { ...LIMITS, ...setup.limits },
    intraOpThreads: 1,
    trials: setup.trials ?? makeTrials(),
    sessionCacheBytes: setup.sessionCacheBytes ?? 1e9,
    defaultModel: setup.defaultModel,
    logger: createLogger('debug', (line) => log.push(JSON.parse(line))),
  });
  onTestFinished(() => inference.close());
  return { inference, log };
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

/** What the only model of an inference says to an input. */
export async function inferOutput(inference: Inference, input: InferenceInput): Promise<InferenceOutput> {
  return (await inference.infer({ model: undefined, version: undefined, input })).output;
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

function located<T>(value: T, field: string): Located<T> {
  return { value, field };
}
