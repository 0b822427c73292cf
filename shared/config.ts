import * as z from 'zod/mini';

/** The limits that keep one request from taking a server down. */
export interface Limits {
  /** Largest request body, in bytes, before and after decompression. */
  readonly bodyBytes: number;
  /** How many times its compressed size a body may have after decompression, if it then has more than 1 MiB. */
  readonly compressionRatio: number;
  /** Most pixels of all images of one request, width times height, as decoded or as a step makes them. */
  readonly imagePixels: number;
  /** Most rows, texts or images in one request. */
  readonly batchSize: number;
  /** Most elements of one tensor. */
  readonly tensorElements: number;
  /** Most characters of all texts of one request, as UTF-16 counts them. */
  readonly textCharacters: number;
  /** Deepest nesting of arrays and objects in a JSON body. */
  readonly jsonDepth: number;
  /**
   * Most arrays, objects and texts in one request: those in JSON, where keys count as texts, and the elements of
   * tensors of texts. Numbers do not count.
   */
  readonly values: number;
  /** Most numbers in the JSON of one request; those of lines do not count. Tensors can be sent as bytes instead. */
  readonly jsonNumbers: number;
  /** Most lines of a body that has one instance a line: JSON lines and CSV. They are run in batches. */
  readonly lines: number;
  /** Most parts of a form. */
  readonly formParts: number;
  /** Largest body of an answer, in bytes, before compression. */
  readonly answerBytes: number;
  /** How long the server may work on one request, in seconds. It is checked between two runs, images or texts. */
  readonly requestSeconds: number;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** How NaN and infinity are written in JSON: as `null`, or as the bare words that Python reads. */
export type NonFinite = 'null' | 'literal';

/** The wire formats that share routes. The body says which one is meant, unless `DIALECT` does. */
const DIALECT_NAMES = [
  'open-inference',
  'tensorflow-serving',
  'kserve',
  'torchserve',
  'sagemaker',
  'mlflow',
  'vertex-ai',
  'azure-ml',
  'hugging-face',
] as const;
export type DialectName = (typeof DIALECT_NAMES)[number];

/** The wire formats that can be switched off, by their names in `PROTOCOLS`. */
export const PROTOCOL_NAMES = ['ternion', ...DIALECT_NAMES, 'ubiops'] as const;
export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

/** The servers under whose names metrics are given, by their names in `METRICS`. */
export const METRICS_NAMES = [
  'ternion',
  'triton',
  'kserve',
  'mlserver',
  'torchserve',
  'tei',
  'tensorflow-serving',
] as const;
export type MetricsName = (typeof METRICS_NAMES)[number];

/** The model behind an endpoint, as clients of SageMaker and Databricks call what they send requests to. */
export interface EndpointModel {
  readonly model: string;
  /** Undefined: the live version. */
  readonly version: string | undefined;
}

export interface Config {
  /** Folder or URL of the model repository. */
  readonly modelRepository: string;
  /** Folder or URL of a copy of it, which is read when it is out. */
  readonly modelRepositoryMirror: string | undefined;
  /** The model that answers requests that do not name one. */
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
  /** The share of requests that get a log line, from 0 to 1; errors and slow requests always get one. */
  readonly logSample: number;
  /** From how many milliseconds on a request is slow. */
  readonly logSlowMs: number;
  /** How long a server uses what it knows of the repository before it asks again, in seconds. */
  readonly releaseTtlSeconds: number;
  /** The servers under whose names `/metrics` gives its numbers; empty: there are none. */
  readonly metrics: readonly MetricsName[];
  /** What programs must send to read `/metrics`; undefined: nothing. */
  readonly metricsToken: string | undefined;
  /** Whether clients may load and unload models. */
  readonly adminRoutes: boolean;
  /** What programs must send to change the registry of models; undefined: nobody can. */
  readonly adminKey: string | undefined;
  /** URLs below which the registry may read models, beside its own repository. */
  readonly registrySources: readonly string[];
  /** Whether the interface is described at `/docs` and `/openapi.json`. */
  readonly docs: boolean;
  /** Whether browsers get the playground at `/`. */
  readonly playground: boolean;
  /** Whether ONNX Runtime may send usage reports to Microsoft. */
  readonly runtimeTelemetry: boolean;
  /** Further names by which clients may call a server that listens on loopback; `*.` before a name is any part. */
  readonly allowedHosts: readonly string[];
  readonly nonFiniteJson: NonFinite;
  /** Prefix of all paths, as a gateway adds one; '' for none. */
  readonly basePath: string;
  readonly protocols: readonly ProtocolName[];
  /** The format of the routes that several share; undefined: the body says. */
  readonly dialect: DialectName | undefined;
  /** The models of endpoints whose names differ from those of their models. */
  readonly endpointModels: ReadonlyMap<string, EndpointModel>;
  /** Routes on which Vertex AI expects its containers to answer. */
  readonly vertexRoutes: { readonly health: string | undefined; readonly predict: string | undefined };
  /** Memory that the bodies of all requests may take at one time, in bytes; bodies of up to 1 MiB do not count. */
  readonly bodiesBytes: number;
  /** How long a model may take to open, and to run once, in a separate process before it is loaded. */
  readonly trialSeconds: number;
  readonly limits: Limits;
}

/** The environment holds values that cannot be used. The message has one sentence per variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** The names that models and their versions can have. */
export const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const MEBIBYTE = 1024 * 1024;

/** Most threads of one run. Each session has its own threads, and no operator divides its work among more than this. */
export const MOST_THREADS = 256;
/** A server that asks once a day is as good as one that never asks. */
export const MOST_TTL_SECONDS = 86_400;
/** A large body of unknown length is given memory for the largest body at once. */
const MOST_BODY_BYTES = 4096 * MEBIBYTE;
/** JSON with NaN in it is read by a function that calls itself: some thousand levels take all of the stack. */
const MOST_JSON_DEPTH = 1000;

/** What keeps a text from being a whole number of at least 1; undefined if nothing does. */
function problemOf(text: string, most: number): string | undefined {
  if (!/^\d+$/.test(text)) return 'must be a whole number in digits';
  const value = Number(text);
  if (value < 1) return 'must be at least 1';
  if (value <= most) return undefined;
  const isBeyondAll = most === Number.MAX_SAFE_INTEGER || value === Number.POSITIVE_INFINITY;
  return isBeyondAll ? 'is too large' : `must be at most ${most}`;
}

// Making schemas is a part of each start, so variables of one kind share theirs, with few parts.
const wholeNumber = (most: number) =>
  z.pipe(
    z.string().check(
      z.refine((text) => problemOf(text, most) === undefined, {
        error: ({ input }) => problemOf(String(input), most),
      }),
    ),
    z.transform(Number),
  );
const anyNumber = wholeNumber(Number.MAX_SAFE_INTEGER);

/** A timer of more than 24 days would end at once; a day is enough for any trial. */
const MOST_TRIAL_SECONDS = 86_400;

/** @param most the largest value that any machine can use */
const count = (fallback: number, most?: number) =>
  z._default(most === undefined ? anyNumber : wholeNumber(most), fallback);

const share = z.pipe(
  z
    .string()
    .check(z.refine((text) => /^(?:0?\.\d+|[01](?:\.0*)?)$/.test(text), 'must be a number from 0 to 1')),
  z.transform(Number),
);

const flag = z.enum(['true', 'false'], 'must be true or false');

const words = z.pipe(
  z.string(),
  z.transform((value) => value.split(',').map((word) => word.trim())),
);

const modelName = z
  .string()
  .check(z.regex(NAME_PATTERN, 'must be a model name (letters, digits, ".", "_" and "-")'));

const route = z.string().check(z.regex(/^\/[\w./~:-]*$/, 'must be a path that begins with "/"'));

/** `my-endpoint=iris, other=digits/1` */
const ENDPOINT_PATTERN = /^([^=/]+)=([A-Za-z0-9][\w.-]*)(?:\/([A-Za-z0-9][\w.-]*))?$/;

const endpointModels = z.pipe(
  z
    .pipe(
      z.string(),
      z.transform((value) => value.split(',').map((pair) => ENDPOINT_PATTERN.exec(pair.trim()))),
    )
    .check(
      z.refine(
        (pairs) => !pairs.includes(null),
        'must be endpoints with their models, such as my-endpoint=iris,other=digits/1',
      ),
    ),
  z.transform(
    (pairs) =>
      new Map(
        pairs.map((pair): [string, EndpointModel] => [
          pair?.[1] ?? '',
          { model: pair?.[2] ?? '', version: pair?.[3] },
        ]),
      ),
  ),
);

/** `models.example.org`, `*.example.org`, `192.168.0.7`, `[fd00::7]` or `*` */
const HOST_PATTERN = /^(?:\*|(?:\*\.)?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[\dA-Fa-f:.]+\])$/;

