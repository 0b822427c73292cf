import * as z from 'zod/mini';
import type { Pooling } from '../../processing/text/embedding/pooling.ts';
import { ModelError } from '../model-config.ts';
import { type FormatFolder, readJsonFile } from './format-folder.ts';

const MODULES_FILE = 'modules.json';
const PROMPTS_FILE = 'config_sentence_transformers.json';
/** Last part of a module's class name; the module has moved between packages. */
const TRANSFORMER = 'Transformer';
const POOLING = 'Pooling';
const DENSE = 'Dense';
const NORMALIZE = 'Normalize';
/** The allowed sequences of modules, by the initials of those after the transformer. */
const ORDER = /^P(D*)(N?)$/;

const modulesSchema = z.array(z.object({ idx: z.number(), path: z.string(), type: z.string() }));

const promptsSchema = z.object({
  prompts: z.nullish(z.record(z.string(), z.nullable(z.string()))),
  default_prompt_name: z.nullish(z.string()),
});

const poolingSchema = z.looseObject({
  pooling_mode: z.optional(z.string()),
  include_prompt: z.optional(z.boolean()),
});

/** The modes that this server supports, by their names in the pooling module's file. */
const MODES: Readonly<Record<string, Pooling>> = {
  mean: 'mean',
  cls: 'cls',
  max: 'max',
  lasttoken: 'last',
  mean_sqrt_len_tokens: 'meanSqrt',
  weightedmean: 'weightedMean',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_lasttoken: 'last',
  pooling_mode_mean_sqrt_len_tokens: 'meanSqrt',
  pooling_mode_weightedmean_tokens: 'weightedMean',
};

/** Prompts that sentence-transformers has even if its file does not mention them; they are empty then. */
const STANDARD_PROMPTS = ['query', 'document'];

type Module = z.infer<typeof modulesSchema>[number];

/** What the files of sentence-transformers say, in the terms of model.json. */
interface SentenceConfig {
  readonly pooling?: Pooling;
  readonly dense?: string[];
  readonly normalize?: boolean;
  readonly prompts?: Record<string, string>;
  readonly defaultPrompt?: string;
  readonly includePrompt?: false;
}

/**
 * How a model that sentence-transformers saved turns a text into one vector: its prompts, and the modules after the
 * transformer.
 *
 * @param isPooled whether the graph does what the modules say
 * @returns undefined if sentence-transformers did not save the folder
 * @throws ModelError when a module does something that this server does not support
 */
export async function readSentence(folder: FormatFolder, isPooled: boolean): Promise<SentenceConfig> {
  const modules = await readJsonFile(folder, MODULES_FILE, modulesSchema);
  if (!modules) return {};
  const types = modules.map(({ type }) => type.split('.').at(-1) ?? type);
  return {
    ...(isPooled
      ? { ...(types.includes(NORMALIZE) && { normalize: true }) }
      : await readPooling(folder, modules, types)),
    ...(await readPrompts(folder)),
    ...(await readInclusion(folder, modules[types.indexOf(POOLING)])),
  };
}

async function readPrompts(folder: FormatFolder): Promise<SentenceConfig> {
  const config = await readJsonFile(folder, PROMPTS_FILE, promptsSchema);
  const name = config?.default_prompt_name ?? undefined;
  const prompts = Object.fromEntries(
    Object.entries(config?.prompts ?? {}).map(([key, prompt]) => [key, prompt ?? '']),
  );
  const isEmpty = STANDARD_PROMPTS.includes(name ?? '') && !Object.hasOwn(prompts, name ?? '');
  return {
    ...(Object.keys(prompts).length > 0 && { prompts }),
    ...(name !== undefined && !isEmpty && { defaultPrompt: name }),
  };
}

async function readInclusion(folder: FormatFolder, pooling: Module | undefined): Promise<SentenceConfig> {
  const config = pooling && (await readJsonFile(folder, fileOf(pooling), poolingSchema));
  return config?.include_prompt === false ? { includePrompt: false } : {};
}

function fileOf({ path }: Module): string {
  return `${path}/config.json`;
}

async function readPooling(
  folder: FormatFolder,
  modules: readonly Module[],
  types: readonly string[],
): Promise<SentenceConfig> {
  const unknown = types.find((type) => ![TRANSFORMER, POOLING, DENSE, NORMALIZE].includes(type));
  if (unknown !== undefined) {
    throw new ModelError(
      `its ${MODULES_FILE} has the module ${JSON.stringify(unknown.slice(0, 60))}; only ${TRANSFORMER}, ${POOLING}, ${DENSE} and ${NORMALIZE} are supported`,
    );
  }
  const pooling = modules[types.indexOf(POOLING)];
  if (!pooling) throw new ModelError(`its ${MODULES_FILE} has no module ${POOLING}`);
  const [transformer, ...rest] = types;
  if (transformer !== TRANSFORMER || !ORDER.test(rest.map((type) => type.charAt(0)).join(''))) {
    throw new ModelError(
      `its ${MODULES_FILE} has the modules ${types.join(', ').slice(0, 200)}; expected ${TRANSFORMER}, ${POOLING}, then any ${DENSE}, then ${NORMALIZE} or nothing`,
    );
  }
  const dense = modules.filter((_, index) => types[index] === DENSE).map(({ path }) => path);
  return {
    pooling: await readMode(folder, fileOf(pooling)),
    ...(dense.length > 0 && { dense }),
    normalize: types.includes(NORMALIZE),
  };
}

async function readMode(folder: FormatFolder, file: string): Promise<Pooling> {
  const config = await readJsonFile(folder, file, poolingSchema);
  if (!config) throw new ModelError(`its ${MODULES_FILE} names ${file}, which does not exist`);
  const modes = Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key] === true);
  const [only, ...others] = config.pooling_mode === undefined ? modes : [config.pooling_mode];
  const mode = only !== undefined && Object.hasOwn(MODES, only) ? MODES[only] : undefined;
  if (mode && others.length === 0) return mode;
  const found = [only, ...others].filter((name) => name !== undefined).join(' and ') || 'none';
  throw new ModelError(
    `its ${file} pools by ${found.slice(0, 200)}; expected one of mean, cls, max, lasttoken, mean_sqrt_len_tokens and weightedmean`,
  );
}
