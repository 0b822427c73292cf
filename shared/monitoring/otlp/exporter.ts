import type { RequestContext } from '../../http/context.ts';
import type { ModelLoad } from '../model-load.ts';
import type { RequestRecord } from '../request-record.ts';
import type { ShadowRun } from '../shadow-run.ts';

/** Sends what is known about requests to somebody else. */
export interface Exporter {
  /** Takes a request, and sees to it that what is made of it is sent. */
  request(record: RequestRecord, context: Pick<RequestContext, 'waitUntil'>): void;
  /** Takes a load of a model. */
  load?(load: ModelLoad): void;
  /** Takes a copy of a request that a version got without a say in the answer. */
  shadow?(run: ShadowRun): void;
  /** Learns that the process can answer now. */
  ready?(): void;
  /** Answers a request within a span of somebody else's tracer. */
  readonly trace?: Trace | undefined;
  /** Sends what is left. */
  close(): Promise<void>;
}

/**
 * Answers a request within a span.
 *
 * @param answer answers it in the context that it is given, whose place in a trace is that span
 */
export type Trace = <R>(
  headers: Headers,
  context: RequestContext,
  answer: (context: RequestContext) => Promise<R>,
) => Promise<R>;