/** A URL of another machine, without credentials. */
const SOURCE_PATTERN = /^(?!file:)[a-z][a-z0-9+.-]*:\/\/[^\s?#]+$/i;

const repositoryUrl = z
  .string()
  .check(
    z.refine(
      (value) => !/^[a-z][a-z0-9+.-]+:\/\/$/i.test(value),
      'must name a bucket or container after "://", for example s3://my-bucket/models',
    ),
  );

const environmentSchema = z.object({
  MODEL_REPOSITORY: z._default(repositoryUrl, 'models'),
  MODEL_REPOSITORY_MIRROR: z.optional(repositoryUrl),
  DEFAULT_MODEL: z.optional(modelName),
  PRELOAD_MODELS: z.optional(
    words.check(
      z.refine(
        (names) => names.every((name) => name === '*' || NAME_PATTERN.test(name)),
        'must be model names separated by commas, or "*"',
      ),
    ),
  ),
  MODEL_CACHE_FOLDER: z._default(z.string(), ''),
  SESSION_CACHE_BYTES: count(1024 * MEBIBYTE),
  INTRA_OP_THREADS: count(1, MOST_THREADS),
  LOG_LEVEL: z._default(z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`), 'info'),
  LOG_SAMPLE: z._default(share, 1),
  LOG_SLOW_MS: count(1000),
  RELEASE_TTL_SECONDS: count(30, MOST_TTL_SECONDS),
  METRICS: z._default(
    z.pipe(
      words,
      z.array(z.enum([...METRICS_NAMES, 'none'], `must be names from ${METRICS_NAMES.join(', ')}, or none`)),
    ),
    ['ternion'],
  ),
  METRICS_TOKEN: z.optional(z.string()),
  ADMIN_ROUTES: z._default(flag, 'false'),
  ADMIN_KEY: z.optional(z.string()),
  REGISTRY_SOURCES: z._default(
    words.check(
      z.refine(
        (urls) => urls.every((url) => SOURCE_PATTERN.test(url)),
        'must be URLs separated by commas, such as s3://my-bucket/models',
      ),
    ),
    [],
  ),
  DOCS: z._default(flag, 'true'),
  PLAYGROUND: z._default(flag, 'true'),
  TERNION_RUNTIME_TELEMETRY: z._default(flag, 'false'),
  ALLOWED_HOSTS: z._default(
    words.check(
      z.refine(
        (names) => names.every((name) => HOST_PATTERN.test(name)),
        'must be host names without ports, separated by commas, such as models.example.org,*.example.net, or "*"',
      ),
    ),
    [],
  ),
  NON_FINITE_JSON: z._default(z.enum(['null', 'literal'], 'must be null or literal'), 'null'),
  BASE_PATH: z._default(
    z.pipe(
      z.string().check(z.regex(/^\/?(?:[\w.~-]+\/?)*$/, 'must be a path such as /prod')),
      z.transform((value) => value.replace(/^\/*(?=[^/])/, '/').replace(/\/+$/, '')),
    ),
    '',
  ),
  PROTOCOLS: z._default(
    z.pipe(words, z.array(z.enum(PROTOCOL_NAMES, `must be names from ${PROTOCOL_NAMES.join(', ')}`))),
    [...PROTOCOL_NAMES],
  ),
  DIALECT: z.optional(z.enum(DIALECT_NAMES, `must be one of ${DIALECT_NAMES.join(', ')}`)),
  ENDPOINT_MODELS: z._default(endpointModels, new Map()),
  AIP_HEALTH_ROUTE: z.optional(route),
  AIP_PREDICT_ROUTE: z.optional(route),
  MAX_BODY_BYTES: count(32 * MEBIBYTE, MOST_BODY_BYTES),
  MAX_COMPRESSION_RATIO: count(1100),
  MAX_BODIES_BYTES: count(256 * MEBIBYTE),
  MAX_IMAGE_PIXELS: count(50_000_000),
  MAX_BATCH_SIZE: count(1024),
  MAX_TENSOR_ELEMENTS: count(16 * MEBIBYTE),
  MAX_TEXT_CHARACTERS: count(1_000_000),
  MAX_JSON_DEPTH: count(32, MOST_JSON_DEPTH),
  MAX_VALUES: count(MEBIBYTE),
  MAX_JSON_NUMBERS: count(4 * MEBIBYTE),
  MAX_LINES: count(MEBIBYTE),
  MAX_FORM_PARTS: count(2048),
  MAX_ANSWER_BYTES: count(32 * MEBIBYTE),
  MAX_REQUEST_SECONDS: count(300),
  MAX_TRIAL_SECONDS: count(10, MOST_TRIAL_SECONDS),
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
  // zod would compile a function for the schema, which takes longer than this one check.
  const parsed = environmentSchema.safeParse(given, { jitless: true });
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
    modelRepositoryMirror: values.MODEL_REPOSITORY_MIRROR,
    defaultModel: values.DEFAULT_MODEL,
    preloadModels: values.PRELOAD_MODELS ?? (values.DEFAULT_MODEL ? [values.DEFAULT_MODEL] : []),
    modelCacheFolder: values.MODEL_CACHE_FOLDER,
    sessionCacheBytes: values.SESSION_CACHE_BYTES,
    intraOpThreads: values.INTRA_OP_THREADS,
    logLevel: values.LOG_LEVEL,
    logSample: values.LOG_SAMPLE,
    logSlowMs: values.LOG_SLOW_MS,
    releaseTtlSeconds: values.RELEASE_TTL_SECONDS,
    metrics: METRICS_NAMES.filter((name) => values.METRICS.includes(name)),
    // A token of a file has a line break at its end, which no header can have.
    metricsToken: values.METRICS_TOKEN?.trim(),
    adminRoutes: values.ADMIN_ROUTES === 'true',
    adminKey: values.ADMIN_KEY?.trim(),
    registrySources: values.REGISTRY_SOURCES,
    docs: values.DOCS === 'true',
    playground: values.PLAYGROUND === 'true',
    allowedHosts: values.ALLOWED_HOSTS,
    runtimeTelemetry: values.TERNION_RUNTIME_TELEMETRY === 'true',
    nonFiniteJson: values.NON_FINITE_JSON,
    basePath: values.BASE_PATH,
    protocols: values.PROTOCOLS,
    dialect: values.DIALECT,
    endpointModels: values.ENDPOINT_MODELS,
    vertexRoutes: { health: values.AIP_HEALTH_ROUTE, predict: values.AIP_PREDICT_ROUTE },
    bodiesBytes: values.MAX_BODIES_BYTES,
    trialSeconds: values.MAX_TRIAL_SECONDS,
    limits: {
      bodyBytes: values.MAX_BODY_BYTES,
      compressionRatio: values.MAX_COMPRESSION_RATIO,
      imagePixels: values.MAX_IMAGE_PIXELS,
      batchSize: values.MAX_BATCH_SIZE,
      tensorElements: values.MAX_TENSOR_ELEMENTS,
      textCharacters: values.MAX_TEXT_CHARACTERS,
      jsonDepth: values.MAX_JSON_DEPTH,
      values: values.MAX_VALUES,
      jsonNumbers: values.MAX_JSON_NUMBERS,
      lines: values.MAX_LINES,
      formParts: values.MAX_FORM_PARTS,
      answerBytes: values.MAX_ANSWER_BYTES,
      requestSeconds: values.MAX_REQUEST_SECONDS,
    },
  };
}
