import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';
import { allocateBody, JSON_LENGTH_HEADER } from '../../shared/http/body-memory.ts';
import { BytesRequest } from '../../shared/http/bytes.ts';
import { HeaderList } from '../../shared/http/header-list.ts';
import { requestUrl } from '../host.ts';

/**
 * The HTTP events of Lambda, recognised by members that only one of them has:
 * `alb` – Application Load Balancer, single- or multi-value headers;
 * `v1` – API Gateway REST API, and HTTP API with payload format 1.0;
 * `v2` – API Gateway HTTP API with payload format 2.0, and Function URLs.
 */
export type HttpEvent =
  | { readonly kind: 'alb'; readonly event: ALBEvent }
  | { readonly kind: 'v1'; readonly event: APIGatewayProxyEvent }
  | { readonly kind: 'v2'; readonly event: APIGatewayProxyEventV2 };

/** The event as an HTTP event; undefined for any other, such as the payload of a direct invoke. */
export function parseHttpEvent(event: unknown): HttpEvent | undefined {
  if (isAuthorization(event)) return undefined;
  if (isV2(event)) return { kind: 'v2', event };
  if (isAlb(event)) return { kind: 'alb', event };
  if (isV1(event)) return { kind: 'v1', event };
  return undefined;
}

export function toRequest(http: HttpEvent): Request {
  const { event } = http;
  const headers = readHeaders(http);
  const body = decodeBody(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8', headers);
  // The length of the body itself, not of the base64 text that an event may carry.
  if (body.length > 0) headers.set('content-length', String(body.length));
  const method = http.kind === 'v2' ? http.event.requestContext.http.method : http.event.httpMethod;
  return new BytesRequest(requestUrl(readPath(http) + readQuery(http)), { method, headers }, body);
}

function decodeBody(text: string, encoding: 'base64' | 'utf8', headers: Headers): Buffer {
  if (!headers.has(JSON_LENGTH_HEADER)) return Buffer.from(text, encoding);
  const body = allocateBody(Buffer.byteLength(text, encoding), headers);
  // The decoded body is at most this long.
  return body.subarray(0, body.write(text, encoding));
}

/** The platform's id of the request, if the event has one that can be sent as a header. */
export function requestIdOf({ event, kind }: HttpEvent): string | undefined {
  const id: unknown = kind === 'alb' ? undefined : event.requestContext.requestId;
  return typeof id === 'string' && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** API Gateway sends authorizers the whole request, and accepts only a policy as the answer. */
function isAuthorization(event: unknown): boolean {
  return isObject(event) && (Object.hasOwn(event, 'methodArn') || Object.hasOwn(event, 'routeArn'));
}

function isV2(event: unknown): event is APIGatewayProxyEventV2 {
  return (
    isObject(event) &&
    typeof event.rawPath === 'string' &&
    isObject(event.requestContext) &&
    isObject(event.requestContext.http) &&
    typeof event.requestContext.http.method === 'string'
  );
}

function isAlb(event: unknown): event is ALBEvent {
  return hasMethodAndPath(event) && isObject(event.requestContext) && isObject(event.requestContext.elb);
}

function isV1(event: unknown): event is APIGatewayProxyEvent {
  return hasMethodAndPath(event) && isObject(event.requestContext);
}

function hasMethodAndPath(event: unknown): event is Record<string, unknown> {
  return isObject(event) && typeof event.httpMethod === 'string' && typeof event.path === 'string';
}

/** A named stage is part of `rawPath` only; `$default` is not. */
function readPath(http: HttpEvent): string {
  if (http.kind !== 'v2') return escapePath(http.event.path);
  const { rawPath, requestContext } = http.event;
  const prefix = `/${requestContext.stage}`;
  const isStaged = rawPath === prefix || rawPath.startsWith(`${prefix}/`);
  return escapePath(isStaged ? rawPath.slice(prefix.length) : rawPath);
}

/** REST APIs pass decoded paths, so characters that would end the path must be escaped again. */
function escapePath(path: string): string {
  return path.replace(/[?#]/g, encodeURIComponent);
}

function readQuery(http: HttpEvent): string {
  if (http.kind === 'v2') return http.event.rawQueryString ? `?${http.event.rawQueryString}` : '';
  const { multiValueQueryStringParameters: multiple, queryStringParameters: single } = http.event;
  const pairs = Object.entries(multiple ?? single ?? {}).flatMap(([name, value]) =>
    [value ?? ''].flat().map((item): [string, string] => [name, item]),
  );
  if (pairs.length === 0) return '';
  // API Gateway decodes the parameters, a load balancer does not.
  const isDecoded = http.kind === 'v1';
  const text = pairs.map((pair) => (isDecoded ? pair.map(encodeURIComponent) : pair).join('=')).join('&');
  return `?${text}`;
}

function readHeaders(http: HttpEvent): Headers {
  const { headers: single } = http.event;
  const multiple = http.kind === 'v2' ? undefined : http.event.multiValueHeaders;
  const headers = new HeaderList();
  for (const [name, values] of Object.entries(multiple ?? single ?? {})) {
    if (typeof values === 'string') headers.append(name, toWireText(values));
    else for (const value of values ?? []) headers.append(name, toWireText(value));
  }
  if (http.kind === 'v2' && http.event.cookies?.length) headers.set('cookie', http.event.cookies.join('; '));
  return headers;
}

/** Lambda decodes header bytes as UTF-8; Headers expects one character per byte. */
function toWireText(value: string): string {
  if (/^[ -~]*$/.test(value)) return value;
  return Buffer.from(value, 'utf8').toString('latin1');
}
