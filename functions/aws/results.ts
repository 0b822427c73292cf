import { STATUS_CODES } from 'node:http';
import type { ALBResult, APIGatewayProxyResult, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { type InferenceError, overLimit } from '../../shared/errors.ts';
import { contentOf } from '../../shared/http/bytes.ts';
import type { HttpEvent } from './events.ts';

export type HttpResult = ALBResult | APIGatewayProxyResult | APIGatewayProxyStructuredResultV2;

/**
 * Most bytes of a result as JSON: Lambda fails the invocation beyond it. Escapes of text count, and base64, so that an
 * answer of bytes can have three quarters of it.
 * Source: quotas of Lambda, payload of a synchronous response.
 */
export const MOST_RESULT_BYTES = 6 * 1024 * 1024;

export function isTooLarge(result: HttpResult): boolean {
  // Escapes such as \u0007 make text six times as long at most. Few answers are so long that it has to be counted.
  const { length } = result.body ?? '';
  return length > MOST_RESULT_BYTES / 8 && Buffer.byteLength(JSON.stringify(result)) > MOST_RESULT_BYTES;
}

export function tooLarge(): InferenceError {
  return overLimit(
    `The answer has more than ${MOST_RESULT_BYTES} bytes in the form that AWS Lambda passes on, which is its limit; bytes count 4/3 there. Send less at once, or ask for fewer outputs.`,
  );
}

/** The answer in the form the event's source expects. */
export async function toResult({ kind, event }: HttpEvent, response: Response): Promise<HttpResult> {
  const content = (await contentOf(response)) ?? '';
  const isBase64Encoded = !isText(response.headers);
  const isReady = typeof content === 'string' && !isBase64Encoded;
  const common = {
    statusCode: response.status,
    body: isReady ? content : Buffer.from(content).toString(isBase64Encoded ? 'base64' : 'utf8'),
    isBase64Encoded,
  };
  const headers = Object.fromEntries(response.headers);
  if (kind === 'v2') return { ...common, headers };
  const statusDescription = `${response.status} ${STATUS_CODES[response.status] ?? ''}`.trim();
  const described = kind === 'alb' ? { ...common, statusDescription } : common;
  // A load balancer with multi-value headers takes no others, and the other way round.
  if (kind === 'alb' && !event.multiValueHeaders) return { ...described, headers };
  return {
    ...described,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
  };
}

/**
 * Only what is surely text goes as text; anything else, and anything compressed, would be damaged on the way. Not every
 * type that ends in `+json` is: Triton's has the bytes of tensors after the JSON.
 */
function isText(headers: Headers): boolean {
  if (headers.has('content-encoding')) return false;
  const type = headers.get('content-type') ?? '';
  return type === '' || /^(?:text\/|application\/(?:cloudevents\+)?json(?:;|$))/i.test(type);
}
