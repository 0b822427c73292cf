import * as z from 'zod';

/** The limits that keep one request from taking a server down. */
export interface Limits {
  /** Largest request body, in bytes, before and after decompression. */
  readonly bodyBytes: number;
  /** Largest decoded image, in pixels (width times height). */
  readonly imagePixels: number;
  /** Most rows, images or instances in one request. */
  readonly batchSize: number;
  /** Most elements of one tensor. */
  readonly tensorElements: number;
  /** Deepest nesting of arrays and objects in a JSON body. */
  readonly jsonDepth: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** How NaN and infinity are written in JSON: as `null`, or as the bare words that Python reads. */
export type NonFinite = 'null' | 'literal';

export interface Config {
  /** Folder or URL of the model repository. */
  readonly modelRepository: string;
  /** The model that answers requests which name none. */
  readonly defaultModel: string | undefined;
  /** Models loaded when the server starts: names, or `['*']` for all. */
  readonly preloadModels: readonly string[];
  /** Folder for downloaded model files. */
  readonly modelCacheFolder: string;
  /** Bytes of model files whose sessions are kept in memory together. */
  readonly sessionCacheBytes: number;
  /** Threads of one inference run. */
  readonly intraOpThreads: number;
  readonly logLevel: LogLevel;
  /** Whether clients may load and unload models. */
  readonly adminRoutes: boolean;
  /** Whether browsers get the playground at `/`. */
  readonly playground: boolean;
  readonly nonFiniteJson: NonFinite;
  readonly limits: Limits;
}

/** The environment holds values that cannot be used. The message has one sentence per variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const MEBIBYTE = 1024 * 1024;

const count = (fallback: number, least = 1) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number in digits')
    .transform(Number)
    .pipe(
      z
        .number('is too large')
        .min(least, `must be at least ${least}`)
        .max(Number.MAX_SAFE_INTEGER, 'is too large'),
    )
    .optional()
    .transform((value) => value ?? fallback);

const modelName = z.string().regex(NAME_PATTERN, 'must be a model name (letters, digits, ".", "_" and "-")');

const environmentSchema = z.object({
  MODEL_REPOSITORY: z
    .string()
    .refine(
      (value) => !/^[a-z][a-z0-9+.-]+:\/\/$/i.test(value),
      'must name a bucket after "://", for example s3://my-bucket/models',
    )
    .default('models'),
  DEFAULT_MODEL: modelName.optional(),
  PRELOAD_MODELS: z
    .string()
    .transform((value) => value.split(',').map((name) => name.trim()))
    .refine(
      (names) => names.every((name) => name === '*' || NAME_PATTERN.test(name)),
      'must be model names separated by commas, or "*"',
    )
    .optional(),
  MODEL_CACHE_FOLDER: z.string().default(''),
  SESSION_CACHE_BYTES: count(1024 * MEBIBYTE),
  INTRA_OP_THREADS: count(1),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  ADMIN_ROUTES: z.enum(['true', 'false'], 'must be true or false').default('false'),
  PLAYGROUND: z.enum(['true', 'false'], 'must be true or false').default('true'),
  NON_FINITE_JSON: z.enum(['null', 'literal'], 'must be null or literal').default('null'),
  MAX_BODY_BYTES: count(32 * MEBIBYTE),
  MAX_IMAGE_PIXELS: count(50_000_000),
  MAX_BATCH_SIZE: count(1024),
  MAX_TENSOR_ELEMENTS: count(16 * MEBIBYTE),
  MAX_JSON_DEPTH: count(32),
});

/** The environment variables Ternion reads. */
export type EnvironmentVariable = keyof z.input<typeof environmentSchema>;

/**
 * Reads the configuration from environment variables. An empty variable counts as unset.
 *
 * @throws ConfigError naming every variable that cannot be used, what it holds and what is expected
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const sentences = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      return `${name}=${JSON.stringify(given[name])} ${issue.message}.`;
    });
    throw new ConfigError(sentences.join(' '));
  }
  const values = parsed.data;
  return {
    modelRepository: values.MODEL_REPOSITORY,
    defaultModel: values.DEFAULT_MODEL,
    preloadModels: values.PRELOAD_MODELS ?? (values.DEFAULT_MODEL ? [values.DEFAULT_MODEL] : []),
    modelCacheFolder: values.MODEL_CACHE_FOLDER,
    sessionCacheBytes: values.SESSION_CACHE_BYTES,
    intraOpThreads: values.INTRA_OP_THREADS,
    logLevel: values.LOG_LEVEL,
    adminRoutes: values.ADMIN_ROUTES === 'true',
    playground: values.PLAYGROUND === 'true',
    nonFiniteJson: values.NON_FINITE_JSON,
    limits: {
      bodyBytes: values.MAX_BODY_BYTES,
      imagePixels: values.MAX_IMAGE_PIXELS,
      batchSize: values.MAX_BATCH_SIZE,
      tensorElements: values.MAX_TENSOR_ELEMENTS,
      jsonDepth: values.MAX_JSON_DEPTH,
    },
  };
}
