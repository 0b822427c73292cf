import type { TestRequest, TestResponse } from './test-host.ts';

/** What calls the function; it decides the form of the events. */
export const EVENT_SOURCES = [
  'rest-api',
  'http-api',
  'function-url',
  'load-balancer',
  'load-balancer-multi',
] as const;

export type EventSource = (typeof EVENT_SOURCES)[number];

/** The event each source makes of a request, with its own rule for what travels as base64. */
export function toEvent(source: EventSource, request: TestRequest): object {
  const [path = '/', query = ''] = request.path.split('?');
  const single = request.headers;
  const multi = Object.fromEntries(Object.entries(single).map(([name, value]) => [name, [value]]));
  switch (source) {
    case 'rest-api':
      return {
        resource: '/{proxy+}',
        path,
        httpMethod: request.method,
        headers: single,
        multiValueHeaders: multi,
        queryStringParameters: null,
        multiValueQueryStringParameters: decodedQuery(query),
        requestContext: { requestId: 'platform-id', stage: 'prod', identity: {} },
        ...encodeBody(request, true),
      };
    case 'http-api':
    case 'function-url':
      return {
        version: '2.0',
        routeKey: '$default',
        rawPath: source === 'http-api' ? `/prod${path}` : path,
        rawQueryString: query,
        headers: single,
        requestContext: {
          requestId: 'platform-id',
          stage: source === 'http-api' ? 'prod' : '$default',
          http: {
            method: request.method,
            path,
            protocol: 'HTTP/1.1',
            sourceIp: '192.0.2.1',
            userAgent: 'test',
          },
        },
        ...encodeBody(request, !isTextOfHttpApi(request)),
      };
    case 'load-balancer':
    case 'load-balancer-multi':
      return {
        requestContext: {
          elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/t/1' },
        },
        httpMethod: request.method,
        path,
        ...(source === 'load-balancer'
          ? { headers: single, queryStringParameters: {} }
          : { multiValueHeaders: multi, multiValueQueryStringParameters: {} }),
        ...encodeBody(request, 'content-encoding' in single || !isTextOfHttpApi(request)),
      };
  }
}

/** The response a source makes of the function's answer. It fails where the real one would answer 502. */
export function fromResult(source: EventSource, method: string, result: unknown): TestResponse {
  if (!isRecord(result) || typeof result.statusCode !== 'number' || typeof result.body !== 'string') {
    throw new Error(`not an answer of a proxy function: ${JSON.stringify(result)}`);
  }
  const wantsMulti = source === 'load-balancer-multi';
  const given =
    source === 'rest-api'
      ? (result.multiValueHeaders ?? result.headers)
      : result[wantsMulti ? 'multiValueHeaders' : 'headers'];
  if (!isRecord(given))
    throw new Error(`${source} finds no headers of its kind: ${Object.keys(result).join(', ')}`);
  if (typeof result.isBase64Encoded !== 'boolean') throw new Error('isBase64Encoded must be a boolean');
  const headers = Object.entries(given).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const body = Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8');
  return {
    status: result.statusCode,
    headers: Object.fromEntries(headers),
    body: method === 'HEAD' ? Buffer.alloc(0) : body,
  };
}

function encodeBody(
  { body }: TestRequest,
  isBase64Encoded: boolean,
): { body: string | null; isBase64Encoded: boolean } {
  if (body.length === 0) return { body: null, isBase64Encoded: false };
  return { body: body.toString(isBase64Encoded ? 'base64' : 'utf8'), isBase64Encoded };
}

/** HTTP APIs pass these types as text and everything else, a missing type included, as base64. */
function isTextOfHttpApi({ headers }: TestRequest): boolean {
  const type = headers['content-type'] ?? '';
  return /^(?:text\/|application\/(?:json|xml|javascript))/.test(type);
}

function decodedQuery(query: string): Record<string, string[]> | null {
  const names = [...new Set(new URLSearchParams(query).keys())];
  return names.length === 0
    ? null
    : Object.fromEntries(names.map((name) => [name, new URLSearchParams(query).getAll(name)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
