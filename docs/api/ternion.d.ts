import { IncomingMessage, ServerResponse } from "node:http";
/** The environment holds values that cannot be used. The message has one sentence per variable. */
export declare class ConfigError extends Error {
  readonly name = "ConfigError";
}
/** Credentials of AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** When they end; without it, they are asked for only once. */
  readonly expiration?: Date | undefined;
}
type CredentialSource = () => Promise<AwsCredentials>;
/** What identifies one entity: its values in the order of `entity` in model.json. */
export type EntityKey = readonly (string | number)[];
/** What a store has for one feature of one entity; undefined and null if it has nothing. */
export type StoredValue = string | number | boolean | null | undefined | readonly StoredValue[] | {
  readonly [key: string]: StoredValue;
};
/** A part of the identity of an entity. */
export interface EntityMember {
  readonly name: string;
  /** What it is before the store gets it; by default what the client sends. */
  readonly type?: 'text' | 'number' | undefined;
}
/** What one model looks up. */
export interface WantedFeatures {
  readonly entity: readonly EntityMember[];
  /** Names in the store. */
  readonly features: readonly string[];
}
/** Where features are looked up. `redis`, `feast` and `dynamodb` make one; own code can have others. */
export interface FeatureStore {
  /** What it is in messages, without credentials. */
  readonly title: string;
  /**
   * Prepares the look-ups of one model, once.
   *
   * @throws Error for names that this store cannot have; its message is the reason why the model cannot be loaded
   */
  plan(wanted: WantedFeatures): FeaturePlan;
}
/** What a store has for one entity: the values of its features in order, or why it cannot be read. */
type StoredRow = readonly StoredValue[] | Error;
/** Why a store cannot have an entity. */
interface KeyProblem {
  /** The index of the member of the entity. */
  readonly member: number;
  /** For clients, such as `cannot contain ":".` */
  readonly problem: string;
}
/** The look-ups of one model. */
export interface FeaturePlan {
  /** Whether the store keeps everything as text. Then a text that is a JSON number is meant as a number. */
  readonly keepsTexts: boolean;
  /** Finds what this store cannot have in a key. Requests with it are refused. */
  check?(key: EntityKey): KeyProblem | undefined;
  /**
   * Looks up entities.
   *
   * @param keys at least one, all different
   * @param signal aborted when nobody waits any more; its reason is a `TimeoutError` if the store took too long
   * @param traceparent the header of the request that asked first, for stores that can take it
   * @returns for each key what the store has, or what `read` would throw for this one
   * @throws what `unavailable` makes if the same look-up can succeed later; any other error for other failures
   */
  read(keys: readonly EntityKey[], signal: AbortSignal, traceparent: string): Promise<readonly StoredRow[]>;
}
/** The settings of `dynamodb`. */
export interface DynamoDbSettings {
  readonly table: string | undefined;
  /**
   * The attributes of the key of an item. The name of one attribute, which is the id of the entity as text; or each
   * attribute with its text, such as `{ PK: 'CUSTOMER#{id}', SK: 'FEATURES' }`, or `{ customer_id: { N: '{id}' } }` for a
   * number. `{name}` stands for the member of the entity of this name, and `{id}` for the only one.
   */
  readonly key: string | Readonly<Record<string, string | {
    readonly N: string;
  }>>;
  /** By default AWS_REGION or AWS_DEFAULT_REGION. */
  readonly region?: string | undefined;
  /** Another address; by default AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL, else that of the region. */
  readonly endpoint?: string | undefined;
  /**
   * Makes credentials, as the providers of AWS's SDK do. By default they come from the environment, the container or the
   * instance.
   */
  readonly credentials?: CredentialSource;
  /** Whether a read sees all writes before it, for twice the price. By default not. */
  readonly consistentRead?: boolean;
}
/** The settings of `feast`. */
export interface FeastSettings {
  /** The address of a feature server, which `feast serve` starts, such as `http://features:6566`. */
  readonly url: string | undefined;
  /** The feature view of features that are named without one. */
  readonly view?: string;
  /** A feature service; then features are named without their views. */
  readonly service?: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
}
/**
 * Features from the HTTP feature server of Feast, for `features`.
 *
 * @throws SettingsError
 */
