import { posix } from 'node:path';
import * as z from 'zod/mini';
import { type ModelConfig, ModelError } from '../model-config.ts';
import { EncodingError } from '../small-files.ts';
import { checkFile, type FormatFolder, type GraphView } from './format-folder.ts';
import { configOf } from './onnx.ts';

const storage = z.looseObject({ storageUri: z.nullish(z.string()), protocolVersion: z.nullish(z.string()) });

const serviceSchema = z.object({
  metadata: z.nullish(z.object({ name: z.nullish(z.string()) })),
  spec: z.nullish(
    z.object({
      predictor: z.nullish(
        z.looseObject({
          model: z.nullish(z.extend(storage, { modelFormat: z.nullish(z.object({ name: z.string() })) })),
        }),
      ),
    }),
  ),
});

/** What a KServe `InferenceService` says about its model. */
export interface InferenceService {
  /** The file that it is in. */
  readonly file: string;
  readonly name: string | undefined;
  /** The format of the model before it became ONNX, such as `sklearn`. */
  readonly modelFormat: string | undefined;
  readonly storageUri: string | undefined;
  readonly protocolVersion: string | undefined;
}

/** Frameworks that earlier versions had instead of `model`. */
const FRAMEWORKS = [
  'sklearn',
  'xgboost',
  'lightgbm',
  'tensorflow',
  'pytorch',
  'huggingface',
  'onnx',
  'triton',
  'pmml',
  'paddle',
];

/** A manifest can hold several resources. */
const KIND = /^kind:\s*["']?InferenceService["']?\s*(?:#.*)?$/m;

/**
 * Reads the `InferenceService` among the YAML files of a folder.
 * Source: kserve/kserve, pkg/apis/serving/v1beta1/predictor.go (`PredictorSpec`, `PredictorExtensionSpec`).
 *
 * @returns undefined when there is no `InferenceService`
 * @throws ModelError when it is not valid, or there are several
 */
export async function readInferenceService(folder: FormatFolder): Promise<InferenceService | undefined> {
  const found: { readonly file: string; readonly text: string }[] = [];
  for (const file of folder.files.filter((path) => /^[^/]+\.ya?ml$/i.test(path))) {
    const documents = (await readManifest(folder, file))?.split(/^---(?:\s.*)?$/m) ?? [];
    found.push(...documents.filter((text) => KIND.test(text)).map((text) => ({ file, text })));
  }
  const [first, second] = found;
  if (second) {
    const files = [...new Set(found.map(({ file }) => file))].join(' and ');
    throw new ModelError(
      `it has ${found.length} InferenceServices in ${files}; expected only the one of this model`,
    );
  }
  return first && (await parseService(first.text, first.file));
}

/** The text of a YAML file. Nothing else uses the other YAML files of a folder, so they may have any encoding. */
async function readManifest(folder: FormatFolder, file: string): Promise<string | undefined> {
  try {
    return await folder.read(file);
  } catch (error) {
    if (!(error instanceof EncodingError) || KIND.test(error.text)) throw error;
    return undefined;
  }
}

async function parseService(text: string, file: string): Promise<InferenceService> {
  // Few starts need it.
  const { readYaml, YamlError } = await import('./yaml.ts');
  try {
    const { metadata, spec } = await checkFile(readYaml(text), file, serviceSchema);
    const predictor = spec?.predictor ?? {};
    const framework = FRAMEWORKS.find((name) => Object.hasOwn(predictor, name));
    const legacy = storage.safeParse(framework === undefined ? {} : predictor[framework]).data;
    return {
      file,
      name: metadata?.name ?? undefined,
      modelFormat: predictor.model?.modelFormat?.name ?? framework,
      storageUri: predictor.model?.storageUri ?? legacy?.storageUri ?? undefined,
      protocolVersion: predictor.model?.protocolVersion ?? legacy?.protocolVersion ?? undefined,
    };
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new ModelError(`its ${file} cannot be read: ${error.message}`, { cause: error });
  }
}

/**
 * A model that KServe served. Its `InferenceService` says which file is the graph and what the model was; the inputs
 * and outputs are those of the graph.
 *
 * @throws ModelError when the `InferenceService` is not valid
 */
export async function recogniseKserve(
  folder: FormatFolder,
  view: GraphView,
): Promise<ModelConfig | undefined> {
  return (await readInferenceService(folder)) && configOf(view);
}

/** The one of several graphs that the `storageUri` ends in; undefined if it does not name any of them. */
export async function locateStoredModel(
  folder: FormatFolder,
  graphs: readonly string[],
): Promise<string | undefined> {
  const { storageUri = '' } = (await readInferenceService(folder)) ?? {};
  const name = posix.basename(storageUri.replace(/[?#].*$/, ''));
  const named = graphs.filter((path) => posix.basename(path) === name);
  return named.length === 1 ? named[0] : undefined;
}
