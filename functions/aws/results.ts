import { STATUS_CODES } from 'node:http';
import type { ALBResult, APIGatewayProxyResult, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type InferenceError, overLimit } from '../../shared/errors.ts';
import { contentOf } from '../../shared/http/bytes.ts';
import { pairsOf } from '../../shared/http/header-list.ts';
import type { HttpEvent } from './events.ts';

export type HttpResult = ALBResult | APIGatewayProxyResult | APIGatewayProxyStructuredResultV2;

/**
 * Most bytes of a result as JSON; Lambda fails an invocation with a larger one. Escapes and base64 count, so a binary
 * answer can have three quarters of this.
 * Source: quotas of Lambda, payload of a synchronous response.
 */
export const MOST_RESULT_BYTES = 6 * 1024 * 1024;

export function isTooLarge(result: HttpResult): boolean {
  // Escapes such as \u0007 make text at most six times as long. Few answers are long enough to be counted exactly.
  const { length } = result.body ?? '';
  return length > MOST_RESULT_BYTES / 8 && Buffer.byteLength(JSON.stringify(result)) > MOST_RESULT_BYTES;
}

export function tooLarge(): InferenceError {
  return overLimit(
    `The answer is too large for AWS Lambda: its limit is ${MOST_RESULT_BYTES} bytes of JSON, and binary answers grow by a third. Send fewer rows at once, or ask for fewer outputs.`,
  );
}

/** The answer in the form that the source of the event expects. */
export async function toResult({ kind, event }: HttpEvent, response: Response): Promise<HttpResult> {
  const content = (await contentOf(response)) ?? '';
  const isBase64Encoded = !isText(response.headers);
  const isReady = typeof content === 'string' && !isBase64Encoded;
  const common = {
    statusCode: response.status,
    body: isReady ? content : Buffer.from(content).toString(isBase64Encoded ? 'base64' : 'utf8'),
    isBase64Encoded,
  };
  const headers = Object.fromEntries(pairsOf(response.headers));
  if (kind === 'v2') return { ...common, headers };
  const statusDescription = `${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim();
  const described = kind === 'alb' ? { ...common, statusDescription } : common;
  // A load balancer takes either multi-value headers or single ones, as in its events.
  if (kind === 'alb' && !event.multiValueHeaders) return { ...described, headers };
  return {
    ...described,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
  };
}

/**
 * Only content that is certainly text is sent as text: anything else, and anything compressed, would be damaged. Not
 * every type that ends in `+json` is text: Triton's has the bytes of tensors after the JSON.
 */
function isText(headers: Headers): boolean {
  if (headers.has('content-encoding')) return false;
  const type = headers.get('content-type') ?? '';
  return type === '' || /^(?:text\/|application\/(?:cloudevents\+)?json(?:;|$))/i.test(type);
}
