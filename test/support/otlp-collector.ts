import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { portOf } from './port-of.ts';

/** A span as it is sent. */
export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[];
  readonly status: { readonly code?: number };
}

/** A point of a metric as it is sent. */
export interface SentPoint {
  /** The number of the message that had it. */
  readonly message: number;
  readonly name: string;
  readonly unit: string;
  readonly temporality: number;
  readonly isMonotonic: boolean | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly startNano: bigint;
  readonly endNano: bigint;
  /** A sum, or the number of values in a histogram. */
  readonly count: number;
  readonly sum: number | undefined;
  readonly bounds: readonly number[] | undefined;
  readonly buckets: readonly number[] | undefined;
}

/** A message that came to it. */
interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/**
 * A collector that takes the JSON of OTLP.
 *
 * @param statuses what it answers first; 0 for a connection that ends without an answer
 */
export async function openOtlpCollector(...statuses: number[]) {
  const requests: Received[] = [];
  const asked: number[] = [];
  const delays: number[] = [];
  const refused: Received[] = [];
  const answers: object[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const status = statuses.shift() ?? 200;
    asked.push(status);
    const delayMs = delays.shift() ?? 0;
    if (delayMs > 0) await wait(delayMs);
    if (status === 0) return void request.socket.destroy();
    const content = Buffer.concat(chunks);
    const isPacked = request.headers['content-encoding'] === 'gzip';
    const text = (isPacked ? gunzipSync(content) : content).toString();
    const received = { path: request.url ?? '', headers: request.headers, text };
    (status === 200 ? requests : refused).push(received);
    const partialSuccess = answers.shift() ?? {};
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ partialSuccess }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    requests,
    /** What it got and answered with another status than 200. */
    refused,
    /** What the next answers say about a part that was refused. */
    answers,
    /** The statuses that it answered. */
    asked,
    statuses,
    /** How long the next answers take, in milliseconds. */
    delays,
    spans: () => requests.flatMap(({ text }) => spansIn(text)),
    points: (name: string) =>
      requests.flatMap(({ text }, message) => pointsIn(text, message)).filter((point) => point.name === name),
  };
}

/** The spans of a message. */
export function spansIn(text: string): readonly SentSpan[] {
  const { resourceSpans = [] } = JSON.parse(text);
  return resourceSpans.flatMap((resource: object) =>
    Object(resource).scopeSpans.flatMap((scope: object) => Object(scope).spans),
  );
}

/** The points of a message. */
export function pointsIn(text: string, message: number): readonly SentPoint[] {
  const { resourceMetrics = [] } = JSON.parse(text);
  const metrics = resourceMetrics.flatMap((resource: object) =>
    Object(resource).scopeMetrics.flatMap((scope: object) => Object(scope).metrics),
  );
  return metrics.flatMap((metric: object) => {
    const { name, unit, sum, histogram } = Object(metric);
    const { aggregationTemporality, isMonotonic, dataPoints } = sum ?? histogram;
    return dataPoints.map((point: object): SentPoint => {
      const { startTimeUnixNano, timeUnixNano, asInt, asDouble, count, bucketCounts, ...rest } =
        Object(point);
      return {
        message,
        name,
        unit,
        temporality: aggregationTemporality,
        isMonotonic,
        attributes: valuesOf(rest.attributes),
        startNano: BigInt(startTimeUnixNano),
        endNano: BigInt(timeUnixNano),
        count: Number(asInt ?? asDouble ?? count),
        // An infinite one is a text.
        sum: rest.sum === undefined ? undefined : Number(rest.sum),
        bounds: rest.explicitBounds,
        buckets: bucketCounts?.map(Number),
      };
    });
  });
}

/** The values of attributes, as texts if they are whole numbers. */
export function valuesOf(attributes: SentSpan['attributes']): Readonly<Record<string, unknown>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(Object(value))[0]]));
}