export declare function feast(settings: FeastSettings): FeatureStore;
/** `bigint` only where `parseExactJson` found a whole number that a number cannot hold. */
type JsonValue = null | boolean | number | bigint | string | JsonValue[] | {
  [key: string]: JsonValue;
};
/** What own code says about something that it counts, such as a reason: few names, each with few values. */
type MeasurementLabels = Readonly<Record<string, string>>;
/** One version of one model. */
interface ModelReference {
  readonly name: string;
  readonly version: string;
  /**
   * How a request came to it: `live`, `named` if the request named the version or an alias, or the name that a division
   * of the requests has for its share; undefined: `live`.
   */
  readonly variant?: string | undefined;
  /** Whether the next request with the same key gets the same; undefined if no key was asked for. */
  readonly sticky?: boolean | undefined;
}
/** The arrays that hold tensor elements. FP16 elements are held as their bit patterns, see float16.ts. */
type NumericArray = Uint8Array | Uint16Array | Uint32Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array | BigInt64Array | BigUint64Array;
type TensorData = NumericArray | string[];
/** A datatype that the runtime can carry, by its name in the Open Inference Protocol. */
type Datatype = 'BOOL' | 'UINT8' | 'UINT16' | 'UINT32' | 'UINT64' | 'INT8' | 'INT16' | 'INT32' | 'INT64' | 'FP16' | 'FP32' | 'FP64' | 'BYTES';
/** A dense tensor in row-major order. `shape` has one non-negative whole number per axis; `[]` is a scalar. */
interface Tensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** As many elements as `shape` says. FP16 as bit patterns, BOOL as 0 and 1, BYTES as strings. */
  readonly data: TensorData;
  /** Whether its texts are JSON: where an answer is JSON itself, they are written as values. */
  readonly isJson?: boolean | undefined;
}
/** A class label: text, or the whole number a scikit-learn classifier was trained on. */
type Label = string | number;
/**
 * Counts something: `count('unsure')`, `count('rows', 3)`, `count('unsure', { reason: 'blurred' })`. Labels have few
 * different values: a name with more than 100 combinations of them counts the rest under `other`. A count
 * only grows; `observe` takes any number.
 */
interface Count {
  (name: string, labels: MeasurementLabels): void;
  (name: string, by?: number, labels?: MeasurementLabels): void;
}
/**
 * A schema of any library that follows Standard Schema 1.0: zod since 3.24, Valibot, ArkType. So the code of a project
 * and Ternion need not use the same copy of a library. Source: the specification at standardschema.dev.
 */
interface Schema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  };
}
type SchemaResult<Output> = {
  readonly value: Output;
  readonly issues?: undefined;
} | {
  readonly issues: readonly SchemaIssue[];
};
interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | {
    readonly key: PropertyKey;
  })[] | undefined;
}
/** One thing to predict, as a client sends it: a row of a table as JSON, an encoded image, or a text. */
export type Instance = JsonValue | Uint8Array;
/** Numbers of one row, or of one axis of a tensor. */
type Numbers = Float32Array | Float64Array | Int8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array;
/** What a step may return for an instance or a prediction. Members that are undefined are left out. */
export type Returned = undefined | null | boolean | number | bigint | string | Uint8Array | Numbers | Tensor | readonly Returned[] | {
  readonly [key: string]: Returned;
};
/** Whole inputs of the graph by name, with the instances on the first axis of each. */
export interface GraphInputs {
  readonly tensors: Readonly<Record<string, Tensor>>;
}
/** The prediction of a classifier for one instance. It has `probabilities`, or `scores` if they are not known to be. */
export type ClassificationResult = {
  readonly prediction: Label;
  /** Index of the label. */
  readonly class_id: number;
  /** Probability of the label. */
  readonly confidence?: number;
  /** By label, in the order of the labels. */
  readonly probabilities?: Readonly<Record<string, number>>;
  readonly scores?: Readonly<Record<string, number>>;
};
/** The prediction of a regression model for one instance. */
export type RegressionResult = {
  readonly prediction: number | readonly number[];
};
/** The vector of one instance. */
export type EmbeddingResult = {
  /** Of shape [dimensions], or [tokens, dimensions] if the model does not pool. */
  readonly embedding: Tensor;
};
/** The outputs of a graph for one instance, by name; or for all of them if they cannot be separated. */
export type OutputsResult = {
  /** Without the axis of instances. */
  readonly outputs: Readonly<Record<string, Tensor>>;
};
/** The prediction for one instance, by the task of the model. */
export type Prediction = ClassificationResult | RegressionResult | EmbeddingResult | OutputsResult | {
  readonly [key: string]: Returned;
};
/** Writes to the log, with the request and the step. Inputs of clients do not belong there. */
interface ProcessorLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
/** What a step gets besides its values. */
export interface ProcessorContext<Options, State> {
  /** The options of the step in model.json. They are frozen: all requests share them. */
  readonly options: Options;
  /** What `state` of the step made for this request. */
  readonly state: State;
  readonly model: ModelReference;
  /** Aborted when the answer is too late, when the client leaves, and after the answer. */
  readonly signal: AbortSignal;
  /** When the answer is too late, on the clock of `performance.now()`. */
  readonly deadlineMs: number;
  /** The header `traceparent` for requests to others, so that their work belongs to this request in a trace. */
  readonly traceparent: string;
  readonly log: ProcessorLog;
  /**
   * Counts something: `count('unsure')`, `count('rows', 3)` or `count('unsure', { reason: 'blurred' })`. The log line of
   * the request has the sum, and `ternion_own_counts_total` of the metrics the sum of all requests, with the labels.
   */
  readonly count: Count;
  /**
   * Records a number. The log line of the request has how many there were, their sum, the least and the largest, and
   * `ternion_own_values` of the metrics how many there were and their sum, with the labels.
   */
  readonly observe: (name: string, value: number, labels?: MeasurementLabels) => void;
}
/** What a client sends to a model whose first step is before the graph. */
type Takes = 'features' | 'image' | 'text';
/**
 * A step of own code around the graph. It keeps no state between requests: a server may have several processes.
 *
 * What a step throws is answered with 500 `PROCESSOR_FAILED` and its name; what `invalid` makes, with 400; and what
 * `unavailable` makes, with 503.
 */
