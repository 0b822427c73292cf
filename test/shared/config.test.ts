import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Config,
  ConfigError,
  type EnvironmentVariable,
  PROTOCOL_NAMES,
  parseConfig,
} from '../../shared/config.ts';

const DEFAULTS: Config = {
  modelRepository: 'models',
  modelRepositoryMirror: undefined,
  defaultModel: undefined,
  preloadModels: [],
  modelCacheFolder: '',
  sessionCacheBytes: 1024 ** 3,
  bodiesBytes: 256 * 1024 ** 2,
  trialSeconds: 10,
  intraOpThreads: 1,
  logLevel: 'info',
  logSample: 1,
  logSlowMs: 1000,
  releaseTtlSeconds: 30,
  metrics: ['ternion'],
  metricsToken: undefined,
  adminRoutes: false,
  adminKey: undefined,
  registrySources: [],
  docs: true,
  playground: true,
  runtimeTelemetry: false,
  allowedHosts: [],
  nonFiniteJson: 'null',
  basePath: '',
  protocols: PROTOCOL_NAMES,
  dialect: undefined,
  endpointModels: new Map(),
  vertexRoutes: { health: undefined, predict: undefined },
  limits: {
    bodyBytes: 32 * 1024 ** 2,
    compressionRatio: 1100,
    imagePixels: 50_000_000,
    batchSize: 1024,
    tensorElements: 16 * 1024 ** 2,
    textCharacters: 1_000_000,
    jsonDepth: 32,
    values: 1024 ** 2,
    jsonNumbers: 4 * 1024 ** 2,
    lines: 1024 ** 2,
    formParts: 2048,
    answerBytes: 32 * 1024 ** 2,
    requestSeconds: 300,
  },
};

