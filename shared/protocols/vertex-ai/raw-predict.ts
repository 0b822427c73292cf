import { invalid } from '../../errors.ts';
import { decodeBase64 } from '../../http/base64.ts';
import { BytesRequest } from '../../http/bytes.ts';
import { isHeaderValue } from '../../http/header-value.ts';
import { jsonResponse } from '../../http/respond.ts';
import { describeJson, isJsonObject, type JsonValue } from '../../json/json-value.ts';
import { holdsJson } from '../body/json-body.ts';
import { createInvocation, type Dialect, type Invocation } from '../invocation.ts';
import { invokeVertexAi } from './predict.ts';

/**
 * What Vertex AI sends to a container: instances of its own format, or whatever a client gave to rawPredict, which can
 * be in the format of any server.
 *
 * @param invoke answers in that format
 */
export function createContainer(invoke: Dialect): Dialect {
  return async (invocation, options) => {
    const isOwn = options.config.dialect === undefined && holdsInstances(invocation);
    return await (isOwn ? invokeVertexAi : invoke)(invocation, options);
  };
}

/**
 * Answers rawPredict: any body gets the answer it would get from a container. Google's generated clients cannot send
 * bodies other than JSON over REST; they wrap them into a `google.api.HttpBody` and want their answer in one.
 */
export function createRawPredict(container: Dialect): Dialect {
  return async (invocation, options) => {
    const wrapped = readHttpBody(invocation);
    if (!wrapped) return await container(invocation, options);
    const answer = await container(unwrap(invocation, wrapped), options);
    const { response } = answer;
    const body = {
      contentType: response.headers.get('content-type') ?? '',
      data: Buffer.from(await response.bytes()).toString('base64'),
    };
    return { ...answer, response: jsonResponse(body) };
  };
}

function holdsInstances(invocation: Invocation): boolean {
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
function readHttpBody(invocation: Invocation): HttpBody | undefined {
  if (!holdsJson(invocation)) return undefined;
  const json = invocation.json();
  if (!isJsonObject(json) || !isJsonObject(json.httpBody)) return undefined;
  const { contentType = '', data } = json.httpBody;
  return typeof contentType === 'string' && typeof data === 'string' ? { contentType, data } : undefined;
}

function unwrap(invocation: Invocation, { contentType, data }: HttpBody): Invocation {
  const headers = new Headers(invocation.request.headers);
  headers.delete('content-encoding');
  if (!isHeaderValue(contentType)) {
    throw invalid(`Field "httpBody.contentType" is ${describeJson(contentType)}; expected a media type.`);
  }
  headers.set('content-type', contentType);
  const body = decodeBase64(data, 'httpBody.data');
  const request = new BytesRequest(invocation.request.url, { method: 'POST', headers }, body);
  return createInvocation(request, body, invocation, invocation.choice);
}