export interface ProcessorDefinition<Options, Input, State, Predicted extends Prediction> {
  /** Its name as `step` in `processors` of model.json. */
  readonly name: string;
  /** Its other members there. Without a schema it has none. */
  readonly options?: Schema<Options>;
  /** What clients send, if that is not what the graph takes. */
  readonly takes?: Takes;
  /** Checked for each instance before `before`; another instance is answered with 400. */
  readonly input?: Schema<Input>;
  /** Makes what `before` and `after` of this step share in one request. */
  state?(): State;
  /**
   * Makes what the graph takes.
   *
   * @returns one value for each instance, in order; or the inputs of the graph
   */
  before?(instances: readonly Input[], context: ProcessorContext<Options, State>): readonly Returned[] | GraphInputs | Promise<readonly Returned[] | GraphInputs>;
  /**
   * Changes what is answered.
   *
   * @returns one value for each prediction, in order
   */
  after?(predictions: readonly Predicted[], context: ProcessorContext<Options, State>): readonly Returned[] | Promise<readonly Returned[]>;
}
/** A step as the server calls it, after it has checked the options and the instances. */
export interface Processor {
  readonly name: string;
  readonly options?: Schema | undefined;
  readonly takes?: Takes | undefined;
  readonly input?: Schema | undefined;
  state?(): unknown;
  before?(instances: readonly unknown[], context: ProcessorContext<unknown, unknown>): unknown;
  after?(predictions: readonly unknown[], context: ProcessorContext<unknown, unknown>): unknown;
}
/** The options of a step without a schema. */
type NoOptions = Readonly<Record<never, never>>;
/** Defines a step of own code; a model names it in `processors` of its model.json. */
export declare function defineProcessor<Options = NoOptions, Input = Instance, State = undefined, Predicted extends Prediction = Prediction>(definition: ProcessorDefinition<Options, Input, State, Predicted>): Processor;
/** Marks the errors that `invalid` makes, in whichever copy of this package. */
declare const INVALID: unique symbol;
/** A mistake of the client, which is answered with 400. */
declare class InvalidInputError extends Error {
  readonly name = "InvalidInputError";
  readonly [INVALID] = true;
  readonly field: string;
  readonly problem: string;
  constructor(field: string, problem: string);
}
/**
 * The error for a step to throw when the client sent something wrong.
 *
 * @param field the part of the request, as in `instances[2].customer_id`
 * @param problem what came, and what is expected, to follow the name of the field: `is "x7"; expected a number.`
 */
export declare function invalid(field: string, problem: string): InvalidInputError;
/** Marks the errors that `unavailable` makes, in whichever copy of this package. */
declare const UNAVAILABLE: unique symbol;
/** Something that a step needs is not there for now, which is answered with 503. */
declare class UnavailableError extends Error {
  readonly name = "UnavailableError";
  readonly [UNAVAILABLE] = true;
}
/**
 * The error for a step to throw when something that it needs cannot be reached for now. The client may send the same
 * request again.
 *
 * @param reason for the log; clients do not see it
 */