function messageOf(environment: Readonly<Record<string, string | undefined>>): string {
  try {
    parseConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'it is valid';
}

/** Settings for the size of threads, memory or the stack. */
const MOST: Readonly<Partial<Record<EnvironmentVariable, string>>> = {
  INTRA_OP_THREADS: '256',
  MAX_BODY_BYTES: '4294967296',
  MAX_JSON_DEPTH: '1000',
  MAX_TRIAL_SECONDS: '86400',
};

const COUNTS = [
  'SESSION_CACHE_BYTES',
  'INTRA_OP_THREADS',
  'MAX_BODY_BYTES',
  'MAX_IMAGE_PIXELS',
  'MAX_BATCH_SIZE',
  'MAX_TENSOR_ELEMENTS',
  'MAX_TEXT_CHARACTERS',
  'MAX_JSON_DEPTH',
  'MAX_TRIAL_SECONDS',
] as const satisfies readonly EnvironmentVariable[];

const NOT_DIGITS = 'must be a whole number in digits.';
const NOT_NAME = 'must be a model name (letters, digits, ".", "_" and "-").';
const NOT_NAMES = 'must be model names separated by commas, or "*".';
const NOT_ENDPOINTS = 'must be endpoints with their models, such as my-endpoint=iris,other=digits/1.';
const NOT_SOURCES = 'must be URLs separated by commas, such as s3://my-bucket/models.';
const NOT_HOSTS =
  'must be host names without ports, separated by commas, such as models.example.org,*.example.net, or "*".';

describe('parseConfig', () => {
  it('has a default for everything', () => {
    expect(parseConfig({})).toEqual(DEFAULTS);
  });

  it('takes an empty variable for an unset one, and ignores those of others', () => {
    const empty = Object.fromEntries([...COUNTS, 'LOG_LEVEL', 'DEFAULT_MODEL'].map((name) => [name, ' ']));
    expect(parseConfig({ ...empty, MODEL_REPOSITORY: '', HOME: '/root', UNSET: undefined })).toEqual(
      DEFAULTS,
    );
  });

  it('reads every variable', () => {
    const config = parseConfig({
      MODEL_REPOSITORY: 's3://bucket/prefix',
      DEFAULT_MODEL: 'iris',
      PRELOAD_MODELS: 'iris, digits ,squeezenet-1.1',
      MODEL_CACHE_FOLDER: '/tmp/cache',
      SESSION_CACHE_BYTES: '1',
      INTRA_OP_THREADS: '2',
      LOG_LEVEL: 'debug',
      LOG_SAMPLE: '0.25',
      LOG_SLOW_MS: '250',
      RELEASE_TTL_SECONDS: '5',
      METRICS: 'none',
      METRICS_TOKEN: 'secret',
      ADMIN_ROUTES: 'true',
      ADMIN_KEY: 'key\n',
      REGISTRY_SOURCES: 's3://ml-artifacts/, https://mlflow.example.com:8443/api',
      DOCS: 'false',
      PLAYGROUND: 'false',
      TERNION_RUNTIME_TELEMETRY: 'true',
      ALLOWED_HOSTS: 'Models.example.org, *.example.net,192.168.0.7,[fd00::7]',
      NON_FINITE_JSON: 'literal',
      BASE_PATH: 'prod/v1/',
      PROTOCOLS: 'open-inference, mlflow',
      DIALECT: 'mlflow',
      ENDPOINT_MODELS: 'my-endpoint=iris, 4711=digits/1',
      AIP_HEALTH_ROUTE: '/alive',
      AIP_PREDICT_ROUTE: '/v1/endpoints/1:predict',
      MAX_BODY_BYTES: '3',
      MAX_IMAGE_PIXELS: '4',
      MAX_BATCH_SIZE: '5',
      MAX_TENSOR_ELEMENTS: '6',
      MAX_JSON_DEPTH: '7',
      MAX_TEXT_CHARACTERS: '8',
      MAX_VALUES: '9',
      MAX_LINES: '10',
      MAX_JSON_NUMBERS: '16',
      MAX_FORM_PARTS: '11',
      MAX_ANSWER_BYTES: '12',
      MAX_REQUEST_SECONDS: '13',
      MAX_COMPRESSION_RATIO: '14',
      MAX_BODIES_BYTES: '15',
      MAX_TRIAL_SECONDS: '17',
    });
    expect(config).toEqual({
      modelRepository: 's3://bucket/prefix',
      defaultModel: 'iris',
      preloadModels: ['iris', 'digits', 'squeezenet-1.1'],
      modelCacheFolder: '/tmp/cache',
      sessionCacheBytes: 1,
      intraOpThreads: 2,
      logLevel: 'debug',
      logSample: 0.25,
      logSlowMs: 250,
      releaseTtlSeconds: 5,
      metrics: [],
      metricsToken: 'secret',
      adminRoutes: true,
      adminKey: 'key',
      registrySources: ['s3://ml-artifacts/', 'https://mlflow.example.com:8443/api'],
      docs: false,
      playground: false,
      runtimeTelemetry: true,
      allowedHosts: ['Models.example.org', '*.example.net', '192.168.0.7', '[fd00::7]'],
      nonFiniteJson: 'literal',
      basePath: '/prod/v1',
      protocols: ['open-inference', 'mlflow'],
      dialect: 'mlflow',
      endpointModels: new Map([
        ['my-endpoint', { model: 'iris', version: undefined }],
        ['4711', { model: 'digits', version: '1' }],
      ]),
      vertexRoutes: { health: '/alive', predict: '/v1/endpoints/1:predict' },
      bodiesBytes: 15,
      trialSeconds: 17,
      limits: {
        bodyBytes: 3,
        imagePixels: 4,
        batchSize: 5,
        tensorElements: 6,
        textCharacters: 8,
        jsonDepth: 7,
        values: 9,
        jsonNumbers: 16,
        lines: 10,
        formParts: 11,
        answerBytes: 12,
        requestSeconds: 13,
        compressionRatio: 14,
      },
    });
  });

  it('takes paths in several spellings, and names only from its lists', () => {
    for (const value of ['/prod', 'prod', '/prod/']) {
      expect(parseConfig({ BASE_PATH: value }).basePath).toBe('/prod');
    }
    expect(parseConfig({ BASE_PATH: '/' }).basePath).toBe('');
    expect(messageOf({ BASE_PATH: '/a?b' })).toBe('BASE_PATH="/a?b" must be a path such as /prod.');
    expect(messageOf({ PROTOCOLS: 'mlflow,grpc' })).toMatch(
      /^PROTOCOLS="mlflow,grpc" must be names from ternion, /,
    );
    expect(messageOf({ DIALECT: 'MLflow' })).toMatch(/^DIALECT="MLflow" must be one of open-inference, /);
    expect(messageOf({ AIP_HEALTH_ROUTE: 'ping' })).toBe(
      'AIP_HEALTH_ROUTE="ping" must be a path that begins with "/".',
    );
  });

  it('preloads the default model where nothing else is said', () => {
    expect(parseConfig({ DEFAULT_MODEL: 'iris' }).preloadModels).toEqual(['iris']);
    expect(parseConfig({ DEFAULT_MODEL: 'iris', PRELOAD_MODELS: 'digits' }).preloadModels).toEqual([
      'digits',
    ]);
    expect(parseConfig({ PRELOAD_MODELS: '*' }).preloadModels).toEqual(['*']);
  });

  it.each(COUNTS)('%s takes whole numbers of at least 1, in digits', (name) => {
    for (const value of ['1.5', '-1', '1e6', '0x10', 'many', '1 000', '+1', '32MB']) {
      expect(messageOf({ [name]: value })).toBe(`${name}=${JSON.stringify(value)} ${NOT_DIGITS}`);
    }
    expect(messageOf({ [name]: '0' })).toBe(`${name}="0" must be at least 1.`);
    expect(messageOf({ [name]: '9007199254740992' })).toMatch(
      /^\w+="9007199254740992" (?:is too large|must be at most \d+)\.$/,
    );
    expect(messageOf({ [name]: '9'.repeat(400) })).toMatch(/9" is too large\.$/);
    const most = MOST[name] ?? '9007199254740991';
    expect(messageOf({ [name]: most })).toBe('it is valid');
    if (name in MOST) {
      expect(messageOf({ [name]: String(Number(most) + 1) })).toBe(
        `${name}="${Number(most) + 1}" must be at most ${most}.`,
      );
    }
    expect(messageOf({ [name]: '007' })).toBe('it is valid');
  });

  it.each([
    ['ADMIN_ROUTES', 'yes', 'must be true or false.'],
    ['REGISTRY_SOURCES', 'bucket', NOT_SOURCES],
    ['REGISTRY_SOURCES', 's3://a,', NOT_SOURCES],
    ['REGISTRY_SOURCES', 'file:///etc', NOT_SOURCES],
    ['DOCS', 'off', 'must be true or false.'],
    ['PLAYGROUND', 'off', 'must be true or false.'],
    ['TERNION_RUNTIME_TELEMETRY', '1', 'must be true or false.'],
    ['ALLOWED_HOSTS', 'a.example:80', NOT_HOSTS],
    ['ALLOWED_HOSTS', 'http://a.example', NOT_HOSTS],
    ['ALLOWED_HOSTS', 'a,,b', NOT_HOSTS],
    ['ALLOWED_HOSTS', '*a', NOT_HOSTS],
    ['ALLOWED_HOSTS', '[::1', NOT_HOSTS],
    ['NON_FINITE_JSON', 'NaN', 'must be null or literal.'],
    ['LOG_LEVEL', 'verbose', 'must be one of debug, info, warn, error, silent.'],
    ['LOG_LEVEL', 'INFO', 'must be one of debug, info, warn, error, silent.'],
    ['DEFAULT_MODEL', 'a/b', NOT_NAME],
    ['DEFAULT_MODEL', '.hidden', NOT_NAME],
    ['PRELOAD_MODELS', 'iris,,digits', NOT_NAMES],
    ['PRELOAD_MODELS', 'iris;digits', NOT_NAMES],
    ['ENDPOINT_MODELS', 'iris', NOT_ENDPOINTS],
    ['ENDPOINT_MODELS', 'a=b,=c', NOT_ENDPOINTS],
    [
      'MODEL_REPOSITORY',
      's3://',
      'must name a bucket or container after "://", for example s3://my-bucket/models.',
    ],
  ])('%s=%s is refused with a sentence', (name, value, problem) => {
    expect(messageOf({ [name]: value })).toBe(`${name}=${JSON.stringify(value)} ${problem}`);
  });

  it('reports all mistakes, each in one sentence', () => {
    expect(messageOf({ LOG_LEVEL: 'loud', MAX_BATCH_SIZE: '0', INTRA_OP_THREADS: 'x' })).toBe(
      `INTRA_OP_THREADS="x" ${NOT_DIGITS} ` +
        'LOG_LEVEL="loud" must be one of debug, info, warn, error, silent. ' +
        'MAX_BATCH_SIZE="0" must be at least 1.',
    );
  });

  it('says the same of several model names once', () => {
    expect(messageOf({ PRELOAD_MODELS: 'a/b,c/d' })).toBe(`PRELOAD_MODELS="a/b,c/d" ${NOT_NAMES}`);
  });

  it('gives a config or a ConfigError for any values', () => {
    const environments = fc.record(
      Object.fromEntries(
        [...COUNTS, 'LOG_LEVEL', 'DEFAULT_MODEL', 'PRELOAD_MODELS', 'MODEL_REPOSITORY'].map((name) => [
          name,
          fc.string({ unit: 'binary' }),
        ]),
      ),
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(environments, (environment) => {
        const message = messageOf(environment);
        if (message !== 'it is valid') expect(message).toMatch(/^[A-Z_]+=".*\.$/s);
      }),
      { numRuns: 30 },
    );
  });
});
