import { partsOf } from '../../measurement-keys.ts';
import { type RequestRecord, STEPS } from '../request-record.ts';
import type { Attributes } from './any-value.ts';
import { embeddingAttributes } from './gen-ai.ts';

/** A span before somebody writes it: without ids, and with times in milliseconds since the epoch. */
export interface SpanFacts {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly isError: boolean;
}

/** Shorter steps are left out: most requests take almost no time to find their model. */
const LEAST_MS = 0.001;

/**
 * The span of a request. Names follow the semantic conventions of OpenTelemetry for HTTP servers and functions.
 *
 * @param isFunction whether the process answers one event after the other, as functions do
 */
export function describeRequest(record: RequestRecord, isFunction: boolean): SpanFacts {
  const { startedMs, totalMs, steps, model, runs, embedding } = record;
  return {
    name: record.route === undefined ? record.method : `${record.method} ${record.route}`,
    startMs: startedMs - steps.receive,
    endMs: startedMs + totalMs,
    attributes: {
      'http.request.method': record.method,
      'http.route': record.route,
      'url.path': record.path,
      'http.response.status_code': record.status,
      'http.request.body.size': record.bytesIn,
      'http.response.body.size': record.bytesOut,
      'ternion.request_id': record.requestId,
      'faas.trigger': isFunction ? 'http' : undefined,
      'faas.coldstart': isFunction ? record.coldStart : undefined,
      'faas.invocation_id': isFunction ? record.requestId : undefined,
      'error.type': record.errorCode,
      'ternion.protocol': record.protocol,
      'ternion.model': model,
      'ternion.model_version': record.version,
      'ternion.batch_size': runs > 0 ? record.instances : undefined,
      ...(embedding && {
        ...embeddingAttributes(record),
        'gen_ai.usage.input_tokens': embedding.tokens,
        'gen_ai.embeddings.dimension.count': embedding.dimensions,
      }),
      ...ownAttributes(record),
    },
    // A mistake of a client is not an error of a server. Source: semantic conventions, HTTP spans, status.
    isError: record.status >= 500,
  };
}

/** The spans of the steps of a request that took some time, one after the other. */
export function describeSteps({ startedMs, steps, queueMs }: RequestRecord): readonly SpanFacts[] {
  const spans: SpanFacts[] = [];
  let atMs = startedMs - steps.receive;
  for (const step of STEPS) {
    // Runs wait for their turn before they begin.
    if (step === 'run') atMs += queueMs;
    const endMs = atMs + steps[step];
    if (steps[step] >= LEAST_MS) {
      spans.push({ name: step, startMs: atMs, endMs, attributes: {}, isError: false });
    }
    atMs = endMs;
  }
  return spans;
}

/**
 * What own code counted and measured. A name of an attribute has few values in all spans, so labels are values: the
 * attribute of a label lists those that the request had.
 */
function ownAttributes({ counts, observations }: RequestRecord): Attributes {
  const sums = new Map<string, number>();
  const labelled = new Map<string, string[]>();
  const add = (name: string, value: number) => sums.set(name, (sums.get(name) ?? 0) + value);
  const addLabels = (prefix: string, labels: Readonly<Record<string, string>>) => {
    for (const [label, value] of Object.entries(labels)) {
      const name = `${prefix}.${label}`;
      const values = labelled.get(name) ?? [];
      if (!values.includes(value)) values.push(value);
      labelled.set(name, values);
    }
  };
  for (const [key, count] of counts ?? []) {
    const { name, labels } = partsOf(key);
    add(`ternion.counts.${name}`, count);
    addLabels(`ternion.labels.${name}`, labels);
  }
  for (const [key, { count, sum }] of observations ?? []) {
    const { name, labels } = partsOf(key);
    add(`ternion.observations.${name}.count`, count);
    add(`ternion.observations.${name}.sum`, sum);
    addLabels(`ternion.labels.${name}`, labels);
  }
  return Object.fromEntries<number | string[]>([...sums, ...labelled]);
}