export declare function unavailable(reason: string, options?: ErrorOptions): UnavailableError;
/** The settings of `features`. */
export interface FeaturesSettings {
  /** Where features are: what `redis`, `feast` or `dynamodb` makes, or a store of your own. */
  readonly store: FeatureStore;
  /** The name of the step in model.json; by default `features`. */
  readonly name?: string;
  /** For how many seconds what the store had is used again, also that it had nothing. By default 10; 0 for never. */
  readonly cacheSeconds?: number;
  /** Most entities that are kept, those that were used last. By default 10,000. */
  readonly cacheEntities?: number;
  /** Longest time that a request waits for the store. By default 1,000 milliseconds. */
  readonly timeoutMs?: number;
}
/**
 * A step that looks up features in a store by the id of an entity. It makes rows of them, for a model that takes a table.
 *
 * @throws SettingsError
 */
export declare function features(settings: FeaturesSettings): Processor;
/** The settings of `redis`. */
export interface RedisSettings {
  /**
   * `redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` with TLS. All but the host can be left out. It comes from
   * the environment, as it has a password.
   */
  readonly url: string | undefined;
  /**
   * The key of an entity, such as `customer:{id}`; `{name}` stands for the member of the entity of this name, and `{id}`
   * for the only one.
   */
  readonly key: string;
  /** What a key holds: a hash with a field for each feature, or a text with a JSON object. By default `hash`. */
  readonly format?: 'hash' | 'json';
}
/**
 * Features in Redis, Valkey or KeyDB, for `features`.
 *
 * @throws SettingsError
 */
export declare function redis(settings: RedisSettings): FeatureStore;
/** What `ternion.config.ts` gives a server. */
export interface OwnCode {
  /** The steps that models can name in `processors` of their model.json. */
  readonly processors?: readonly Processor[];
  /** Routes of the project's own. They go before those of Ternion. */
  readonly routes?: readonly OwnRoute[];
  /** Functions around every request, the first one outermost. */
  readonly middleware?: readonly Middleware[];
  /**
   * Called after each answer, with what the log line has. On hosts that stop a process after its answer, it is called
   * before. What it throws is logged, and it may take at most 5 seconds.
   */
  readonly onAnswer?: (record: AnswerRecord) => void | Promise<void>;
}
export interface OwnRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With parameters in braces, as in OpenAPI: `/customers/{id}`. */
  readonly path: string;
  /** What it does, for `/openapi.json`; without one it is not listed there. */
  readonly summary?: string;
  readonly handle: (request: Request, context: RouteContext) => Response | Promise<Response>;
}
/**
 * @param next answers the request, by the next function or by the server; it may be given another request
 */
export type Middleware = (request: Request, next: (request: Request) => Promise<Response>, context: OwnContext) => Response | Promise<Response>;
export interface OwnContext {
  /** Appears in the answer and in the log. */
  readonly requestId: string;
  /** The header `traceparent` for requests to others, so that their work belongs to this request in a trace. */
  readonly traceparent: string;
  /**
   * Asks a model as `POST /models/{model}/predict` does.
   *
   * @param model its name, or `name/versions/version`
   * @returns the body of the answer
   * @throws PredictError for an answer with an error
   */
  readonly predict: (model: string, body: object) => Promise<PredictAnswer>;
}
export interface RouteContext extends OwnContext {
  /** The parameters of the path. */
  readonly params: Readonly<Record<string, string>>;
}
export type PredictAnswer = Readonly<Record<string, unknown>>;
/** Marks the errors of models, in whichever copy of this package. */
declare const PREDICT: unique symbol;
/** A model could not answer; the message is the one that a client would get. */
export declare class PredictError extends Error {
  readonly name = "PredictError";
  readonly [PREDICT] = true;
  readonly status: number;
  /** One of the codes in docs/errors.md, such as `INVALID_PARAMETER_VALUE`. */
  readonly code: string;
  constructor(message: string, status: number, code: string, options?: ErrorOptions);
  /** Own code is compiled with a copy of this class. */
  static [Symbol.hasInstance](value: unknown): value is PredictError;
}
/** A request that was answered. Neither inputs nor outputs are part of it. */
export interface AnswerRecord {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly errorCode: string | undefined;
  readonly model: string | undefined;
  readonly modelVersion: string | undefined;
  readonly instances: number;
  readonly coldStart: boolean;
  /** Milliseconds from its arrival until its answer was made. */
  readonly durationMs: number;
  /** Milliseconds in the runtime. */
  readonly runMs: number;
}
/** The default export of `ternion.config.ts`. */
export declare function defineConfig(config: OwnCode): OwnCode;
/**
 * Features in a table of DynamoDB, for `features`.
 *
 * @throws SettingsError
 */
