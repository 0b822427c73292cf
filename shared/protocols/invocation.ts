import type { Budget } from '../budget.ts';
import { InferenceError } from '../errors.ts';
import type { Bindings, RequestRecord } from '../http/context.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { readBody } from '../http/read-body.ts';
import type { NamedInputs } from '../inference/check-feeds.ts';
import type { InferenceResult, TensorResult } from '../inference/inference.ts';
import type { InferenceInput, InputKind } from '../inference/input.ts';
import type { Model } from '../inference/load-model.ts';
import { UnsafeIntegerError } from '../json/exact-integers.ts';
import { type JsonValue, parseExactJson } from '../json/parse-json.ts';
import type { ModelReference } from '../models/model-reference.ts';
import { contractOf, type ModelContract } from './codecs/model-contract.ts';
import { parseRequestJson } from './codecs/request-json.ts';
import type { ProtocolOptions } from './protocol.ts';

/** The model a path or a header names. */
export interface ModelChoice {
  /** Undefined: the default model, or the only one that takes such input. */
  readonly model?: string | undefined;
  /** Undefined: the live version. */
  readonly version?: string | undefined;
}

/** A request to a model with its body read, whichever route and protocol it came by. */
export interface Invocation extends ModelChoice {
  readonly request: Request;
  readonly mediaType: string;
  readonly body: Uint8Array;
  readonly record: RequestRecord;
  readonly budget: Budget;
  /**
   * The body as JSON. It is parsed once.
   * @throws InferenceError BAD_REQUEST when it is not JSON
   */
  readonly json: () => JsonValue;
  /**
   * Makes something of the JSON: when that meets a whole number beyond 2^53 where it needs all digits, once more with
   * all digits.
   * @throws InferenceError
   */
  readonly decode: <T>(read: (value: JsonValue) => T | Promise<T>) => Promise<T>;
}

/** A wire format of the routes that several share: it decodes, runs and encodes. */
export type Dialect = (invocation: Invocation, options: ProtocolOptions) => Promise<Response>;

/** @throws InferenceError when the body cannot be read, or there is none */
export async function readInvocation(
  request: Request,
  account: RequestAccount,
  { inference }: ProtocolOptions,
  choice: ModelChoice,
): Promise<Invocation> {
  // An unknown model is reported before the body is looked at.
  if (choice.model !== undefined)
    account.record.model = await inference.repository.resolve(choice.model, choice.version);
  const body = await readBody(request, account.budget.limits);
  if (body.length === 0) throw new InferenceError('BAD_REQUEST', 'The request body is empty.');
  return createInvocation(request, body, account, choice);
}

/** What a request may cost, and what is learned of it while it is answered. */
export type RequestAccount = Pick<Bindings, 'record' | 'budget'>;

export function createInvocation(
  request: Request,
  body: Uint8Array,
  { record, budget }: RequestAccount,
  choice: ModelChoice,
): Invocation {
  let parsed: { readonly value: JsonValue } | { readonly error: unknown } | undefined;
  const json = (): JsonValue => {
    parsed ??= attempt(() => parseRequestJson(body, budget));
    if ('error' in parsed) throw parsed.error;
    return parsed.value;
  };
  return {
    ...choice,
    request,
    mediaType: mediaTypeOf(request.headers),
    body,
    record,
    budget,
    json,
    decode: async (read) => {
      try {
        return await read(json());
      } catch (error) {
        if (!(error instanceof UnsafeIntegerError)) throw error;
        return await read(parseExactJson(body, budget.limits.jsonDepth));
      }
    },
  };
}

function attempt<T>(work: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

export interface TensorCall {
  /** What to look for when the request names no model. */
  readonly kind: InputKind;
  /** Makes the inputs, once it is known what the model takes. */
  readonly decode: (contract: ModelContract) => NamedInputs | Promise<NamedInputs>;
  /** Whether the first axis counts instances, so that they can be run in portions. */
  readonly isBatch?: boolean;
  /** Names of the outputs wanted; undefined for all. */
  readonly outputs?: readonly string[];
}

/** The model a request means, and where account is kept of what is done with it. */
export type ModelCall = Pick<Invocation, 'record' | 'budget' | 'model' | 'version'>;

/** A call whose model was found, and what a look at the model has shown. */
export interface OpenCall<R> extends ModelCall {
  readonly reference: ModelReference;
  readonly seen: R;
}

/** Finds the model a request means and looks at it, loading it when needed. */
export async function openModel<R>(
  { record, budget, model, version }: ModelCall,
  { inference }: Pick<ProtocolOptions, 'inference'>,
  kind: InputKind,
  look: (model: Model) => R,
): Promise<OpenCall<R>> {
  const reference = await inference.choose(kind, model, version);
  record.model = reference;
  const startMs = performance.now();
  const seen = await inference.describe(reference, look);
  record.loadMs = (record.loadMs ?? 0) + performance.now() - startMs;
  return { record, budget, model: reference.name, version: reference.version, reference, seen };
}

/** Runs a model on tensors. */
export async function runTensors(
  call: ModelCall,
  options: Pick<ProtocolOptions, 'inference'>,
  { kind, decode, isBatch = false, outputs }: TensorCall,
): Promise<TensorResult> {
  const { reference, seen, record, budget } = await openModel(call, options, kind, contractOf);
  const result = await options.inference.inferTensors({
    reference,
    inputs: await decode(seen),
    outputs,
    isBatch,
    budget,
  });
  record.loadMs = (record.loadMs ?? 0) + result.loadMs;
  record.runMs = (record.runMs ?? 0) + result.runMs;
  return result;
}

/** Runs a model's task on features, images or the like. */
export async function runTask(
  { record, budget, model, version }: ModelCall,
  { inference }: Pick<ProtocolOptions, 'inference'>,
  input: InferenceInput,
): Promise<InferenceResult> {
  const reference = await inference.choose(input.kind, model, version);
  record.model = reference;
  const result = await inference.infer({ model: reference.name, version: reference.version, input, budget });
  record.loadMs = (record.loadMs ?? 0) + result.loadMs;
  record.runMs = (record.runMs ?? 0) + result.runMs;
  return result;
}
