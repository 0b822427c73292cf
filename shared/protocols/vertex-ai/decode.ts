import type { Context } from 'hono';
import type { Limits } from '../../config.ts';
import { InferenceError, invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { BytesRequest } from '../../http/bytes.ts';
import type { AppEnvironment } from '../../http/context.ts';
import { HeaderList } from '../../http/header-list.ts';
import { isHeaderValue } from '../../http/header-value.ts';
import type { NamedChoice } from '../../inference/inference.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import type { ModelContract } from '../../values/contract.ts';
import { decodeImageValue } from '../../values/image-value.ts';
import type { FieldValue, InferenceInput } from '../../values/input.ts';
import { checkInstances, kindOfValues } from '../../values/instances.ts';
import { decodeTextValue } from '../../values/text-value.ts';
import { parseEnvelope } from '../body/envelope.ts';
import { holdsJson } from '../body/json-body.ts';
import { createInvocation, type Invocation, readInvocation } from '../invocation.ts';
import { type ProtocolOptions, pathParameter } from '../operation.ts';
import { labelEnvelope } from './schemas.ts';

/** A request to an endpoint, with the model that its path stands for. */
export async function readEndpoint(
  c: Context<AppEnvironment>,
  options: ProtocolOptions,
): Promise<Invocation> {
  return await readInvocation(c, options, await chooseModel(c, options));
}

/**
 * `ENDPOINT_MODELS` says which model an endpoint, or a deployed model, stands for. Other endpoints have the name of a
 * model, and a deployed model that of one of its versions. Vertex AI itself uses numbers for both, which have no
 * meaning here: unless `ENDPOINT_MODELS` lists the number, it means the default model, or the only one that takes such
 * input.
 */
export async function chooseModel(
  c: Context<AppEnvironment>,
  { inference: { repository }, config }: Pick<ProtocolOptions, 'inference' | 'config'>,
): Promise<NamedChoice> {
  const { endpointModels } = config;
  const endpoint = pathParameter(c, 'endpoint');
  if (endpoint === undefined) return {};
  const deployed = pathParameter(c, 'deployedModel');
  const byDeployed = endpointModels.get(deployed ?? '');
  if (byDeployed) return byDeployed;
  const known = endpointModels.get(endpoint);
  const model = known?.model ?? endpoint;
  const listing = await repository.versions(model, c.env.budget);
  const isAny = isNumber(endpoint) && ![...endpointModels.keys()].some(isNumber);
  if (!known && !listing && isAny) return {};
  // A number that is not a version was made by Vertex AI.
  const isVersion = deployed !== undefined && (listing?.versions.includes(deployed) || !isNumber(deployed));
  return { model, version: isVersion ? deployed : known?.version };
}

function isNumber(name: string): boolean {
  return /^\d+$/.test(name);
}

const REDIRECT_HEADER = 'x-vertex-ai-triton-redirect';

/**
 * The real request of a client that uses one route for everything and names a path of V2 in a header. Source: Triton's
 * Vertex AI front end.
 *
 * @returns undefined without the header
 * @throws InferenceError 403 for paths that change the server
 */
export async function readRedirect(request: Request): Promise<Request | undefined> {
  const target = request.headers.get(REDIRECT_HEADER);
  if (target === null) return undefined;
  // In a URL a backslash counts as a slash: two of them would begin the name of a host, possibly an invalid one.
  const url = URL.parse(target.replace(/^[\\/]*/, '/'), request.url);
  const path = url ? decodePath(url.pathname) : undefined;
  if (url === null || path === undefined || !/^\/v2(?:\/|$)/.test(path)) {
    throw new InferenceError('BAD_REQUEST', `Header ${REDIRECT_HEADER} must name a path below v2.`);
  }
  if (/\/(?:load|unload|register|unregister)\/?$|sharedmemory/.test(path)) {
    throw new InferenceError('PERMISSION_DENIED', 'This path cannot be reached through a redirect.');
  }
  const writes = /\/infer\/?$|\/repository\/(?:[^/]+\/)?index\/?$/.test(path);
  const headers = new HeaderList(request.headers);
  headers.delete(REDIRECT_HEADER);
  return new BytesRequest(url.href, { method: writes ? 'POST' : 'GET', headers }, await request.bytes());
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Whether a body is in the format of Vertex AI itself. */
export function holdsInstances(invocation: Invocation): boolean {
  return holdsJson(invocation) && hasMember(invocation.json(), 'instances');
}

function hasMember(json: JsonValue, key: string): boolean {
  return isJsonObject(json) && Object.hasOwn(json, key);
}

interface HttpBody {
  readonly contentType: string;
  readonly data: string;
}

/** The body in the body: `{"httpBody": {"contentType": …, "data": "<base64>"}}`. Source: google/api/httpbody.proto. */
export function readHttpBody(invocation: Invocation): HttpBody | undefined {
  if (!holdsJson(invocation)) return undefined;
  const json = invocation.json();
  if (!isJsonObject(json) || !isJsonObject(json.httpBody)) return undefined;
  const { contentType = '', data } = json.httpBody;
  return typeof contentType === 'string' && typeof data === 'string' ? { contentType, data } : undefined;
}

/** The body in the body as a separate request. */
export function unwrap(invocation: Invocation, { contentType, data }: HttpBody): Invocation {
  const headers = new HeaderList(invocation.request.headers);
  headers.delete('content-encoding');
  if (!isHeaderValue(contentType)) {
    throw invalid('Field "httpBody.contentType"', `is ${describeJson(contentType)}; expected a media type.`);
  }
  headers.set('content-type', contentType);
  const body = decodeBase64(data, 'httpBody.data');
  const request = new BytesRequest(invocation.request.url, { method: 'POST', headers }, body);
  return createInvocation(request, body, invocation, invocation.choice);
}

/**
 * Restores lists in lists, which Google's generated clients for Node turn into `{"0": 5.1, "1": 3.5}` when they use
 * REST. All other bodies are returned unchanged. Source: deepCopyWithoutMatchedFields in google-gax, transcoding.ts.
 */
export function restoreLists(json: JsonValue, headers: Headers): JsonValue {
  const client = headers.get('x-goog-api-client') ?? '';
  return client.includes('gl-node/') && client.includes('rest/') ? restore(json) : json;
}

function restore(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(restore);
  if (!isJsonObject(value)) return value;
  const keys = Object.keys(value);
  const isList = keys.length > 0 && keys.every((key, index) => key === String(index));
  const members = Object.entries(value).map(([key, member]): [string, JsonValue] => [key, restore(member)]);
  return isList ? members.map(([, member]) => member) : Object.fromEntries(members);
}

/** The defaults of AutoML. */
const MOST_PREDICTIONS = 10;

/**
 * Whether a request is for labels as the models of AutoML give them: its images or texts are under `content`, or a
 * parameter says how many labels are wanted or how confident they must be. Other requests get the outputs of the graph.
 */
export function asksForLabels(instances: readonly JsonValue[], parameters: JsonValue | undefined): boolean {
  const [first] = instances;
  if (isJsonObject(first) && Object.hasOwn(first, 'content')) return true;
  const names = isJsonObject(parameters) ? Object.keys(parameters) : [];
  const isSifted = names.includes('confidenceThreshold') || names.includes('maxPredictions');
  return isSifted && kindOfValues(first) !== 'features';
}

/** Images or texts to be labelled, and which of their labels are wanted. */
export interface LabelRequest {
  readonly input: InferenceInput;
  /** Undefined if there are no parameters: all labels are wanted. */
  readonly confidenceThreshold: number | undefined;
  readonly maxPredictions: number;
}

/** @throws InferenceError naming the parameter, the image or the text, what came and what is expected */
export function readLabelRequest(
  instances: readonly JsonValue[],
  parameters: JsonValue | undefined,
  { textInput }: ModelContract,
  limits: Limits,
): LabelRequest {
  const { parameters: given } = parseEnvelope(labelEnvelope(), { parameters: parameters ?? {} });
  const { confidenceThreshold, maxPredictions = MOST_PREDICTIONS } = given;
  checkInstances(instances.length, 'instances', limits);
  const locate = <T>(decode: (instance: JsonValue, field: string) => T): FieldValue<T>[] =>
    instances.map((instance, index) => {
      const field = `instances[${index}]`;
      return { value: decode(instance, field), field };
    });
  const input: InferenceInput = textInput
    ? { kind: 'text', texts: locate((instance, field) => decodeTextValue(instance, textInput, field)) }
    : { kind: 'image', images: locate((instance, field) => decodeImageValue(instance, 'content', field)) };
  return { input, confidenceThreshold, maxPredictions };
}