export declare function dynamodb(settings: DynamoDbSettings): FeatureStore;
/** The server cannot listen on its address. The message says which address, and what to do. */
export declare class ListenError extends Error {
  readonly name = "ListenError";
}
export interface AppOptions extends OwnCode {
  /** Folder, or `s3://`, `gs://` or `az://` URL, with the models; by default MODEL_REPOSITORY, else `models`. */
  readonly repository?: string;
  /** The prefix of all paths, for frameworks that pass the whole path: `/ml`. */
  readonly basePath?: string;
  /** Variables of docs/configuration.md, which override those of the process. */
  readonly environment?: Readonly<Record<string, string>>;
}
/** What `createApp` takes. */
export interface MountOptions extends AppOptions {
  /**
   * Whether answers are compressed for clients that accept it; true by default. Next compresses them itself, and drops
   * the header of those that are compressed already.
   */
  readonly compress?: boolean;
}
/** All models of a repository as a part of another server. */
export interface TernionApp {
  /** Answers a request of the Fetch standard: for Hono, Next and others. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Answers a request of Node: for `node:http`, Express and Fastify. */
  readonly node: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Loads the models that PRELOAD_MODELS names, so that the first request need not. */
  readonly preload: () => Promise<void>;
  /** Frees all models. */
  readonly close: () => Promise<void>;
}
/**
 * Makes a part of another server that answers for all models of a repository.
 *
 * @throws ConfigError
 */
export declare function createApp({ compress, ...options }?: MountOptions): TernionApp;
export interface ServeOptions extends AppOptions {
  /** 8080 by default; 0 for any free one. */
  readonly port?: number;
  /** `localhost` by default, so that only this machine can reach it. */
  readonly hostname?: string;
}
export interface TernionServer {
  readonly url: string;
  /**
   * Ends without losing a request, and frees all models.
   *
   * @param graceMs how long it accepts requests meanwhile; 0 by default
   */
  readonly close: (graceMs?: number) => Promise<void>;
}
/**
 * Serves all models of a repository, as `ternion serve` does.
 *
 * @throws ConfigError, ListenError
 */
export declare function serve({ port, hostname, ...options }?: ServeOptions): Promise<TernionServer>;
/**
 * Compiles and loads the configuration of a project, as the command does. Tests need it on Node 20, which cannot import
 * TypeScript; others can import the file.
 *
 * @param path by default `ternion.config.ts`, or another of its names, in the working folder
 * @returns what `open` and `createApp` take
 * @throws CommandError, ConfigError saying what is wrong with it
 */
export declare function loadConfig(path?: string): Promise<OwnCode>;
/**
 * The models of a project by what `open` gets, with what each one takes and gives. `ternion types` writes its members.
 */
export interface Models {}
/** What `predict` takes of any model: a row as list or object, a text, the bytes of an image, or tensors by name. */
export type ModelInput = string | Uint8Array | readonly unknown[] | {
  readonly [key: string]: unknown;
};
/** A prediction as `POST /models/{model}/predict` answers it, without the name of the model. */
export type ModelPrediction = {
  readonly [key: string]: JsonValue;
};
/** A model in this process. */
export interface OpenModel<Input = ModelInput, Prediction = ModelPrediction> {
  readonly name: string;
  readonly version: string;
  /**
   * Predicts one instance, as `POST /models/{model}/predict` does.
   *
   * @throws PredictError with the message that a client would get
   */
  readonly predict: (input: Input) => Promise<Prediction>;
  /** Predicts several instances together, in their order. */
  readonly predictBatch: (inputs: readonly Input[]) => Promise<Prediction[]>;
  /** Frees it. */
  readonly close: () => Promise<void>;
}
export interface OpenOptions extends Pick<OwnCode, 'processors'> {
  /** Where a model that is named is looked for; by default MODEL_REPOSITORY, else `models`. */
  readonly repository?: string;
}
type InputOf<Known> = Known extends {
  readonly input: infer Input;
} ? Input : ModelInput;
type PredictionOf<Known> = Known extends {
  readonly prediction: infer Prediction;
} ? Prediction : ModelPrediction;
/**
 * Opens a model in this process, to call it without HTTP.
 *
 * @param model the path of a file or folder, or `name`, `name/version` or `name@alias` of the repository
 * @throws CommandError, InferenceError saying what is wrong with it
 */
export declare function open<Model extends keyof Models | (string & {})>(model: Model, options?: OpenOptions): Promise<Model extends keyof Models ? OpenModel<InputOf<Models[Model]>, PredictionOf<Models[Model]>> : OpenModel>;
export {};
